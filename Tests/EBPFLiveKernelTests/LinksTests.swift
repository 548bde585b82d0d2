@testable import EBPF
import EBPFSystem
import Glibc
import TestSupport
import Testing

/// Capabilities 10 and 11.
///
/// Each in a process of its own: a child that another test is just starting shares this process's
/// descriptors until it runs its program, and would keep a link alive that was closed here.
@Suite struct LinksTests {
  @Test func `Capability 10: one is detached by name and its count freezes; the other goes on`()
    async
  {
    await #expect(processExitsWith: .success) { try LinksTests.detachOne() }
  }

  @Test func `Capability 11: all are detached although one fails, which is reported`() async {
    await #expect(processExitsWith: .success) { try LinksTests.detachAll() }
  }

  private static func call(_ count: Int) { for _ in 0..<count { getppid() } }

  private static func detachOne() throws {
    let raw = try SyscallCounts("count_raw_tp.bpf.o")
    let typed = try SyscallCounts("count_tp_btf.bpf.o")
    let links = Links()
    for (name, counts) in [("raw", raw), ("typed", typed)] {
      try counts.object.setVariable("target_tgid", to: getpid())
      let program = try counts.object.program("count_enter")
      try links.attach(program, to: program.sectionPoint(), as: name)
    }
    // Nothing else in this process asks for its parent.
    call(50_000)
    try links.detach("raw")
    #expect(links.names == ["typed"])
    call(50_000)
    #expect(try raw.enters(110) == 50_000)
    #expect(try typed.enters(110) == 100_000)

    let program = try raw.object.program("count_enter")
    #expect(try program.information().id == program.id)
    try links.attach(program, to: .rawTracepoint("sys_enter"), as: "raw")
    call(1_000)
    #expect(try raw.enters(110) == 51_000)

    let unknown = try #require(throws: EBPFError.self) { try links.detach("ra") }
    #expect(unknown.code == .notFound)
    #expect(unknown.hint == "did you mean 'raw'?")
    let taken = try #require(throws: EBPFError.self) {
      try links.attach(program, to: .rawTracepoint("sys_enter"), as: "raw")
    }
    #expect(taken.code == .exists)
    #expect(links.detachAll().isEmpty)
    call(1_000)
    #expect(try raw.enters(110) == 51_000)
    #expect(try typed.enters(110) == 101_000)
  }

  private static func detachAll() throws {
    let raw = try SyscallCounts("count_raw_tp.bpf.o")
    let typed = try SyscallCounts("count_tp_btf.bpf.o")
    let plain = try SyscallCounts("count_tracepoint.bpf.o")
    let sampling = try LoadedObject(LoadedObjectTests.object("perf_event_count.bpf.o"))
    let child = try StoppedProcess(workload: "memory")
    let memory = try MallocCounts("count_uprobe.bpf.o", target: child.id)
    let links = Links()
    for (name, counts) in [("raw", raw), ("typed", typed), ("plain", plain)] {
      try counts.object.setVariable("target_tgid", to: child.id)
      let program = try counts.object.program("count_enter")
      try links.attach(program, to: program.sectionPoint(), as: name)
    }
    try links.attach(
      sampling.program("count"), to: .perfEvent(.cpuClock(hz: 99), on: .process(child.id)),
      as: "clock")
    try links.attach(
      memory.object.program("malloc_entry"),
      to: .uprobe(.library("libc.so.6"), symbol: "malloc", process: child.id), as: "malloc")
    // The older way leaves a line in tracefs, which nobody can take out while somebody uses it.
    let tracefs = try Tracefs.mounted()
    let free = try memory.object.program("free_entry")
    let point = AttachPoint.uprobe(.library("libc.so.6"), symbol: "free", process: child.id)
    let link = try free.attachThroughTracefs(point)
    let attachment = link.attachment
    let probe = try #require(attachment.probes.first)
    try links.insert(link, as: "free")
    var request = PerfEventRequest(
      type: 2, config: try tracefs.id(category: probe.group, name: probe.name))
    request.flags = .disabled
    do {
      let user = try LiveKernel().openPerfEvent(request, process: child.id, cpu: -1, flags: 0)
      let failures = links.detachAll()
      #expect(failures.count == 1)
      #expect(failures.first?.systemCall?.name == "EBUSY")
      #expect(failures.first?.context.contains(.other("link", "free")) == true)
      _ = consume user
    }
    #expect(links.names.isEmpty)
    #expect(try child.finish() == 0)
    #expect(try raw.totals() == [0, 0, 0])
    #expect(try typed.totals() == [0, 0, 0])
    #expect(try plain.totals() == [0, 0, 0])
    #expect(try sampling.variable("total", as: UInt64.self) == 0)
    #expect(try memory.totals() == [0, 0, 0, 0, 0, 0, 0, 0])
    // The kernel lets go of the event after a grace period.
    try Kernel.eventually {
      do throws(EBPFError) { try probe.remove() } catch { return false }
      return true
    }
  }
}

extension Program {
  /// The way that is used where the kernel has no performance unit for probes.
  func attachThroughTracefs(_ point: AttachPoint) throws -> Link {
    guard case .uprobe(let probe) = point.kind else {
      throw EBPFError(.invalidArgument, "\(point) is no uprobe")
    }
    let target = try UserProbeTarget(probe)
    var request = ProbeRequest(
      unit: "uprobe", name: target.path, offset: try target.fileOffset(of: probe.location),
      atReturn: probe.atReturn)
    request.process = probe.process ?? -1
    return try withDescriptor { (descriptor) throws(EBPFError) -> Link in
      let attacher = Attacher(program: self, descriptor: descriptor, point: point)
      let attached = try attacher.attachThroughTracefs(request, after: []) { _, _ in nil }
      return attacher.link(Attachment(attached.parts), by: attached.mechanism)
    }
  }
}
