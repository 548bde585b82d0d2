package import EBPF

/// The life cycle of a tracer as a value: which request is allowed when, and how long was recorded.
///
/// It knows neither clocks nor threads nor the kernel; the tracer hands it times and does what the
/// accepted request means.
///
/// ```
/// idle ──start──► starting ──didStart──► running ◄──pause/resume──► paused
///   ▲                │                      └────────stop──────────────┤
///   └──didFailToStart┘                               stopped ◄─didStop─ stopping
/// ```
package struct TracerStateMachine: Sendable, Hashable {
  /// Where in its life a tracer is.
  package enum State: Sendable, Hashable {
    /// Made, nothing attached.
    case idle
    /// Loading and attaching.
    case starting
    /// Recording since a time, in nanoseconds of the monotonic clock.
    case running(since: UInt64)
    /// Attached, recording nothing.
    case paused
    /// Detaching and collecting.
    case stopping
    /// Results taken; a tracer is used once.
    case stopped
  }

  /// Where in its life the tracer is now.
  package private(set) var state = State.idle
  /// What was recorded before the current run began, in nanoseconds.
  private var recordedBefore: UInt64 = 0

  package init() {}

  /// Asks to start.
  package mutating func start() throws(EBPFError) {
    guard state == .idle else { throw refused("start") }
    state = .starting
  }

  /// Reports that everything is attached.
  package mutating func didStart(at time: UInt64) {
    precondition(state == .starting, "didStart in \(state)")
    state = .running(since: time)
  }

  /// Reports that starting failed and everything was rolled back; start may be tried again.
  package mutating func didFailToStart() {
    precondition(state == .starting, "didFailToStart in \(state)")
    state = .idle
  }

  /// Asks to record nothing until resumed.
  package mutating func pause(at time: UInt64) throws(EBPFError) {
    guard case .running(let since) = state else { throw refused("pause") }
    recordedBefore += elapsed(since, time)
    state = .paused
  }

  /// Asks to record again.
  package mutating func resume(at time: UInt64) throws(EBPFError) {
    guard state == .paused else { throw refused("resume") }
    state = .running(since: time)
  }

  /// Asks to detach and collect.
  package mutating func stop(at time: UInt64) throws(EBPFError) {
    switch state {
    case .running(let since): recordedBefore += elapsed(since, time)
    case .paused: break
    case .idle, .starting, .stopping, .stopped: throw refused("stop")
    }
    state = .stopping
  }

  /// Reports that the results were taken.
  package mutating func didStop() {
    precondition(state == .stopping, "didStop in \(state)")
    state = .stopped
  }

  /// How long was recorded up to `time`, pauses left out, in nanoseconds.
  package func recorded(at time: UInt64) -> UInt64 {
    guard case .running(let since) = state else { return recordedBefore }
    return recordedBefore + elapsed(since, time)
  }

  private func elapsed(_ start: UInt64, _ end: UInt64) -> UInt64 { end > start ? end - start : 0 }

  private func refused(_ request: String) -> EBPFError {
    EBPFError(
      .invalidState, "cannot \(request) a tracer that is \(state.name)", hint: hint(request))
  }

  private func hint(_ request: String) -> String {
    switch (state, request) {
    case (.stopped, _): "a tracer is used once; make a new one"
    case (.idle, _): "call start() first"
    case (.running, "start"), (.paused, "start"): "it is already started"
    case (.running, _): "only a paused tracer can be resumed"
    case (.paused, _): "call resume() first"
    case (.starting, _), (.stopping, _): "wait until the call in progress returns"
    }
  }
}

extension TracerStateMachine.State {
  /// The word a person reads.
  package var name: String {
    switch self {
    case .idle: "not started"
    case .starting: "starting"
    case .running: "running"
    case .paused: "paused"
    case .stopping: "stopping"
    case .stopped: "stopped"
    }
  }
}
