internal import EBPF
internal import EBPFSystem
internal import Synchronization

/// One life of a tracer: which request is allowed when, and the session between start and stop.
///
/// Every tracer has one and hands its requests on, so that all of them behave alike. Safe to share
/// between threads: requests wait for each other.
final class TracerLifeCycle<Session: TracerSession>: Sendable {
  private struct State {
    var machine = TracerStateMachine()
    var session: Session?
  }
  private let state = Mutex(State())

  /// Makes the session. When that fails nothing is left, and start may be tried again.
  func start(_ make: () throws(EBPFError) -> Session) throws(EBPFError) {
    try state.withLock { (state) throws(EBPFError) in
      try state.machine.start()
      do throws(EBPFError) {
        let session = try make()
        state.machine.didStart(at: session.recordingSince)
        state.session = session
      } catch {
        state.machine.didFailToStart()
        throw error
      }
    }
  }

  func pause() throws(EBPFError) {
    try state.withLock { (state) throws(EBPFError) in
      var machine = state.machine
      try machine.pause(at: Clock.monotonic.now)
      try state.session?.setPaused(true)
      state.machine = machine
    }
  }

  func resume() throws(EBPFError) {
    try state.withLock { (state) throws(EBPFError) in
      var machine = state.machine
      try machine.resume(at: Clock.monotonic.now)
      try state.session?.setPaused(false)
      state.machine = machine
    }
  }

  func stop() throws(EBPFError) -> Session.Result {
    try state.withLock { (state) throws(EBPFError) in
      let now = Clock.monotonic.now
      try state.machine.stop(at: now)
      guard let session = state.session else {
        preconditionFailure("a tracer that can be stopped has a session")
      }
      defer {
        session.unload()
        state.session = nil
        state.machine.didStop()
      }
      return try session.finish(recordedNanoseconds: state.machine.recorded(at: now))
    }
  }

  /// All zero before start and after stop.
  func statistics() throws(EBPFError) -> TracerStatistics {
    try state.withLock { (state) throws(EBPFError) in
      guard let session = state.session else { return TracerStatistics() }
      var statistics = try session.statistics()
      statistics.recordedNanoseconds = state.machine.recorded(at: Clock.monotonic.now)
      return statistics
    }
  }

  /// Runs `body` with the session; refused before start and after stop. Other requests may run
  /// meanwhile: a session is safe to share.
  func withSession<Value>(
    _ request: String, _ body: (Session) throws(EBPFError) -> Value
  ) throws(EBPFError) -> Value {
    let (session, state) = state.withLock { ($0.session, $0.machine.state) }
    guard let session else {
      throw EBPFError(
        .invalidState, "cannot \(request) a tracer that is \(state.name)",
        hint: "ask while it runs; the result of stop() has the final figures")
    }
    return try body(session)
  }

  /// What `body` makes of the session; nil before start and after stop.
  func ifRunning<Value>(_ body: (Session) -> Value) -> Value? {
    state.withLock { $0.session }.map(body)
  }

  func overhead() throws(EBPFError) -> TracerOverhead {
    try withSession("measure") { (session) throws(EBPFError) in try session.overhead() }
  }

  func kernelNanoseconds() throws(EBPFError) -> UInt64? {
    try withSession("measure") { (session) throws(EBPFError) in try session.kernelNanoseconds() }
  }

  func economize(_ economy: TracerEconomy) throws(EBPFError) {
    try withSession("economize on") { (session) throws(EBPFError) in
      try session.economize(economy)
    }
  }

  var isPaused: Bool { state.withLock { $0.machine.state == .paused } }
}
