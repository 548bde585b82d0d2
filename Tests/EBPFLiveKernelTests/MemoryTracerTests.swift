import EBPF
import EBPFSystem
import EBPFTracers
import Glibc
import Profiles
import TestSupport
import Testing

/// Capabilities 28 to 30 on the running kernel, against programs of known work.
@Suite(.serialized) struct MemoryTracerTests: AllocationTracing {
  // MARK: - Exact

  @Test(arguments: ["memory", "memory-static", "memory-pie", "memory-musl"])
  func `1000 allocations, 900 frees, and the hundred blocks that stay`(workload: String) throws {
    let recording = try record(workload)
    let totals = recording.totals
    #expect(totals.allocations == 1000)
    #expect(totals.allocatedBytes == 500_500)
    #expect(totals.frees == 900)
    #expect(totals.freedBytes == 405_450)
    #expect(totals.activeAllocations == 100)
    #expect(totals.currentBytes == 95_050)
    #expect(recording.blocks.map(\.size) == (901...1000).reversed())
    #expect(Set(recording.blocks.map(\.address)).count == 100)
    #expect(recording.blocks.allSatisfy { $0.address != 0 && $0.isOfEndedProcess })
    #expect(recording.statistics.dropped == 0)
    #expect(totals.failures == 0 && totals.unknownFrees == 0 && totals.abandoned == 0)
    expectBalance(recording)

    // Everything happens in main, and the profile says so.
    let profile = recording.profile
    #expect(
      profile.valueTypes.map(\.type) == [
        "alloc_objects", "alloc_space", "inuse_objects", "inuse_space",
      ])
    let sums = profile.valueTypes.indices.map { index in
      profile.samples.reduce(0) { $0 + $1.values[index] }
    }
    #expect(sums == [1000, 500_500, 100, 95_050])
    for block in recording.blocks {
      #expect(profile.frames[profile.stacks[block.stack][0]].name == "main")
    }
  }

  @Test(arguments: [
    "allocations", "allocations-static", "allocations-musl", "allocations-musl-static",
  ])
  func `each function counts as what it does, failures and free of nothing do not`(
    workload: String
  ) throws {
    let recording = try record(workload, ["semantics"])
    let totals = recording.totals
    #expect(totals.allocations == 11)
    #expect(totals.allocatedBytes == 5_855)
    #expect(totals.frees == 5)
    #expect(totals.freedBytes == 1_021)
    #expect(totals.failures == 4)
    #expect(totals.abandoned == 0)
    #expect(totals.unknownFrees == 0)
    #expect(recording.blocks.map(\.size) == [4023, 300, 200, 150, 128, 33])
    expectBalance(recording)
  }

  @Test func `eight threads are counted to the call`() throws {
    let recording = try record("allocations", ["threads", "8", "1000"])
    // Starting a thread allocates too: its descriptor, by calloc.
    let place = recording.sites.filter { site in
      site.kind == .allocation
        && recording.profile.stacks[site.stack].contains {
          recording.profile.frames[$0].name == "allocate_share"
        }
    }
    #expect(place.reduce(0) { $0 + $1.count } == 8 * 1000)
    #expect(place.reduce(0) { $0 + $1.bytes } == 8 * 500_500)
    #expect(place.reduce(0) { $0 + $1.activeCount } == 8 * 500)
    #expect(place.reduce(0) { $0 + $1.activeBytes } == 8 * 250_000)
    #expect(Set(recording.blocks.map(\.thread)).count >= 8)
    #expect(recording.statistics.dropped == 0)
    expectBalance(recording)
  }

  @Test func `an address that is given out again is a block of its own`() throws {
    let recording = try record("allocations", ["reuse", "20000"])
    #expect(recording.totals.allocations == 20_000)
    #expect(recording.totals.frees == 20_000)
    #expect(recording.totals.replaced == 0)
    #expect(recording.blocks.isEmpty)
  }

  @Test func `children of a followed process are recorded, a second copy is not`() throws {
    let child = try StoppedProcess(workload: "allocations", ["children", "200"])
    let stranger = try StoppedProcess(workload: "allocations", ["children", "300"])
    let tracer = tracer(of: child.id) { $0.filter.followsChildren = true }
    try tracer.start()
    #expect(try stranger.finish() == 0)
    #expect(try child.finish() == 0)
    let recording = try tracer.stop()
    let own = recording.blocks.filter { $0.size == 100 }
    #expect(own.count == 400)
    #expect(own.count { $0.process == child.id } == 200)
    #expect(Set(own.map(\.process)).count == 2)
    #expect(!recording.blocks.contains { $0.process == stranger.id })
    expectBalance(recording)
  }

  @Test func `only the wanted one of two copies is recorded`() throws {
    let child = try StoppedProcess(workload: "memory")
    let stranger = try StoppedProcess(workload: "memory")
    let tracer = tracer(of: child.id)
    try tracer.start()
    #expect(try stranger.finish() == 0)
    #expect(try child.finish() == 0)
    let recording = try tracer.stop()
    #expect(recording.totals.allocations == 1000)
    #expect(Set(recording.blocks.map(\.process)) == [child.id])
  }

  @Test func `blocks that find no room are counted, and so are their frees`() throws {
    let recording = try record("memory") { $0.blockLimit = 64 }
    let totals = recording.totals
    #expect(totals.allocations == 1000)
    #expect(totals.allocatedBytes == 500_500)
    // None is freed before all are allocated: the first 64 get in, and are freed.
    #expect(totals.untracked == 1000 - 64)
    #expect(totals.frees == 64)
    #expect(totals.unknownFrees == 900 - 64)
    #expect(totals.untrackedBytes + totals.freedBytes == 500_500)
    #expect(recording.blocks.isEmpty)
    expectBalance(recording)
  }

  // MARK: - Requests

  @Test func `a block that is freed during a pause is no leak`() throws {
    let child = try StoppedProcess(workload: "allocations", ["phases"])
    let tracer = tracer(of: child.id)
    try tracer.start()
    try child.resumeUntilStopped()
    try tracer.pause()
    try child.resumeUntilStopped()
    try tracer.resume()
    #expect(try child.finish() == 0)
    let recording = try tracer.stop()
    // 10 and 20 before, 30 unseen, 40 after; 10 was freed in the pause, 30 is not known.
    #expect(recording.blocks.map(\.size) == [40, 20])
    #expect(recording.totals.allocations == 3)
    #expect(recording.totals.frees == 0)
    #expect(recording.totals.released == 1)
    #expect(recording.totals.unknownFrees == 1)
    expectBalance(recording)
  }

  @Test func `a filter takes effect while the tracer runs`() throws {
    let child = try StoppedProcess(workload: "allocations", ["phases"])
    let tracer = tracer(of: child.id)
    try tracer.start()
    try child.resumeUntilStopped()
    var nobody = TracerFilter()
    nobody.commands = ["no-such-command"]
    try tracer.setFilter(nobody)
    try child.resumeUntilStopped()
    var again = TracerFilter()
    again.processes = [child.id]
    try tracer.setFilter(again)
    #expect(try child.finish() == 0)
    let recording = try tracer.stop()
    #expect(recording.blocks.map(\.size) == [40, 20])
    #expect(recording.totals.released == 1)
    expectBalance(recording)
  }

  @Test func `nothing is left in the kernel or open after stop`() async {
    // In a process of its own: others of this one open and use what they need meanwhile.
    await #expect(processExitsWith: .success) {
      let child = try StoppedProcess(workload: "memory")
      let before = try OpenDescriptors.count()
      let tracer = MemoryTracerTests().tracer(of: child.id)
      try tracer.start()
      #expect(try OpenDescriptors.count() > before)
      #expect(throws: EBPFError.self) { try tracer.start() }
      try child.finish()
      _ = try tracer.stop()
      try OpenDescriptors.expectNoMore(than: before)
      #expect(throws: EBPFError.self) { try tracer.stop() }
    }
  }

  @Test func `a process without an allocator that can be found is refused`() throws {
    let child = try StoppedProcess(workload: "memory")
    let tracer = tracer(of: child.id) { $0.allocator.prefix = "no_such_" }
    let error = #expect(throws: EBPFError.self) { try tracer.start() }
    #expect(error?.code == .notFound)
    #expect(error?.hint?.contains("--object") == true)
    let gone = self.tracer(of: 4_000_000)
    #expect(#expect(throws: EBPFError.self) { try gone.start() }?.code == .notFound)
  }

  @Test func `starting and stopping in the middle of the work invents no leaks`() throws {
    let child = try StoppedProcess(workload: "allocations", ["reuse", "2000000000"])
    child.resume()
    for _ in 0..<3 {
      let tracer = tracer(of: child.id)
      try tracer.start()
      let deadline = Clock.monotonic.now + 60_000_000_000
      while try tracer.statistics().recorded < 2000 {
        try #require(Clock.monotonic.now < deadline, "waited a minute for allocations")
        sched_yield()
      }
      let recording = try tracer.stop()
      // The block that was in use at the start, and the one at the end.
      #expect(recording.totals.unknownFrees <= 1)
      #expect(recording.blocks.count <= 1)
      #expect(recording.totals.replaced == 0)
      expectBalance(recording)
    }
    child.send(SIGKILL)
  }

  @Test func `places that find no room in the kernel go through the ring`() throws {
    let recording = try record("allocations", ["sizes", "3000"]) {
      $0.allocations = .sampled(bytes: 1)
      $0.siteLimit = 16
    }
    // Nearly every allocation is picked, and each size is a place of its own.
    #expect(recording.totals.allocations.distance(to: 3000).magnitude < 10)
    #expect(recording.statistics.dropped == 0)
    let values = recording.profile.samples.reduce(0) { $0 + $1.values[0] }
    #expect(values.distance(to: 3000).magnitude < 10)
  }

  @Test func `a program that a followed shell executes is recorded with its own allocator`() throws
  {
    let path = try StoppedProcess.workload("memory-musl")
    let shell = try StoppedProcess(["/bin/sh", "-c", "kill -STOP $$; \(path) & wait"])
    let tracer = tracer(of: shell.id) { $0.filter.followsChildren = true }
    try tracer.start()
    shell.resume()
    let deadline = Clock.monotonic.now + 60_000_000_000
    func until(_ what: String, _ condition: () throws -> Bool) throws {
      while try !condition() {
        try #require(Clock.monotonic.now < deadline, "waited a minute for \(what)")
        sched_yield()
      }
    }
    // It stops itself; its C library is probed when the reader has seen it begin.
    try until("the shell's child") { try stoppedChild(of: shell.id) != nil }
    let child = try #require(try stoppedChild(of: shell.id))
    try until("the probes") { try tracer.hooks().first?.used.contains("musl") == true }
    kill(child, SIGCONT)
    #expect(try shell.wait() == 0)
    let recording = try tracer.stop()
    // Before it executed the program the child was a copy of the shell, with blocks of its own.
    let sizes = recording.blocks.filter { $0.command == "memory-musl" }.map(\.size)
    #expect(sizes == (901...1000).reversed())
  }

  /// The child of a process that has stopped itself; nil when there is none.
  private func stoppedChild(of process: Int32) throws -> Int32? {
    let list = "/proc/\(process)/task/\(process)/children"
    for word in try SystemFile.text(list).split(separator: " ") {
      guard let id = Int32(word) else { continue }
      let status = try SystemFile.text("/proc/\(id)/status")
      if status.contains("State:\tT"), status.contains("Name:\tmemory-musl") { return id }
    }
    return nil
  }

  // MARK: - Sampling

  @Test func `sampled totals are right on average`() throws {
    let count = 20_000
    let mean: UInt64 = 64 << 10
    // The sequence of the workload, here.
    var state: UInt32 = 12345
    var bytes = 0.0
    var countVariance = 0.0
    var byteVariance = 0.0
    for _ in 0..<count {
      state = state &* 1_664_525 &+ 1_013_904_223
      let limit = UInt32(16) << ((state >> 8) % 17)
      let size = Double((state >> 16) % limit + 16)
      bytes += size
      // A Bernoulli trial with probability p, counted 1 / p times.
      let probability = 1 - exp(-size / Double(mean))
      countVariance += (1 - probability) / probability
      byteVariance += size * size * (1 - probability) / probability
    }
    let recording = try record("allocations", ["sizes", String(count)]) {
      $0.allocations = .sampled(bytes: mean)
    }
    let totals = recording.totals
    #expect(recording.sampleBytes == mean)
    // Seven standard deviations: once in 400 billion runs.
    #expect(abs(Double(totals.allocatedBytes) - bytes) < 7 * byteVariance.squareRoot())
    #expect(abs(Double(totals.allocations) - Double(count)) < 7 * countVariance.squareRoot())
    #expect(recording.statistics.dropped == 0)
    #expect(totals.allocations.distance(to: totals.frees + totals.activeAllocations).magnitude <= 1)
    // Picked ones are few.
    #expect(recording.statistics.recorded < UInt64(count))
  }
}
