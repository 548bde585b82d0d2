#if OTLPExporter
  internal import EBPFTelemetry
  internal import FoundationEssentials
  internal import Synchronization

  /// How an agent is, for those who ask from outside.
  final class AgentHealth: Sendable {
    /// One moment.
    struct State: Sendable {
      var isRunning = false
      var tracers: [String] = []
      var failures: [(name: String, reason: String)] = []
      var exporters: [ExporterFigures] = []
    }
    private let state = Mutex(State())

    func set(_ new: State) { state.withLock { $0 = new } }

    /// True when everything that was asked for is traced.
    var isGood: Bool { state.withLock { $0.isRunning && $0.failures.isEmpty } }

    private struct Document: Encodable {
      struct Tracer: Encodable {
        let name: String
        let isWorking: Bool
        let reason: String?
      }
      struct Exporter: Encodable {
        let name: String
        let accepted: UInt64
        let exported: UInt64
        let queued: UInt64
        let failed: [String: UInt64]
      }
      let status: String
      let tracers: [Tracer]
      let exporters: [Exporter]
    }

    /// The state as JSON.
    func json() throws -> String {
      let state = state.withLock { $0 }
      let reasons = Dictionary(state.failures.map { ($0.name, $0.reason) }) { first, _ in first }
      let document = Document(
        status: !state.isRunning ? "stopped" : state.failures.isEmpty ? "ok" : "degraded",
        tracers: state.tracers.map {
          .init(name: $0, isWorking: reasons[$0] == nil, reason: reasons[$0])
        },
        exporters: state.exporters.map {
          .init(
            name: $0.name, accepted: $0.accepted, exported: $0.exported, queued: $0.queued,
            failed: $0.failed)
        })
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      encoder.keyEncodingStrategy = .convertToSnakeCase
      return String(decoding: try encoder.encode(document), as: UTF8.self) + "\n"
    }
  }
#endif
