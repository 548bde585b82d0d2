import EBPF
import EBPFSystem
import EBPFTracers
import Glibc
import Profiles
import TestSupport
import Testing

/// Time off the CPU, and all time, on the running kernel, against programs of known work.
@Suite(.serialized) struct WallProfilerTests {
  private func configuration(
    _ change: (inout WallProfilerConfiguration) -> Void = { _ in }
  ) -> WallProfilerConfiguration {
    var configuration = WallProfilerConfiguration()
    configuration.separatesThreads = true
    change(&configuration)
    return configuration
  }

  private func profiler(
    of process: Int32, _ change: (inout WallProfilerConfiguration) -> Void = { _ in }
  ) -> WallProfiler {
    WallProfiler(
      configuration {
        $0.filter.processes = [process]
        change(&$0)
      })
  }

  /// Waits until a process that was let go sleeps.
  private func letSleep(_ child: StoppedProcess) throws {
    child.resume()
    try KnownWaits.until("it sleeps") { try KnownWaits.states(child.id) == ["S"] }
  }

  @Test(arguments: [
    ("waits", false), ("waits-noframes", false), ("waits", true),
  ])
  func `what threads do is what they and the kernel say`(
    workload: String, usesThreadTable: Bool
  ) throws {
    let known = try KnownWaits(
      workload: workload, configuration { $0.usesThreadTable = usesThreadTable })
    let result = known.result
    #expect(result.statistics.dropped == 0)
    #expect(result.statistics.malformed == 0)
    #expect(result.lostThreads.count == 0)
    #expect(known.threads.count == 6)
    #expect(result.threads.count == 7)

    for (name, figures) in known.threads {
      let times = try known.times(name)
      #expect(times.command == name)
      #expect(!times.existedBefore && !times.hasEnded)
      // Between what is surely in its life and what surely has all of it.
      #expect(times.wall >= known.end.earliest - figures.began, "\(name)")
      #expect(times.wall <= known.end.latest - figures.made, "\(name)")
      #expect(times.voluntarySwitches == figures.voluntary, "\(name)")
      #expect(times.involuntarySwitches == figures.involuntary, "\(name)")
      // The kernel's own clocks read a little earlier than its tracepoints, at each switch.
      let slack = Int64(max(1_000_000, 50_000 * (figures.voluntary + figures.involuntary + 1)))
      let ran = Int64(times.running) - Int64(figures.ran)
      // Its time on the CPU leaves out what the machine below a virtual one took meanwhile.
      let most = slack + Int64(figures.ran / 100 + known.stolen)
      // The kernel counts what interrupts and the machine below took at a switch to the one or the other.
      let least = -slack - Int64(times.wall / 100 + known.stolen)
      #expect(least <= ran && ran <= most, "\(name) ran \(times.running), \(figures.ran)")
      let waited = Int64(times.runnable) - Int64(figures.waitedForCPU)
      // Beside others each of the two clocks may run up to a hundredth of its life apart.
      let apart = slack + Int64(times.wall / 100 + known.stolen)
      // The kernel leaves out a thread that is preempted when its state says already that it sleeps
      // (sched_info_depart in kernel/sched/stats.h).
      let leftOut = ["sleeper", "reader", "locker"].contains(name) ? times[.preempted] : 0
      #expect(
        -apart <= waited && waited <= apart + Int64(leftOut),
        "\(name) wanted to run \(times.runnable), \(figures.waitedForCPU)")
    }
    let main = try #require(result.threads.first { $0.thread == known.process })
    #expect(main.wall == result.statistics.recordedNanoseconds)
    #expect(main.existedBefore)
    #expect(main[.stopped] > 0)
    #expect(main.voluntarySwitches == known.mainSwitches.voluntary)
    #expect(main.involuntarySwitches == known.mainSwitches.involuntary)
    #expect(
      result.threads.reduce(0) { $0 + $1.voluntarySwitches + $1.involuntarySwitches }
        == result.switches)

    let sleeps = try known.waits("sleeper", in: "sleep_often")
    let slept = try #require(sleeps["[blocked: sleeping]"])
    // A sleep may be over before it begins: when the thread is preempted on the way, or its CPU is taken.
    let delayed = sleeps["[runnable: preempted]"] ?? (0, 0)
    let missing = 25 - slept.count
    #expect(0 <= missing && missing <= delayed.count + Int64(known.stolen / 20_000_000))
    #expect(slept.time + delayed.time + known.stolen >= 500_000_000)
    for (name, function) in [
      ("sleeper", "sleep_often"), ("reader", "read_once"),
      ("locker", "lock_once"), ("spinner", "spin"), ("rival-1", "compete"), ("rival-2", "compete"),
    ] {
      let figures = try #require(known.threads[name])
      let off = try known.waits(name, in: function).values.reduce(0) { $0 + $1.time }
      #expect(off <= figures.worked, "\(name)")
      // Off the CPU is all of its work that was not on it.
      let least = figures.worked - min(figures.worked, figures.used)
      #expect(off + max(figures.worked / 50, 15_000_000) >= least, "\(name): \(off) of \(least)")
    }
    let rivals = try known.times("rival-1").runnable + known.times("rival-2").runnable
    #expect(rivals >= 200_000_000, "\(rivals) ns wait of two for one CPU")
    #expect(try known.times("rival-1")[.preempted] > 0)
  }

  @Test func `all time of each thread is in the stacks of the wall profile`() throws {
    let known = try KnownWaits(workload: "waits", configuration { $0.coverage = .wall })
    let profile = known.result.profile
    #expect(profile.valueTypes.map(\.type) == ["events", "wall"])
    var sums: [Int32: UInt64] = [:]
    for sample in profile.samples {
      sums[profile.processes[sample.process].tid, default: 0] += UInt64(sample.values[1])
    }
    for times in known.result.threads {
      #expect(sums[times.thread] == times.wall, "\(times.command)")
    }
    // On the CPU: the spinner, in its function.
    let spinner = try #require(known.threads["spinner"])
    let burnt = profile.samples.filter { sample in
      let names = profile.stacks[sample.stack].map { profile.frames[$0].name ?? "?" }
      return profile.processes[sample.process].tid == spinner.thread
        && names.contains("spin") && ThreadState.allCases.allSatisfy { $0.label != names[0] }
    }
    let burntTime = burnt.reduce(0) { $0 + UInt64($1.values[1]) }
    #expect(burntTime > spinner.used / 2 && burntTime <= spinner.used * 11 / 10, "\(burntTime)")
  }

  @Test(arguments: [false, true])
  func `a thread that is blocked from before the start to after the end is there all the time`(
    usesThreadTable: Bool
  ) throws {
    for isAsleep in [true, false] {
      let child = try StoppedProcess(workload: "waits", ["sleep", "60"])
      if isAsleep { try letSleep(child) }
      let profiler = profiler(of: child.id) { $0.usesThreadTable = usesThreadTable }
      try profiler.start()
      #expect(try Command.run([StoppedProcess.workload("cpu"), "0.2"]).status == 0)
      let result = try profiler.stop()
      child.send(SIGKILL)
      let times = try #require(result.threads.first)
      #expect(result.threads.count == 1)
      #expect(times.thread == child.id)
      #expect(times.existedBefore && !times.hasEnded)
      #expect(times[isAsleep ? .sleeping : .stopped] == result.statistics.recordedNanoseconds)
      #expect(times.wall == result.statistics.recordedNanoseconds)
      #expect(times.voluntarySwitches == 0 && times.involuntarySwitches == 0)
      let profile = result.profile
      #expect(profile.samples.map { $0.values[1] } == [Int64(times.wall)])
      #expect(
        profile.stacks.map { $0.map { profile.frames[$0].name } } == [
          [
            isAsleep ? "[blocked: sleeping]" : "[blocked: stopped]",
            "[since before the recording]",
          ]
        ])
    }
  }

  @Test func `a thread that ends has its time up to its end`() throws {
    let child = try StoppedProcess(workload: "waits", ["sleep", "0.2"])
    let before = Clock.monotonic.now
    let profiler = profiler(of: child.id)
    try profiler.start()
    let resumed = Clock.monotonic.now
    #expect(try child.finish() == 0)
    let ended = Clock.monotonic.now
    let result = try profiler.stop()
    let times = try #require(result.threads.first)
    #expect(result.threads.count == 1)
    #expect(times.hasEnded && times.existedBefore)
    #expect(times[.sleeping] >= 200_000_000)
    #expect(times[.stopped] > 0)
    #expect(times.wall <= ended - before)
    #expect(times.wall >= 200_000_000)
    #expect(times[.sleeping] <= ended - resumed)
  }

  @Test func `what happens in a pause is in no figure`() throws {
    let child = try StoppedProcess(workload: "waits", ["sleep", "60"])
    try letSleep(child)
    let start = Clock.monotonic.now
    let profiler = profiler(of: child.id)
    try profiler.start()
    #expect(try Command.run([StoppedProcess.workload("cpu"), "0.1"]).status == 0)
    try profiler.pause()
    let pause = Clock.monotonic.now
    child.send(SIGSTOP)
    child.send(SIGCONT)
    #expect(try Command.run([StoppedProcess.workload("cpu"), "0.3"]).status == 0)
    let resume = Clock.monotonic.now
    try profiler.resume()
    #expect(try Command.run([StoppedProcess.workload("cpu"), "0.1"]).status == 0)
    let result = try profiler.stop()
    let end = Clock.monotonic.now
    child.send(SIGKILL)
    let times = try #require(result.threads.first)
    #expect(times.wall == result.statistics.recordedNanoseconds)
    #expect(times.wall <= (pause - start) + (end - resume))
    #expect(times.wall >= 200_000_000)
    #expect(times.voluntarySwitches + times.involuntarySwitches == 0)
    #expect(times[.sleeping] + times[.woken] + times[.running] == times.wall)
  }

  @Test(arguments: [(UInt32(1), UInt32(4096)), (UInt32(32768), UInt32(4 << 20))])
  func `every switch is counted, and what finds no room is told`(
    entries: UInt32, ring: UInt32
  ) throws {
    let child = try StoppedProcess(workload: "waits", ["switch", "20000", "stop"])
    let threads = try Command.output(["ls", "/proc/\(child.id)/task"]).split(separator: "\n")
      .compactMap { Int32($0) }
    #expect(threads.count == 2)
    func switches() throws -> UInt64 {
      try threads.reduce(0) {
        let one = try KnownWaits.switches(child.id, $1)
        return $0 + one.voluntary + one.involuntary
      }
    }
    let before = try switches()
    let profiler = profiler(of: child.id) {
      $0.tableEntries = entries
      $0.ringBytes = ring
      $0.readsRing = entries > 1
    }
    try profiler.start()
    try child.resumeUntilStopped()
    try KnownWaits.until("both are stopped") {
      try KnownWaits.states(child.id) == ["T", "T"]
    }
    let after = try switches()
    let result = try profiler.stop()
    child.send(SIGKILL)
    #expect(after - before >= 40_000)
    #expect(result.switches == after - before)
    #expect(
      result.threads.reduce(0) { $0 + $1.voluntarySwitches + $1.involuntarySwitches }
        == result.switches)
    let profile = result.profile
    #expect(
      profile.samples.reduce(0) { $0 + UInt64($1.values[0]) } == result.statistics.recorded)
    // Lost stacks lose no time.
    let placed = profile.samples.reduce(0) { $0 + UInt64($1.values[1]) }
    #expect(
      placed + result.unplacedNanoseconds
        == result.threads.reduce(0) { $0 + $1.runnable + $1.blocked })
    #expect((result.unplacedNanoseconds > 0) == (result.statistics.dropped > 0))
    #expect(entries > 1 || result.statistics.dropped > 0)
    #expect(entries == 1 || result.statistics.dropped == 0)
    for times in result.threads {
      #expect(times.wall == result.statistics.recordedNanoseconds)
    }
  }

  @Test func `waits shorter than asked for have no stacks, and keep their time`() throws {
    let known = try KnownWaits(workload: "waits", configuration { $0.minimumWait = 15_000_000 })
    let result = known.result
    #expect(result.profile.samples.allSatisfy { $0.values[0] > 0 })
    let slept = try known.waits("sleeper", in: "sleep_often")["[blocked: sleeping]"]
    // 25 of 20 ms; one is shorter where the machine stands still for five between asking and sleeping.
    let count = try #require(slept?.count)
    #expect((20...25).contains(count))
    let placed = result.profile.samples.reduce(0) { $0 + UInt64($1.values[1]) }
    let all = result.threads.reduce(0) { $0 + $1.runnable + $1.blocked }
    #expect(placed < all)
    let main = try #require(result.threads.first { $0.thread == known.process })
    #expect(main.wall == result.statistics.recordedNanoseconds)
    // The main thread's sleeps of 10 ms.
    let mainSleeps = result.profile.samples.filter { sample in
      result.profile.processes[sample.process].tid == known.process
        && result.profile.stacks[sample.stack].contains {
          result.profile.frames[$0].name == "sleep_for"
        }
    }
    #expect(mainSleeps.reduce(0) { $0 + $1.values[0] } < 10)
  }

  @Test func `only threads that are wanted are recorded, by the name of the thread`() throws {
    let known = try KnownWaits(
      workload: "waits", configuration { $0.filter.commands = ["sleeper", "reader"] })
    #expect(Set(known.result.threads.map(\.command)) == ["sleeper", "reader"])
  }

  @Test func `the profiler is left out, and so is everything after stop`() throws {
    let profiler = WallProfiler()
    try profiler.start()
    #expect(try Command.run([StoppedProcess.workload("cpu"), "0.1"]).status == 0)
    let result = try profiler.stop()
    #expect(!result.threads.isEmpty)
    #expect(result.threads.allSatisfy { $0.process != getpid() })
    #expect(try profiler.statistics() == TracerStatistics())
    let programs = try Command.output(["bpftool", "prog", "show"])
    #expect(!programs.contains("wall_switch"))
  }

  @Test func `on this kernel the best hooks are in use`() throws {
    let profiler = profiler(of: getpid())
    try profiler.start()
    let result = try profiler.stop()
    let switches = try #require(result.hooks.first { $0.need == "context switches" })
    #expect(switches.used.contains("tp_btf/sched_switch"))
    #expect(result.hooks.allSatisfy { $0.refused.isEmpty })
  }
}
