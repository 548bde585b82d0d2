import Synchronization

@testable import OTLPExporter

/// A clock that stands still until a test moves it.
final class TestClock: ExporterClock {
  private struct State {
    var now: Duration = .seconds(1000)
    var wall: Int64 = 1_700_000_000
    var sleepers: [Int: (deadline: Duration, continuation: CheckedContinuation<Void, any Error>)] =
      [:]
    var cancelled: Set<Int> = []
    var next = 0
  }

  private let state = Mutex(State())
  /// The deadlines of those who begin to sleep.
  let sleeps: AsyncStream<Duration>
  private let begins: AsyncStream<Duration>.Continuation

  init() { (sleeps, begins) = AsyncStream.makeStream() }

  var monotonic: Duration { state.withLock(\.now) }
  var wallSeconds: Int64 { state.withLock(\.wall) }

  /// Sets the wall clock, as an administrator or NTP does.
  func setWall(_ seconds: Int64) { state.withLock { $0.wall = seconds } }

  /// Moves time forward and wakes whoever waited for that.
  func advance(to time: Duration) {
    let due = state.withLock { state in
      state.now = max(state.now, time)
      let due = state.sleepers.filter { $0.value.deadline <= state.now }
      for key in due.keys { state.sleepers[key] = nil }
      return due.values.map(\.continuation)
    }
    due.forEach { $0.resume() }
  }

  func sleep(until deadline: Duration) async throws {
    let id = state.withLock { state in
      state.next += 1
      return state.next
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result = state.withLock { state -> Result<Void, any Error>? in
          if state.cancelled.contains(id) { return .failure(CancellationError()) }
          if deadline <= state.now { return .success(()) }
          state.sleepers[id] = (deadline, continuation)
          return nil
        }
        if let result { continuation.resume(with: result) } else { begins.yield(deadline) }
      }
    } onCancel: {
      let sleeper = state.withLock { state in
        state.cancelled.insert(id)
        return state.sleepers.removeValue(forKey: id)
      }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }
}
