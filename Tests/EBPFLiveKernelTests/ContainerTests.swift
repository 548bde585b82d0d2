import EBPF
import EBPFTracers
import Glibc
import Profiles
import TestSupport
import Testing

/// Containers as the tracers see them, with a real one of Podman and runc.
@Suite(.serialized) struct ContainerTests {
  @Test func `every tracer sees one container only, exactly, and knows which`() throws {
    let container = try Container(
      "/syscalls & /memory & /network & wait", workloads: ["syscalls", "memory", "network"],
      capabilities: ["SYS_ADMIN", "NET_ADMIN"])
    let outside = try StoppedProcess(workload: "syscalls")
    let inside = try container.stopped(["syscalls", "memory", "network"])
    var filter = TracerFilter()
    let identity = try filter.addContainer(String(container.id.prefix(12)))
    #expect(identity == ContainerIdentity(id: container.id, runtime: .podman))
    #expect(filter.cgroups.count >= 1 && filter.processes.isEmpty)

    var calls = SyscallTracerConfiguration()
    calls.filter = filter
    let syscalls = SyscallTracer(calls)
    var connections = NetworkTracerConfiguration()
    connections.filter = filter
    let network = NetworkTracer(connections)
    var growth = MemoryTracerConfiguration()
    growth.filter = filter
    growth.allocations = .none
    let memory = MemoryTracer(growth)
    var samples = CPUProfilerConfiguration()
    samples.filter = filter
    let profiler = CPUProfiler(samples)
    try syscalls.start()
    try network.start()
    try memory.start()
    try profiler.start()
    let directory = CgroupDirectory()
    directory.refresh()
    for process in inside.values { kill(process, SIGCONT) }
    #expect(try outside.finish() == 0)
    for process in inside.values { try container.waitForEnd(of: process) }

    // What the groups were called is asked for when they are gone.
    func isInside(_ cgroup: UInt64?) -> Bool {
      cgroup.flatMap { directory.place(of: $0) }?.container == identity
    }
    let profile = try profiler.stop().profile
    #expect(profile.processes.allSatisfy { isInside($0.cgroup) }, "\(profile.processes)")
    let growths = try memory.stop().processes
    #expect(growths.contains { $0.process == inside["memory"] })
    #expect(growths.allSatisfy { isInside($0.cgroup) && $0.process != outside.id })
    let activity = try network.stop()
    #expect(activity.totals.connects == 50 && activity.totals.bytesSent == 1_020_360)
    #expect(activity.connections.allSatisfy { $0.process?.id == inside["network"] })
    #expect(activity.connections.allSatisfy { isInside($0.process?.cgroup) })
    let summary = try syscalls.stop()
    var counts: [Int32: UInt64] = [:]
    for cell in summary.matrix {
      guard case .process(let id, _, _) = cell.owner else { continue }
      counts[id, default: 0] += cell.count
      #expect(isInside(summary.cgroups[cell.owner]))
    }
    #expect(inside["syscalls"].map { counts[$0] } == 111_001)
    #expect(counts[outside.id] == nil)
  }

  @Test func `a group that is gone keeps its name for who saw it`() throws {
    let directory = CgroupDirectory()
    var id: UInt64?
    do {
      let container = try Container("kill -STOP $$; sleep 1000")
      var filter = TracerFilter()
      try filter.addContainer(container.id)
      id = filter.cgroups.first
      directory.refresh()
    }
    let group = try #require(id)
    let place = try #require(directory.place(of: group))
    #expect(place.container?.runtime == .podman)
    #expect(CgroupDirectory().place(of: group)?.container == nil)
  }

  @Test func `a container that is not there is an error that names those that are`() throws {
    let container = try Container("kill -STOP $$; sleep 1000")
    var filter = TracerFilter()
    let error = #expect(throws: EBPFError.self) { try filter.addContainer("zz") }
    #expect(error?.code == .notFound)
    #expect(error?.message == "no running container's id begins with 'zz'")
    #expect(error?.hint?.contains(container.id.prefix(12)) == true)
    #expect(filter == TracerFilter())
    #expect(throws: EBPFError.self) { try filter.addContainer("") }
  }
}
