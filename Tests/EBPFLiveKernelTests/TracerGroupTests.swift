import EBPF
import EBPFSystem
import EBPFTracers
import TestSupport
import Testing

/// Several tracers with one life.
@Suite(.serialized) struct TracerGroupTests {
  private func descriptors() throws -> Int { try FileSystem.entries("/proc/self/fd").count }

  @Test func `when one cannot start, none has`() throws {
    let before = try descriptors()
    let memory = MemoryTracer()
    var impossible = CPUProfilerConfiguration()
    impossible.frequency = 0
    let group = TracerGroup(
      profiler: CPUProfiler(impossible), network: NetworkTracer(), memory: memory)
    let error = #expect(throws: EBPFError.self) { try group.start() }
    #expect(error?.message == "cannot sample 0 times a second")
    #expect(try descriptors() == before, "what had started is given back")
    #expect(throws: EBPFError.self) { try memory.resume() }
    #expect(throws: EBPFError.self) { try group.stop() }
  }

  @Test func `all pause and resume at once, and each has its own result`() throws {
    let before = try descriptors()
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
    // What another test gave back may have been there still at the start.
    #expect(try descriptors() <= before)
  }
}
