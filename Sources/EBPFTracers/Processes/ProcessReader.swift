internal import EBPF
internal import EBPFSystem

/// Reads the process tracer's ring into its ledger.
struct ProcessReader: ~Copyable {
  private var ring: RingBuffer
  private var state: State

  private struct State {
    var ledger: ProcessLedger
    var latencies = LatencyHistogram()
    var malformed: UInt64 = 0
    var now: UInt64 = 0
  }

  init(_ map: RawMap, _ ledger: ProcessLedger) throws(EBPFError) {
    ring = try RingBuffer(map)
    state = State(ledger: ledger)
  }

  /// Which programs run.
  var ledger: ProcessLedger { state.ledger }
  /// From an event to the moment at which it was read.
  var latencies: LatencyHistogram { state.latencies }
  /// Records that are not what they should be.
  var malformed: UInt64 { state.malformed + ring.statistics.malformed }

  /// Passes what happened to `body`; how many records there were.
  mutating func drain(limit: Int, _ body: (ProcessEvent) -> Void) -> Int {
    state.now = Clock.monotonic.now
    return ring.drain(&state, limit: limit) { state, bytes in
      guard let record = ProcessRecord(record: bytes) else {
        state.malformed += 1
        return
      }
      state.latencies.record(from: record.header.time, to: state.now)
      state.ledger.take(record, body)
    }
  }

  /// Forgets programs whose process is gone.
  mutating func forgetGone() { state.ledger.forgetGone() }
}
