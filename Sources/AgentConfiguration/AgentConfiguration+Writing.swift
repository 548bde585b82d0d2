internal import EBPFTracers

extension AgentConfiguration {
  /// The configuration as YAML, with everything that is in effect, which ``init(yaml:file:environment:)``
  /// reads as the same. The values of headers, which are often secret, are stars.
  public var yaml: String {
    var writer = YAMLWriter()
    writer.line("preset", preset.rawValue)
    writer.line("interval", Quantity.text(nanoseconds: interval))
    writer.group("tracers") { tracers in
      if let profile { tracers.group("profile") { write(profile, to: &$0) } }
      if let syscalls { tracers.group("syscalls") { write(syscalls, to: &$0) } }
      if let network { tracers.group("network") { write(network, to: &$0) } }
      if let memory { tracers.group("memory") { write(memory, to: &$0) } }
      if let processes { tracers.group("processes") { write(processes, to: &$0) } }
    }
    if filter != Filter() { writer.group("filter") { write(filter, to: &$0) } }
    if let maxOverhead { writer.line("max-overhead", "\(maxOverhead * 100)%") }
    writeExport(to: &writer)
    if queueBytes != nil || spool != nil {
      writer.group("queue") { queue in
        if let queueBytes { queue.line("size", Quantity.text(bytes: queueBytes)) }
        if let spool {
          queue.group("spool") {
            $0.line("path", spool.path)
            $0.line("size", Quantity.text(bytes: spool.bytes))
          }
        }
      }
    }
    if !resource.isEmpty {
      writer.group("resource") { group in
        for (name, value) in resource.sorted(by: { $0.key < $1.key }) { group.line(name, value) }
      }
    }
    if let health {
      writer.group("health") {
        $0.line("host", health.host)
        $0.line("port", health.port)
      }
    }
    writer.line("drop-privileges", dropsPrivileges)
    return writer.text
  }

  private func write(_ profile: Profile, to group: inout YAMLWriter) {
    group.line("frequency", frequency)
    group.line("interval", Quantity.text(nanoseconds: profile.interval ?? interval))
    let stacks =
      switch profile.stacks {
      case .both: "both"
      case .user: "user"
      case .kernel: "kernel"
      }
    group.line("stacks", stacks)
    group.line("unwind-memory", Quantity.text(bytes: UInt64(profile.unwindBytes)))
    group.line("threads", profile.separatesThreads)
  }

  private func write(_ syscalls: Syscalls, to group: inout YAMLWriter) {
    let owner =
      switch syscalls.grouping {
      case .process: "process"
      case .cgroup: "cgroup"
      case .none: "machine"
      }
    group.line("by", owner)
    guard syscalls.spans.isAnyWanted else { return }
    group.group("spans") { spans in
      if let minimum = syscalls.spans.minimumNanoseconds {
        spans.line("min-latency", Quantity.text(nanoseconds: minimum))
      }
      spans.line("failed", syscalls.spans.failed)
    }
  }

  private func write(_ network: Network, to group: inout YAMLWriter) {
    group.line("spans", network.spans)
    group.line("dns", network.dns)
    group.line("drops", network.drops)
  }

  private func write(_ memory: Memory, to group: inout YAMLWriter) {
    group.line("allocations", memory.sampleBytes != nil)
    if let mean = memory.sampleBytes { group.line("sample-bytes", Quantity.text(bytes: mean)) }
  }

  private func write(_ processes: Processes, to group: inout YAMLWriter) {
    group.line("arguments", processes.arguments)
    group.line("forks", processes.forks)
  }

  private func write(_ filter: Filter, to group: inout YAMLWriter) {
    group.list("processes", filter.processes)
    if filter.followsChildren { group.line("children", true) }
    group.list("commands", filter.commands)
    group.list("cgroups", filter.cgroups)
    group.list("containers", filter.containers)
  }
}
