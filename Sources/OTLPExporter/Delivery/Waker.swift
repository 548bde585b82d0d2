internal import Synchronization

/// Lets one task wait until another has something for it. A call to ``wake()`` is never lost: when
/// nobody waits, the next ``wait()`` returns at once.
final class Waker: Sendable {
  private enum State {
    case idle
    case woken
    case waiting(CheckedContinuation<Void, Never>)
  }

  private let state = Mutex(State.idle)

  func wake() {
    let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
      defer { if case .waiting = state { state = .idle } else { state = .woken } }
      if case .waiting(let continuation) = state { return continuation }
      return nil
    }
    continuation?.resume()
  }

  /// Returns when woken, or when the task is cancelled.
  func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDue = state.withLock { state -> Bool in
          if case .idle = state, !Task.isCancelled {
            state = .waiting(continuation)
            return false
          }
          if case .woken = state { state = .idle }
          return true
        }
        if isDue { continuation.resume() }
      }
    } onCancel: {
      wakeWaiting()
    }
  }

  /// Ends a wait without leaving a trace for the next one.
  private func wakeWaiting() {
    let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard case .waiting(let continuation) = state else { return nil }
      state = .idle
      return continuation
    }
    continuation?.resume()
  }
}
