#if OTLPExporter
  import EBPF
  import EBPFSystem
  import EBPFTelemetry
  import EBPFTracers
  import OTLP
  import Profiles

  /// What `--otlp` asks for: results as OpenTelemetry's protocol, in a file.
  final class TelemetryOutput {
    private let file: OTLPFile
    private let options: TelemetryOptions
    private let start: UInt64
    private var exports: [TelemetryExport] = []
    private var statistics = ConversionStatistics()
    /// Takes the events of `ebpf syscalls` as they come.
    private(set) var syscalls: SyscallTelemetry
    /// Takes those of `ebpf processes`.
    private var processes: ProcessTelemetry

    /// Nil when nobody asked. Recording begins right after it.
    init?(_ tracing: TracerOptions) throws(EBPFError) {
      guard let file = tracing.otlp else { return nil }
      try ResultFile(path: file.path(of: TelemetrySignal.metrics.rawValue, number: 1)).check()
      let detection = ResourceDetector.detect(serviceName: "ebpf", version: Version.text)
      for problem in detection.problems { Output.note("note: \(problem)") }
      self.file = file
      options = TelemetryOptions(resource: detection.resource, version: Version.text)
      start = Clock.wall.now
      syscalls = SyscallTelemetry(options, start: start)
      processes = ProcessTelemetry(options)
    }

    /// Which system calls become spans.
    var syscallRule: SyscallEventRule { options.syscallSpans }

    /// Takes an event.
    func add(_ event: SyscallEvent) { syscalls.add(event) }

    /// Takes an event.
    func add(_ event: ProcessEvent) { processes.add(event) }

    /// Takes what a process tracer recorded.
    func add(_ recording: ProcessRecording) {
      exports += processes.collect(recording)
      statistics.add(processes.statistics)
    }

    /// Takes a profile.
    func add(_ profile: Profile) {
      var telemetry = ProfileTelemetry(options)
      exports += telemetry.collect(profile)
      statistics.add(telemetry.statistics)
    }

    /// Takes what a system call tracer counted.
    func add(_ summary: SyscallSummary) {
      exports += syscalls.collect(summary)
      statistics.add(syscalls.statistics)
    }

    /// Takes what a network tracer recorded.
    func add(_ activity: NetworkActivity) {
      var telemetry = NetworkTelemetry(options, start: start)
      telemetry.addListed(activity)
      exports += telemetry.collect(activity)
      statistics.add(telemetry.statistics)
    }

    /// Takes what a memory tracer recorded.
    func add(_ recording: MemoryRecording) {
      var telemetry = MemoryTelemetry(options, start: start)
      exports += telemetry.collect(recording)
      statistics.add(telemetry.statistics)
    }

    /// Takes what several tracers recorded.
    func add(_ results: TracerGroup.Results) {
      if let profile = results.profile { add(profile.profile) }
      if let summary = results.syscalls { add(summary) }
      if let activity = results.network { add(activity) }
      if let recording = results.memory { add(recording) }
    }

    /// Writes what was taken.
    func write(isQuiet: Bool) throws(EBPFError) {
      var counts: [TelemetrySignal: Int] = [:]
      var lines: [UInt8] = []
      var paths: [String] = []
      for export in exports {
        counts[export.signal, default: 0] += 1
        switch file.form {
        case .lines:
          lines += try TelemetryOutput.encoded { () throws(OTLPError) in try export.json() }
          lines.append(UInt8(ascii: "\n"))
        case .protobuf:
          let path = file.path(of: export.signal.rawValue, number: counts[export.signal] ?? 1)
          try ResultFile(path: path).write(
            try TelemetryOutput.encoded { () throws(OTLPError) in try export.protobuf() })
          paths.append(path)
        }
      }
      if file.form == .lines {
        try ResultFile(path: file.path).write(lines)
        paths.append(file.path)
      }
      if !isQuiet { for path in paths { TracerFooter.wrote(path) } }
      for (reason, count) in statistics.dropped.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
        Output.note("note: for OpenTelemetry \(Figures.count(count)) \(explanation(reason))")
      }
    }

    private func explanation(_ reason: ConversionStatistics.Reason) -> String {
      switch reason {
      case .pendingLimit:
        "events are no span: there is room for \(Figures.count(UInt64(options.pendingLimit)))"
      case .notListed: "connections, sockets and queries are in sums only: raise --max-listed"
      case .malformed: "samples were left out: they refer to nothing"
      }
    }

    private static func encoded(
      _ body: () throws(OTLPError) -> [UInt8]
    ) throws(EBPFError) -> [UInt8] {
      do throws(OTLPError) { return try body() } catch {
        throw EBPFError(.unsupported, error.message, hint: "record for a shorter time")
      }
    }
  }
#endif
