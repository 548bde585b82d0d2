import EBPF
import EBPFSystem
import EBPFTracers
import TestSupport
import Testing

/// Several tracers with one life.
@Suite(.serialized) struct TracerGroupTests {
  @Test func `when one cannot start, none has`() throws {
    let before = try OpenDescriptors.count()
    let memory = MemoryTracer()
    var impossible = CPUProfilerConfiguration()
    impossible.frequency = 0
    let group = TracerGroup(
      profiler: CPUProfiler(impossible), network: NetworkTracer(), memory: memory)
    let error = #expect(throws: EBPFError.self) { try group.start() }
    #expect(error?.message == "cannot sample 0 times a second")
    // What had started is given back.
    try OpenDescriptors.expectNoMore(than: before)
    #expect(throws: EBPFError.self) { try memory.resume() }
    #expect(throws: EBPFError.self) { try group.stop() }
  }

  @Test func `all pause and resume at once, and each has its own result`() throws {
    let before = try OpenDescriptors.count()
    let child = try StoppedProcess(workload: "rounds", ["3", "1000"])
    var filter = TracerFilter()
    filter.processes = [child.id]
    let syscalls = SyscallTracer()
    let group = TracerGroup(
      profiler: CPUProfiler(), syscalls: syscalls, network: NetworkTracer(), memory: MemoryTracer())
    try group.start()
    #expect(throws: EBPFError.self) { try group.start() }
    try group.setFilter(filter)
    try syscalls.filterSyscall("getppid", enabled: true)
    try child.resumeUntilStopped()
    try group.pause()
    #expect(group.isPaused && group.members.allSatisfy(\.isPaused))
    try child.resumeUntilStopped()
    try group.resume()
    #expect(group.members.allSatisfy { !$0.isPaused })
    try child.finish()
    let statistics = try group.statistics()
    let parts = try group.members.map { try $0.statistics().recorded }
    #expect(statistics.recorded >= 2_000 && statistics.recorded <= parts.reduce(0, +))
    let cost = try group.overhead()
    #expect((cost.mapBytes ?? 0) > 0 && cost.kernelNanoseconds != nil)
    // One that was paused on its own does not keep the group from ending.
    try group.memory?.pause()
    let results = try group.stop()
    let cells = try #require(results.syscalls).matrix.filter { cell in
      guard case .process(child.id, _, _) = cell.owner else { return false }
      return cell.call.name == "getppid"
    }
    #expect(cells.map(\.count) == [2_000])
    #expect(results.profile != nil && results.network != nil && results.memory != nil)
    try OpenDescriptors.expectNoMore(than: before)
  }

  /// Those of the kernel's programs, or maps, that have a name.
  private func ids(_ what: String, _ name: String) throws -> Set<Substring> {
    Set(
      try Command.output(["bpftool", what, "show"]).split(separator: "\n").compactMap { line in
        let words = line.split(whereSeparator: \.isWhitespace)
        return words.contains(name[...]) ? words.first : nil
      })
  }

  @Test
  func `members with one filter have one list, and one pair of programs follows what is in it`()
    throws
  {
    let child = try StoppedProcess(workload: "many_calls", ["300", "40", "3"])
    var filter = TracerFilter()
    filter.follow(child.id)
    var calls = SyscallTracerConfiguration()
    calls.filter = filter
    calls.results.errnos = [38]
    var profile = CPUProfilerConfiguration()
    profile.filter = filter
    var network = NetworkTracerConfiguration()
    network.filter = filter
    var memory = MemoryTracerConfiguration()
    memory.filter = filter
    let group = TracerGroup(
      profiler: CPUProfiler(profile), syscalls: SyscallTracer(calls),
      network: NetworkTracer(network), memory: MemoryTracer(memory))
    let objects = [("map", "pid_filter"), ("prog", "follow_fork"), ("prog", "follow_exit")]
    let before = try objects.map { try ids($0.0, $0.1) }
    try group.start()
    for (object, ids) in zip(try objects.map { try ids($0.0, $0.1) }, before) {
      #expect(object.subtracting(ids).count == 1)
    }
    #expect(try group.overhead().programs.count { $0.name.hasPrefix("follow_") } == 2)
    #expect(try child.finish() == 0)
    #expect(try group.statistics().unfollowed == 0)
    let results = try group.stop()
    let matrix = try #require(results.syscalls).matrix
    #expect(matrix.count == 12_000 && matrix.allSatisfy { $0.count == 3 })
    let processes = try #require(results.memory).processes
    #expect(Set(processes.map(\.process)).count >= 300)
    let hooks = [results.syscalls?.hooks, results.network?.hooks, results.memory?.hooks]
      .compactMap(\.self)
    #expect(
      hooks.allSatisfy { hooks in
        hooks.contains { $0.need == "started processes" && $0.used == "raw_tp/sched_process_fork" }
      })
  }

  @Test func `another filter is in force for all members at once`() throws {
    let first = try StoppedProcess(workload: "rounds", ["2", "1000"])
    let second = try StoppedProcess(workload: "rounds", ["2", "1000"])
    var filter = TracerFilter()
    filter.processes = [first.id]
    var calls = SyscallTracerConfiguration()
    calls.filter = filter
    try calls.selection.set("getppid", enabled: true)
    var network = NetworkTracerConfiguration()
    network.filter = filter
    let group = TracerGroup(syscalls: SyscallTracer(calls), network: NetworkTracer(network))
    try group.start()
    try first.resumeUntilStopped()
    try second.resumeUntilStopped()
    filter.processes = [second.id]
    try group.setFilter(filter)
    try first.finish()
    try second.finish()
    let counts = try #require(try group.stop().syscalls).matrix
      .filter { $0.call.name == "getppid" }
    #expect(counts.map(\.count) == [1000, 1000])
    #expect(
      Set(counts.map(\.owner)).count == 2, "each process has the round in which it was wanted")
  }

  /// The names of attached programs, as bpftool has them: those of tracepoints of all system calls, and
  /// those of some calls.
  private func programsAtCalls() throws -> (all: [String], some: [String]) {
    let links = try Command.output(["bpftool", "link", "show"]).split(separator: "\n")
    var attached: Set<Substring> = []
    for line in links {
      let words = line.split(whereSeparator: \.isWhitespace)
      if let place = words.firstIndex(of: "prog"), place + 1 < words.count {
        attached.insert(words[place + 1])
      }
    }
    var all: [String] = []
    var some: [String] = []
    for line in try Command.output(["bpftool", "prog", "show"]).split(separator: "\n") {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard let id = words.first?.dropLast(), attached.contains(id),
        let place = words.firstIndex(of: "name"), place + 1 < words.count
      else { continue }
      let name = String(words[place + 1])
      if Self.atAllCalls.contains(name) { all.append(name) }
      if Self.atSomeCalls.contains(name) { some.append(name) }
    }
    return (all.sorted(), some.sorted())
  }

  private static let atAllCalls: Set = [
    "enter_typed", "exit_typed", "enter_raw", "exit_raw", "memory_call_enter", "memory_call_exit",
    "memory_compat_enter", "memory_compat_exit", "network_exit_raw",
  ]
  private static let atSomeCalls: Set = [
    "memory_mmap_exit", "memory_munmap_exit", "memory_mremap_exit", "memory_break_enter",
    "memory_break_exit", "network_accept_exit", "network_accept4_exit", "network_connect_exit",
  ]

  /// An empty program more at sys_enter or sys_exit adds 60 to 100 ns to every call of the machine.
  @Test func `of four tracers only the one of system calls has programs at all of them`() throws {
    let before = try programsAtCalls()
    let group = TracerGroup(
      profiler: CPUProfiler(), syscalls: SyscallTracer(), network: NetworkTracer(),
      memory: MemoryTracer())
    try group.start()
    let during = try programsAtCalls()
    // One that is paused leaves the others theirs.
    try group.memory?.pause()
    #expect(try programsAtCalls().all == during.all)
    let results = try group.stop()
    #expect(during.all == (before.all + ["enter_typed", "exit_typed"]).sorted())
    #expect(during.some == (before.some + Self.atSomeCalls).sorted())
    let used = [results.syscalls?.hooks, results.network?.hooks, results.memory?.hooks]
      .compactMap(\.self).joined().map(\.used)
    #expect(used.count { $0.contains("/sys_exit") && !$0.contains("/sys_exit_") } == 1)
    let after = try programsAtCalls()
    #expect(after.all == before.all && after.some == before.some)
  }
}
