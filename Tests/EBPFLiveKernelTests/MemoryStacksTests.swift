import EBPF
import EBPFTracers
import Profiles
import TestSupport
import Testing

/// Whose allocation it is: stacks through code with and without frame pointers.
@Suite(.serialized) struct MemoryStacksTests: AllocationTracing {
  private func callers(_ recording: MemoryRecording) -> Set<[String]> {
    let profile = recording.profile
    return Set(
      recording.blocks.map { block in
        profile.stacks[block.stack].map { profile.frames[$0].name ?? "?" }
      })
  }

  private func hook(_ recording: MemoryRecording) throws -> TracerHook {
    try #require(recording.hooks.first { $0.need == "user stacks" })
  }

  /// The second has frame pointers, but not the library with operator new.
  @Test(arguments: [
    ("callers", []), ("callers-static", []), ("callers-new", ["operator new(unsigned long)"]),
  ])
  func `each block has all its callers, where code has no frame pointers`(
    workload: String, allocator: [String]
  ) throws {
    // A page fault may have its leaf in code that the kernel has put beside a probed instruction.
    let recording = try record(workload, ["500"]) { $0.faultPeriod = 0 }
    #expect(recording.totals.allocations == 500 && recording.blocks.count == 500)
    let stacks = callers(recording)
    #expect(stacks.count == 1)
    let stack = try #require(stacks.first)
    #expect(
      Array(stack.prefix(allocator.count + 4)) == allocator + ["inner", "middle", "outer", "main"])
    #expect(stack.last == "_start")
    let walks = try #require(recording.walks)
    #expect(walks.total >= 500 && walks.complete == walks.total, "\(walks.failures)")
    #expect(recording.statistics.truncated == 0)
    let hook = try hook(recording)
    #expect(hook.used == "unwind tables (.eh_frame)" && hook.refused.isEmpty)
  }

  @Test func `frame pointers are followed where that is asked for`() throws {
    let recording = try record("callers-new", ["500"]) { $0.unwinding = .framePointers }
    #expect(recording.blocks.count == 500)
    #expect(recording.walks == nil)
    // They lead past whoever called the library.
    let stacks = callers(recording)
    #expect(stacks.count == 1)
    #expect(stacks.first?.contains("outer") == true && stacks.first?.contains("inner") == false)
    let hook = try hook(recording)
    #expect(hook.used == "frame pointers")
    #expect(hook.refused.map(\.why) == ["turned off"])
  }

  @Test func `what cannot have tables in the memory given is followed by frame pointers`() throws {
    let recording = try record("callers-new", ["500"]) { $0.unwindBytes = 8 }
    #expect(recording.blocks.count == 500)
    let walks = try #require(recording.walks)
    #expect(walks.total >= 500)
    #expect(callers(recording).allSatisfy { $0.contains("outer") })
  }

  @Test func `a program that is executed later is walked too`() throws {
    let program = try StoppedProcess.workload("callers")
    let child = try StoppedProcess(["/bin/sh", "-c", "kill -STOP $$; exec \(program) 500"])
    let tracer = tracer(of: child.id) { $0.faultPeriod = 0 }
    try tracer.start()
    // Now it is the program, which has stopped itself.
    try child.resumeUntilStopped()
    try tracer.prepare(child.id)
    #expect(try child.finish() == 0)
    let recording = try tracer.stop()
    let blocks = recording.blocks.filter { $0.size == 1000 }
    #expect(blocks.count == 500)
    let profile = recording.profile
    let stacks = Set(blocks.map { profile.stacks[$0.stack].map { profile.frames[$0].name } })
    #expect(stacks.count == 1 && stacks.first?.last == "_start", "\(stacks)")
  }

  @Test func `stacks of threads are walked to where they began`() throws {
    let recording = try record("allocations", ["threads", "8", "1000"])
    let walks = try #require(recording.walks)
    #expect(Double(walks.complete) >= 0.99 * Double(walks.total), "\(walks.failures)")
    expectBalance(recording)
  }

  @Test func `growth of the machine does without tables, and says so; that of a process has them`()
    throws
  {
    let child = try StoppedProcess(workload: "memory")
    for isNamed in [false, true] {
      var configuration = MemoryTracerConfiguration()
      if isNamed { configuration.filter.processes = [child.id] }
      let tracer = MemoryTracer(configuration)
      try tracer.start()
      let hook = try hook(try tracer.stop())
      #expect(hook.used == (isNamed ? "unwind tables (.eh_frame)" : "frame pointers"))
      #expect(hook.refused.isEmpty == isNamed)
    }
    child.send(9)
  }
}
