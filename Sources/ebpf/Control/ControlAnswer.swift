import ControlProtocol
import EBPF
import EBPFTracers

/// What the control socket answers: one line of JSON, or an ``ErrorDocument``.
struct ControlAnswer: Encodable {
  let request: String
  /// What is left out to stay below `--max-overhead`; absent without it.
  let economy: EconomyDocument?
  var tracers: [String: Part] = [:]

  /// What is told of one tracer; for `stats` and `overhead` with the keys of its `--json`.
  struct Part: Encodable {
    let state: String
    var durationNs: UInt64?
    var totals: AnyDocument?
    var loss: LossDocument?
    var overhead: OverheadDocument?

    init(_ tracer: RunningTracer, _ verb: ControlRequest.Verb) throws(EBPFError) {
      state = tracer.state
      if verb == .stats {
        let statistics = try tracer.tracer.statistics()
        durationNs = statistics.recordedNanoseconds
        loss = LossDocument(statistics)
        totals = AnyDocument(try tracer.totals())
      }
      if verb == .stats || verb == .overhead {
        overhead = OverheadDocument(try tracer.tracer.overhead())
      }
    }
  }
}

/// A document of some type.
struct AnyDocument: Encodable {
  private let value: any Encodable
  init(_ value: any Encodable) { self.value = value }
  func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
}
