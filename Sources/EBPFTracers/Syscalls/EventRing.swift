internal import EBPF
internal import EBPFSystem
internal import Synchronization

/// Reads the tracer's ring: one record for each call.
struct EventRing: ~Copyable {
  private var ring: RingBuffer
  private var state = State()

  private struct State {
    var latencies = LatencyHistogram()
    var malformed: UInt64 = 0
    var now: UInt64 = 0
  }

  init(_ map: RawMap) throws(EBPFError) { ring = try RingBuffer(map) }

  /// From the return of a call to the moment its event was read.
  var latencies: LatencyHistogram { state.latencies }
  /// Records that are not what they should be.
  var malformed: UInt64 { state.malformed + ring.statistics.malformed }
  /// What to wait for.
  var descriptor: Int32 { ring.fileDescriptor }

  /// Passes every event that is there to `body`.
  mutating func drain(limit: Int, _ body: (SyscallEvent) -> Void) -> Int {
    state.now = Clock.monotonic.now
    return ring.drain(&state, limit: limit) { state, record in
      guard let event = SyscallEvent(record: record) else {
        state.malformed += 1
        return
      }
      state.latencies.record(from: event.entered &+ event.nanoseconds, to: state.now)
      body(event)
    }
  }
}

extension SyscallSession {
  /// Passes the events that have arrived; how many.
  func readEvents(limit: Int, _ body: (SyscallEvent) -> Void) -> Int {
    ring.withLock { ring in
      guard let contexts else { return ring.drain(limit: limit, body) }
      return ring.drain(limit: limit) { event in
        contexts.meet(event.process, event.processIdentity)
        body(event)
      }
    }
  }

  /// Waits until the buffer has much to read, or for a time.
  func waitForEvents(timeout: Duration) throws(EBPFError) {
    let descriptor = ring.withLock { $0.descriptor }
    do throws(Errno) { _ = try Readiness.wait(for: [descriptor], timeout: timeout) } catch {
      throw EBPFError(
        .system, "cannot wait for events",
        systemCall: .init(call: "poll", errno: error.rawValue, name: error.name))
    }
  }
}
