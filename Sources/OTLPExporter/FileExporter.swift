internal import EBPFSystem
public import OTLP
internal import Synchronization

/// Writes telemetry to a file or to standard output instead of sending it.
public final class FileExporter: Sendable {
  /// Where it is written.
  public enum Destination: Sendable, Hashable {
    /// Standard output.
    case standardOutput
    /// A file, to whose end requests are appended.
    case file(String)
  }

  /// How a request is written; both are what the OpenTelemetry Collector's file exporter writes.
  public enum Format: Sendable, Hashable {
    /// One line of OTLP/JSON per request.
    case jsonLines
    /// The length as four big-endian bytes, then the request as protobuf.
    case protobuf
  }

  private struct State {
    var statistics: [TelemetrySignal: DeliveryStatistics] = [:]
    /// Bytes written to the file by this exporter; only whole requests.
    var written = 0
  }

  private let sink: AppendingFile
  private let format: Format
  private let maximumBytes: Int
  private let state = Mutex(State())

  /// Opens the destination.
  ///
  /// - Parameter maximumBytes: the most bytes to write; what comes after them is dropped and counted.
  public init(
    _ destination: Destination, format: Format, maximumBytes: Int = .max
  ) throws(ExporterError) {
    self.format = format
    self.maximumBytes = maximumBytes
    switch destination {
    case .standardOutput: sink = AppendingFile.standardOutput
    case .file(let path):
      do throws(Errno) { sink = try AppendingFile(path: path) } catch {
        throw ExporterError(
          .file, "'\(path)' cannot be opened to write: \(error)",
          hint: "name a file in a folder this process can write to")
      }
    }
  }

  /// What became of each signal's items.
  public var statistics: [TelemetrySignal: DeliveryStatistics] {
    state.withLock { $0.statistics }
  }

  /// Writes a request, whole or not at all: after a full disk the next one is readable.
  @discardableResult
  public func export(_ export: TelemetryExport) -> Receipt {
    state.withLock { state in
      let reason = write(export, &state)
      var statistics = state.statistics[export.signal] ?? DeliveryStatistics()
      statistics.produced += export.itemCount
      statistics.requests += 1
      if let reason {
        statistics.drop(export.itemCount, reason)
      } else {
        statistics.sent += export.itemCount
      }
      state.statistics[export.signal] = statistics
      return reason.map(Receipt.dropped) ?? .accepted
    }
  }

  private func write(_ export: TelemetryExport, _ state: inout State) -> DropReason? {
    let bytes: [UInt8]
    do throws(OTLPError) { bytes = try encoded(export) } catch { return .encoding }
    guard bytes.count <= maximumBytes - state.written else { return .queueFull }
    do throws(Errno) {
      try sink.append(bytes)
      state.written += bytes.count
      return nil
    } catch { return .writeFailed }
  }

  private func encoded(_ export: TelemetryExport) throws(OTLPError) -> [UInt8] {
    switch format {
    case .jsonLines: return try export.json() + [UInt8(ascii: "\n")]
    case .protobuf:
      let bytes = try export.protobuf()
      let length = UInt32(clamping: bytes.count)
      return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + bytes
    }
  }
}
