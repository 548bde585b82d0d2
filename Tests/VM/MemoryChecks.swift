import EBPF
import EBPFSystem
import EBPFTracers
import Profiles
import TestSupport

/// The memory tracer against programs of known work.
enum MemoryChecks {
  static let all = [
    Check("1000 allocations, 900 frees and the hundred blocks that stay") {
      let recording = try record([Guest.memory], .exact)
      let totals = recording.totals
      try equal(totals.allocations, 1000, "allocations")
      try equal(totals.allocatedBytes, 500_500, "allocated bytes")
      try equal(totals.frees, 900, "frees")
      try equal(totals.freedBytes, 405_450, "freed bytes")
      try equal(recording.blocks.map(\.size), Array((901...1000).reversed()), "blocks in use")
      let functions = recording.blocks.map { block in
        recording.profile.frames[recording.profile.stacks[block.stack][0]].name
      }
      try require(functions.allSatisfy { $0 == "main" }, "\(Set(functions))")
      let used = recording.hooks.first { $0.need == "allocations" }?.used ?? ""
      try require(
        used.hasPrefix(Guest.isOld ? "uprobe at" : "uprobe.multi at"), "allocations by \(used)")
    },
    Check("each function of the allocator counts as what it does") {
      let recording = try record([Guest.allocations, "semantics"], .exact)
      let totals = recording.totals
      try equal(totals.allocations, 11, "allocations")
      try equal(totals.allocatedBytes, 5_855, "allocated bytes")
      try equal(totals.frees, 5, "frees")
      try equal(totals.failures, 4, "failures")
      try equal(recording.blocks.map(\.size), [4023, 300, 200, 150, 128, 33], "blocks in use")
    },
    Check("callers of the allocator without frame pointers are found, by unwind tables") {
      let recording = try record([Guest.callers, "100"], .exact, faultPeriod: 0)
      try equal(recording.totals.allocations, 100, "allocations")
      let profile = recording.profile
      for block in recording.blocks {
        let names = profile.stacks[block.stack].map { profile.frames[$0].name ?? "?" }
        try equal(Array(names.prefix(4)), ["inner", "middle", "outer", "main"], "callers")
        try equal(names.last, "_start", "the outermost of \(names)")
      }
      let walks = try require(recording.walks, "no walks")
      try equal(walks.complete, walks.total, "\(walks.failures)")
    },
    Check("a sample of allocations is recorded") {
      let recording = try record([Guest.allocations, "sizes", "2000"], .sampled(bytes: 4096))
      try require(recording.totals.allocatedBytes > 0, "nothing was picked")
      try require(recording.statistics.recorded < 4000, "\(recording.statistics)")
    },
    Check("a thousand touched pages are a thousand faults, by stack and by process") {
      let child = try StoppedProcess([Guest.allocations, "touch", "1000"])
      let tracer = MemoryChecks.tracer(of: child.id, .none)
      try tracer.start()
      try child.resumeUntilStopped()
      let recording = try tracer.stop()
      child.send(9)
      let growth = try require(
        recording.processes.first { $0.process == child.id }, "\(recording.processes)")
      try require((1000..<1040).contains(growth.faults), "\(growth)")
      try equal(growth.mappedBytes, 4_096_000, "mapped bytes")
      try require((4_096_000..<4_505_600).contains(growth.growth), "\(growth)")
      try require(growth.residentPeak > 3_000_000, "\(growth)")
      let faults = recording.sites.filter { $0.kind == .fault }.reduce(0) { $0 + $1.count }
      try equal(faults, growth.faults, "faults by stack")
    },
    Check("mappings of a 32-bit program are counted call by call") {
      let child = try StoppedProcess([Guest.mappings32])
      let tracer = MemoryChecks.tracer(of: child.id, .none)
      try tracer.start()
      try equal(try child.finish(), 0, "the status")
      let recording = try tracer.stop()
      let growth = try require(
        recording.processes.first { $0.process == child.id }, "\(recording.processes)")
      try equal([growth.maps, growth.unmaps], [15, 5], "mmap and munmap")
      try equal([growth.mappedBytes, growth.unmappedBytes], [15 << 16, 4 << 16], "their bytes")
      try equal(growth.breakBytes, 12 << 16, "the break")
      try equal(recording.unwatchedPrograms, 0, "programs that were missed")
    },
    Check("a process killed for want of memory is reported") {
      let group = "/sys/fs/cgroup/victims"
      try SystemFile.write("/sys/fs/cgroup/cgroup.subtree_control", "+memory")
      try FileSystem.makeDirectory(group)
      try SystemFile.write(group + "/memory.max", String(20 << 20))
      let child = try StoppedProcess([Guest.allocations, "touch", "51200"])
      try SystemFile.write(group + "/cgroup.procs", String(child.id))
      let tracer = MemoryChecks.tracer(of: child.id, .none)
      try tracer.start()
      try equal(try child.finish(), 128 + 9, "the status of the victim")
      let recording = try tracer.stop()
      let victim = try require(
        recording.victims.first { $0.process == child.id }, "\(recording.victims)")
      try equal(victim.command, "allocations", "the victim's command")
      try require(victim.anonymousBytes > 15 << 20, "\(victim)")
      try require(victim.history.count > 1, "\(victim)")
    },
  ]

  private static func tracer(
    of process: Int32, _ allocations: MemoryTracerConfiguration.Allocations,
    faultPeriod: UInt32 = 1
  ) -> MemoryTracer {
    var configuration = MemoryTracerConfiguration()
    configuration.allocations = allocations
    configuration.faultPeriod = faultPeriod
    configuration.historyInterval = 100_000
    configuration.filter.processes = [process]
    return MemoryTracer(configuration)
  }

  /// What a program does from its first stop to its end.
  private static func record(
    _ arguments: [String], _ allocations: MemoryTracerConfiguration.Allocations,
    faultPeriod: UInt32 = 1
  ) throws -> MemoryRecording {
    let child = try StoppedProcess(arguments)
    let tracer = MemoryChecks.tracer(of: child.id, allocations, faultPeriod: faultPeriod)
    try tracer.start()
    try equal(try child.finish(), 0, "the status of \(arguments[0])")
    let recording = try tracer.stop()
    let all = recording.totals
    if recording.sampleBytes == nil {
      try equal(
        all.allocations,
        all.frees + all.activeAllocations + all.released + all.replaced + all.untracked,
        "the balance of \(all)")
    }
    try equal(recording.statistics.dropped, 0, "lost events")
    return recording
  }
}
