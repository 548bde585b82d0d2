import ArgumentParser
import EBPF
import EBPFTracers

/// The commands that `ebpf trace` stands for: each tracer is configured, and reports, as its own
/// command does.
struct TraceParts {
  var profile: ProfileCommand?
  var syscalls: SyscallsCommand?
  var network: NetworkCommand?
  var memory: MemoryCommand?
  private let order: [TracerNames.Name]

  init(_ command: TraceCommand) throws {
    let names = command.tracers
    let common = command.tracing.arguments
    let top = ["--top", String(command.top)]
    func file(_ name: String) -> [String] {
      command.output.map { ["-o", "\($0)/\(name)"] } ?? []
    }
    order = names.names
    if names.contains(.profile) {
      let options = top + ["--max-samples", "0"] + file("profile.html")
      profile = try ProfileCommand.parse(options + common)
    }
    if names.contains(.syscalls) {
      syscalls = try SyscallsCommand.parse(top + common)
    }
    if names.contains(.network) {
      network = try NetworkCommand.parse(top + common)
    }
    if names.contains(.memory) {
      var options = top + file("memory.html")
      if command.exact { options.append("--exact") }
      if command.allocations { options.append("--allocations") }
      memory = try MemoryCommand.parse(options + common)
    }
  }

  /// What each tracer is made with.
  struct Configurations {
    var profile: CPUProfilerConfiguration?
    var syscalls: SyscallTracerConfiguration?
    var network: NetworkTracerConfiguration?
    var memory: MemoryTracerConfiguration?

    /// The tracers, for the process of a command if there is one.
    func group(following child: Int32?, program: String?) -> TracerGroup {
      let sharing = TracerSharing()
      func filter(_ filter: TracerFilter) -> TracerFilter {
        var filter = filter
        if let child { filter.follow(child) }
        return filter
      }
      var all = self
      all.profile?.filter = filter(profile?.filter ?? TracerFilter())
      all.syscalls?.filter = filter(syscalls?.filter ?? TracerFilter())
      all.network?.filter = filter(network?.filter ?? TracerFilter())
      all.memory?.filter = filter(memory?.filter ?? TracerFilter())
      return TracerGroup(
        profiler: all.profile.map { CPUProfiler($0, sharing: sharing) },
        syscalls: all.syscalls.map { SyscallTracer($0) },
        network: all.network.map { NetworkTracer($0) },
        memory: all.memory.map { MemoryTracer($0, program: program, sharing: sharing) })
    }
  }

  func configurations() throws(EBPFError) -> Configurations {
    Configurations(
      profile: try profile?.configuration(), syscalls: try syscalls?.configuration(),
      network: try network?.configuration(), memory: try memory?.configuration())
  }

  /// The reports, in the order in which the tracers were named.
  func reports(
    _ results: TracerGroup.Results, _ containers: ContainerNames?
  ) -> [any TracerReport] {
    order.compactMap { name -> (any TracerReport)? in
      switch name {
      case .profile:
        guard let profile, let result = results.profile else { return nil }
        return ProfileReport(result, command: profile, containers: containers, economy: nil)
      case .syscalls:
        guard let syscalls, let result = results.syscalls else { return nil }
        return SyscallsReport(result, command: syscalls, containers: containers, economy: nil)
      case .network:
        guard let network, let result = results.network else { return nil }
        return NetworkReport(result, command: network, containers: containers, economy: nil)
      case .memory:
        guard let memory, let result = results.memory else { return nil }
        return MemoryReport(result, command: memory, containers: containers, economy: nil)
      }
    }
  }
}

extension TracerOptions {
  /// The options that say whose events are recorded and how they are shown, as they were given.
  var arguments: [String] {
    var words: [String] = []
    for process in pid { words += ["--pid", String(process)] }
    if children { words.append("--children") }
    for name in comm { words.append("--comm=\(name)") }
    for path in cgroup { words.append("--cgroup=\(path)") }
    for id in container { words.append("--container=\(id)") }
    if containers { words.append("--containers") }
    if json { words.append("--json") }
    if let maxOverhead { words += ["--max-overhead", String(maxOverhead.share * 100)] }
    return command.isEmpty ? words : words + ["--"] + command
  }
}
