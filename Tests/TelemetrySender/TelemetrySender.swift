import Dispatch
import Glibc

#if OTLPExporter
  import Logging
  import OTLP
  import OTLPExporter
#endif

/// A process that exports, for tests that kill one, and for those that look at its memory.
///
/// usage: telemetry-sender SPOOL REQUESTS
///        telemetry-sender --spans COUNT MARK
///
/// Gives the exporter so many requests of ten log records, whose bodies count up, and prints
/// `accepted N` after each that is on disk. On SIGTERM it flushes, and prints what became of all. The
/// environment says where to send.
///
/// With `--spans` it exports so many spans whose ids count up, waits while the queue is full, and prints
/// what it has cost when MARK of them are sent and when all are. At the end it says what became of them.
@main struct TelemetrySender {
  static func main() {
    #if OTLPExporter
      let arguments = CommandLine.arguments
      if arguments.count == 4, arguments[1] == "--spans", let count = Int(arguments[2]),
        let mark = Int(arguments[3]), count >= mark
      {
        do { try SpanSender().send(count, mark: mark) } catch { say("error \(error)") }
        return
      }
      guard arguments.count == 3, let requests = Int(arguments[2]) else {
        fatalError("usage: telemetry-sender SPOOL REQUESTS | --spans COUNT MARK")
      }
      // Blocked before any thread exists, so that only sigwait takes it.
      var termination = sigset_t()
      sigemptyset(&termination)
      sigaddset(&termination, SIGTERM)
      pthread_sigmask(SIG_BLOCK, &termination, nil)
      do { try send(requests, spool: arguments[1], until: termination) } catch {
        say("error \(error)")
      }
    #else
      say("built without the trait OTLPExporter")
    #endif
  }

  /// Says it at once: who is killed has no time to flush.
  static func say(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    _ = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
  }

  #if OTLPExporter
    private static func send(_ requests: Int, spool: String, until end: sigset_t) throws {
      var options = TelemetryExporter.Options()
      options.spoolFolder = spool
      options.retry.initialDelay = .milliseconds(5)
      options.retry.maximumDelay = .milliseconds(20)
      options.flushLimit = .seconds(60)
      let exporter = try TelemetryExporter(
        ExporterConfiguration(environment: variables()), options: options,
        logger: Logger(label: "sender") { _ in SwiftLogNoOpLogHandler() })
      let done = DispatchSemaphore(value: 0)
      Task.detached {
        do { try await exporter.run() } catch { say("error \(error)") }
        done.signal()
      }
      for request in 0..<requests {
        let export = records((request * 10)..<(request * 10 + 10))
        say(exporter.export(export) == .spooled ? "accepted \(request)" : "refused \(request)")
      }
      var end = end
      var signal: Int32 = 0
      sigwait(&end, &signal)
      exporter.drain()
      done.wait()
      guard let logs = exporter.statistics[.logs] else { return }
      say(account(logs))
    }

    /// What the environment says of where to send.
    static func variables() -> [String: String] {
      var variables: [String: String] = [:]
      for name in ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_CERTIFICATE"] {
        if let value = getenv(name) { variables[name] = String(cString: value) }
      }
      return variables
    }

    /// What became of everything.
    static func account(_ statistics: DeliveryStatistics) -> String {
      "recovered \(statistics.recovered) produced \(statistics.produced) sent \(statistics.sent) "
        + "spooled \(statistics.spooled) dropped \(statistics.droppedInTotal) "
        + "balanced \(statistics.isBalanced)"
    }

    private static func records(_ ids: Range<Int>) -> TelemetryExport {
      var scope = Opentelemetry_Proto_Logs_V1_ScopeLogs()
      scope.logRecords = ids.map { id in
        var record = Opentelemetry_Proto_Logs_V1_LogRecord()
        record.body.stringValue = "\(id)"
        return record
      }
      var resource = Opentelemetry_Proto_Logs_V1_ResourceLogs()
      resource.scopeLogs = [scope]
      var request = Opentelemetry_Proto_Collector_Logs_V1_ExportLogsServiceRequest()
      request.resourceLogs = [resource]
      return TelemetryExport(.logs(request))
    }
  #endif
}
