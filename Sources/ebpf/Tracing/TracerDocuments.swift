import EBPFTracers

/// `loss` of every tracer's summary.
struct LossDocument: Encodable {
  let recorded: UInt64
  let dropped: UInt64
  let truncated: UInt64
  let unresolved: UInt64
  /// Passed over because one in so many is picked; what was picked stands for it.
  let sampledOut: UInt64
  let malformed: UInt64
  /// Started processes that should have been followed and could not be.
  let unfollowed: UInt64

  init(_ statistics: TracerStatistics, unresolved: Int = 0) {
    recorded = statistics.recorded
    dropped = statistics.dropped
    truncated = statistics.truncated
    self.unresolved = UInt64(unresolved)
    sampledOut = statistics.sampledOut
    malformed = statistics.malformed
    unfollowed = statistics.unfollowed
  }
}

/// `overhead` of every tracer's summary; what could not be measured is null, with the reasons beside.
struct OverheadDocument: Encodable {
  let cpuPercent: Double
  let memoryBytes: UInt64
  let kernelNs: UInt64?
  let eventLatencyUs: Latency
  let unavailable: [String]

  struct Latency: Encodable {
    let p50: Double?
    let p99: Double?

    private enum CodingKeys: CodingKey { case p50, p99 }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(p50, forKey: .p50)
      try container.encode(p99, forKey: .p99)
    }
  }

  private enum CodingKeys: CodingKey {
    case cpuPercent, memoryBytes, kernelNs, eventLatencyUs, unavailable
  }

  init(_ cost: TracerOverhead) {
    cpuPercent = cost.cpuPercent
    memoryBytes = cost.residentBytes + (cost.mapBytes ?? 0)
    kernelNs = cost.kernelNanoseconds
    eventLatencyUs = Latency(
      p50: cost.latencyMedian.map { Double($0) / 1000 },
      p99: cost.latencyP99.map { Double($0) / 1000 })
    unavailable = cost.unavailable
  }

  // Written out so that a figure that could not be measured is null and not absent.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(cpuPercent, forKey: .cpuPercent)
    try container.encode(memoryBytes, forKey: .memoryBytes)
    try container.encode(kernelNs, forKey: .kernelNs)
    try container.encode(eventLatencyUs, forKey: .eventLatencyUs)
    try container.encode(unavailable, forKey: .unavailable)
  }
}

/// One element of `hooks`: what a need was met with, and what was tried before.
struct HookDocument: Encodable {
  let need: String
  let used: String
  let refused: [Refusal]

  struct Refusal: Encodable {
    let hook: String
    let why: String
  }

  init(_ hook: TracerHook) {
    need = hook.need
    used = hook.used
    refused = hook.refused.map { Refusal(hook: $0.hook, why: $0.why) }
  }
}
