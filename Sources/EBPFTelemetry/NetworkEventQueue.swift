public import EBPFTracers
internal import Synchronization

/// What a network tracer tells until somebody takes it; never more than a limit.
///
/// ```swift
/// let queue = NetworkEventQueue()
/// let tracer = NetworkTracer(configuration, listener: queue.listener)
/// …
/// telemetry.addAll(of: queue)
/// ```
public final class NetworkEventQueue: Sendable {
  private struct State {
    var events: [NetworkEvent] = []
    var dropped: UInt64 = 0
  }
  private let state = Mutex(State())
  private let limit: Int

  /// An empty queue.
  public init(limit: Int = 100_000) { self.limit = limit }

  /// What to give to the tracer. Keeps the ends of connections and queries, which is what telemetry is
  /// made of.
  public var listener: @Sendable ([NetworkEvent]) -> Void {
    { [self] events in
      state.withLock { state in
        for event in events {
          switch event {
          case .connected, .accepted, .retransmitted: continue
          case .closed, .failed, .query: break
          }
          if state.events.count < limit { state.events.append(event) } else { state.dropped += 1 }
        }
      }
    }
  }

  /// What has come since the last time, and how many events found no room.
  public func take() -> (events: [NetworkEvent], dropped: UInt64) {
    state.withLock { state in
      defer { state = State() }
      return (state.events, state.dropped)
    }
  }
}
