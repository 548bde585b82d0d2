/// The way requests of one signal reach a receiver.
protocol Transport: Sendable {
  /// Hands over a request, given as protobuf. Ends early when the task is cancelled.
  func send(_ bytes: [UInt8]) async -> DeliveryOutcome
  /// Closes connections.
  func close() async
}

/// What became of a request that was given to an exporter.
public enum Receipt: Sendable, Hashable {
  /// It waits in memory, or was written.
  case accepted
  /// It is in a file: it survives the end of this process by whatever cause, but what is written in the
  /// last seconds before a machine stops may not.
  case spooled
  /// It, or a part of it, was given up at once; ``DeliveryStatistics`` counts it.
  case dropped(DropReason)
}
