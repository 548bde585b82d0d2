#if OTLPExporter
  internal import EBPF
  internal import EBPFSystem
  internal import EBPFTracers

  /// Keeps the tracers of an agent below the share of a CPU that they may cost.
  ///
  /// The cost is the processor time of this process and the time that the kernel spent in its programs, on
  /// the average of an interval.
  struct AgentGovernor {
    private var governor: AveragedOverheadGovernor
    private let sources: [any TelemetrySource]
    private var before: (time: UInt64, cost: UInt64) = (0, 0)

    /// - Parameter interval: nanoseconds.
    init(limit: Double, over interval: UInt64, _ sources: [any TelemetrySource]) {
      self.sources = sources
      let means = sources.map(\.means).reduce(.init(sendsEvents: false, takesStacks: false), +)
      governor = AveragedOverheadGovernor(limit: limit, means: means, interval: interval)
    }

    /// What is left out now.
    var economy: TracerEconomy { governor.economy }

    /// Measures from now on.
    mutating func begin() throws(EBPFError) { before = try reading() }

    /// Looks at the time since the last call; what changed, in words, when something did.
    mutating func observe() throws(EBPFError) -> String? {
      let now = try reading()
      defer { before = now }
      let time = now.time - before.time
      let cost = now.cost - min(now.cost, before.cost)
      guard let step = governor.observe(nanoseconds: time, cost: cost) else { return nil }
      for source in sources { try source.economize(step.economy) }
      return "recording cost \(percent(step.cost)) of a CPU, limit \(percent(governor.limit)): "
        + text(of: step.economy)
    }

    private func reading() throws(EBPFError) -> (time: UInt64, cost: UInt64) {
      var cost = Clock.processCPU.now
      for source in sources { cost &+= try source.tracer.kernelNanoseconds() ?? 0 }
      return (Clock.monotonic.now, cost)
    }

    private func percent(_ share: Double) -> String {
      "\((share * 10_000).rounded() / 100) %"
    }

    private func text(of economy: TracerEconomy) -> String {
      if economy.isSuspended { return "nothing is recorded for now" }
      if economy.isNone { return "everything is recorded" }
      var parts: [String] = []
      if economy.minimumEventNanoseconds > 0 {
        parts.append("no events shorter than \(economy.minimumEventNanoseconds / 1000) µs")
      }
      if economy.sampling > 1 { parts.append("one event in \(economy.sampling)") }
      if !economy.takesStacks { parts.append("no stacks") }
      return parts.joined(separator: ", ")
    }
  }
#endif
