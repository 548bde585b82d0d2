import EBPF
import EBPFSystem
import EBPFTracers
import Glibc
import Profiles
import TestSupport
import Testing

/// Capabilities 16 to 20 on the running kernel, against programs of known work.
@Suite(.serialized) struct CPUProfilerTests {
  /// A rate high enough that one second of work is a thousand samples, and no divisor of a timer's.
  static let frequency = 997

  private func profiler(
    of process: Int32, _ change: (inout CPUProfilerConfiguration) -> Void = { _ in }
  ) -> CPUProfiler {
    var configuration = CPUProfilerConfiguration()
    configuration.frequency = Self.frequency
    configuration.filter.processes = [process]
    change(&configuration)
    return CPUProfiler(configuration)
  }

  /// Looks at `condition` until it holds; a minute without it is a failure.
  private func until(_ what: String, _ condition: () throws -> Bool) throws {
    let deadline = Clock.monotonic.now + 60_000_000_000
    while try !condition() {
      try #require(Clock.monotonic.now < deadline, "waited a minute for: \(what)")
      usleep(2_000)
    }
  }

  private func names(_ profile: Profile, _ sample: Profile.Sample) -> [String] {
    profile.stacks[sample.stack].map { profile.frames[$0].name ?? "?" }
  }

  private func selfSamples(_ profile: Profile) -> [String: Int64] {
    var counts: [String: Int64] = [:]
    for sample in profile.samples {
      counts[names(profile, sample)[0], default: 0] += sample.values[0]
    }
    return counts
  }

  @Test(arguments: ["cpu", "cpu-static", "cpu-fixed", "cpu-noframes"])
  func `Capability 17: the profile is rate times CPU time, and three quarters of it is hot_b`(
    workload: String
  ) throws {
    let child = try StoppedProcess(workload: workload, ["2.5", "stop"])
    let profiler = profiler(of: child.id) { $0.stacks = .user }
    try profiler.start()
    #expect(try child.finish() == 0)
    let result = try profiler.stop()
    let profile = result.profile

    let measured = Double(profile.samples.reduce(0) { $0 + $1.values[1] }) / 1e9
    #expect(abs(measured / 2.5 - 1) < 0.05, "\(measured) s sampled of 2.5 s")
    let leaves = selfSamples(profile)
    let ratio = Double(leaves["hot_b"] ?? 0) / Double(max(1, leaves["hot_a"] ?? 0))
    #expect(abs(ratio / 3 - 1) < 0.15, "hot_b : hot_a is \(ratio)")
    #expect(profile.processes.map(\.pid) == [child.id])
    #expect(result.statistics.dropped == 0)
  }

  @Test func `a stack runs from the leaf to the root`() throws {
    let child = try StoppedProcess(workload: "cpu", ["0.5", "stop"])
    let profiler = profiler(of: child.id) { $0.stacks = .user }
    try profiler.start()
    try child.finish()
    let profile = try profiler.stop().profile
    let hottest = try #require(profile.samples.max { $0.values[0] < $1.values[0] })
    // A leaf that has no frame of its own hides its caller from a walk along frame pointers, so
    // `round_of_work` may be missing.
    let stack = names(profile, hottest).filter { $0 != "round_of_work" }
    #expect(stack.prefix(3) == ["hot_b", "burn", "main"])
  }

  @Test func `every sample that was seen is recorded, lost or unwanted`() throws {
    let child = try StoppedProcess(workload: "cpu", ["0.4", "stop"])
    let profiler = profiler(of: child.id)
    try profiler.start()
    try child.finish()
    let result = try profiler.stop()
    let all = result.statistics
    #expect(all.seen == all.recorded + all.dropped + all.unwanted)
    #expect(result.profile.samples.reduce(0) { $0 + UInt64($1.values[0]) } == all.recorded)
  }

  @Test func `many different stacks are kept without loss`() throws {
    let path = try StoppedProcess.workload("stacks")
    var configuration = CPUProfilerConfiguration()
    configuration.frequency = 1000
    configuration.sampleLimit = 0
    configuration.filter.commands = ["stacks"]
    configuration.stacks = .user
    let profiler = CPUProfiler(configuration)
    try profiler.start()
    #expect(try Command.run([path, "4000", "1000"]).status == 0)
    let result = try profiler.stop()
    #expect(result.statistics.dropped == 0)
    #expect(result.statistics.truncated == 0)
    // Each stack lasts as long as the time between two samples, so that most samples see a new one;
    // how many samples there are depends on what else the machine does.
    #expect(result.statistics.recorded > 100)
    #expect(UInt64(result.profile.stacks.count) > result.statistics.recorded / 2)
    #expect(
      result.profile.samples.reduce(0) { $0 + UInt64($1.values[0]) } == result.statistics.recorded)
  }

  @Test
  func
    `Capability 19, 20: a paused profiler takes no samples, and the pause is not in the duration`()
    throws
  {
    let child = try StoppedProcess(workload: "cpu", ["60", "stop"])
    let profiler = profiler(of: child.id)
    let start = Clock.monotonic.now
    try profiler.start()
    child.resume()
    try until("samples") { try profiler.statistics().recorded >= 100 }
    try profiler.pause()
    let pause = Clock.monotonic.now
    let before = try profiler.statistics()
    // Known work that would be seen: the child burns on while another program takes its time.
    #expect(try Command.run([StoppedProcess.workload("cpu"), "0.3"]).status == 0)
    #expect(try profiler.statistics() == before)
    let programs = try Command.output(["bpftool", "prog", "show", "name", "profile_walk"])
    #expect(programs.contains("perf_event"))
    let resume = Clock.monotonic.now
    try profiler.resume()
    try until("samples after the pause") {
      try profiler.statistics().recorded >= before.recorded + 100
    }
    let result = try profiler.stop()
    let end = Clock.monotonic.now
    child.send(SIGKILL)
    #expect(result.statistics.recordedNanoseconds <= (pause - start) + (end - resume))
    #expect(result.statistics.recorded >= before.recorded + 100)
    #expect(result.statistics.recordedNanoseconds == result.profile.duration)
  }

  @Test func `Capability 16: a profiler is started once, and only at a rate it can keep`() throws {
    let profiler = profiler(of: getpid())
    try profiler.start()
    #expect(throws: EBPFError.self) { try profiler.start() }
    _ = try profiler.stop()
    #expect(throws: EBPFError.self) { try profiler.stop() }
    for rate in [0, 1001] {
      let refused = self.profiler(of: getpid()) { $0.frequency = rate }
      let error = #expect(throws: EBPFError.self) { try refused.start() }
      #expect(error?.code == .invalidArgument)
      #expect(error?.message == "cannot sample \(rate) times a second")
    }
  }

  @Test func `recording ends at the limit and says so`() throws {
    let child = try StoppedProcess(workload: "cpu", ["60", "stop"])
    let profiler = profiler(of: child.id) { $0.sampleLimit = 50 }
    try profiler.start()
    child.resume()
    try until("the limit") { profiler.isFull }
    try until("a sample over the limit") { try profiler.statistics().capped > 0 }
    let result = try profiler.stop()
    child.send(SIGKILL)
    // Each CPU may be past the check when another reaches the limit.
    #expect((50...50 + UInt64(result.processors) - 1).contains(result.statistics.recorded))
  }

  @Test func `nothing is left in the kernel or open after stop`() async {
    // In a process of its own: others of this one open and use what they need meanwhile.
    await #expect(processExitsWith: .success) {
      let child = try StoppedProcess(workload: "cpu", ["0.2", "stop"])
      let before = try OpenDescriptors.count()
      let profiler = CPUProfilerTests().profiler(of: child.id)
      try profiler.start()
      #expect(try OpenDescriptors.count() > before)
      try child.finish()
      _ = try profiler.stop()
      try OpenDescriptors.expectNoMore(than: before)
    }
  }

  @Test func `children of a followed process are sampled, other processes are not`() throws {
    let path = try StoppedProcess.workload("cpu")
    let child = try StoppedProcess(
      ["/bin/sh", "-c", "kill -STOP $$; \(path) 0.5 >/dev/null & wait"])
    let profiler = profiler(of: child.id) { $0.filter.followsChildren = true }
    try profiler.start()
    child.resume()
    #expect(try Command.run([path, "0.2"]).status == 0)
    try child.wait()
    let profile = try profiler.stop().profile
    let cpu = profile.samples.reduce(0.0) { sum, sample in
      profile.processes[sample.process].command == "cpu"
        ? sum + Double(sample.values[1]) / 1e9 : sum
    }
    #expect(abs(cpu / 0.5 - 1) < 0.08, "\(cpu) s of 0.5 s")
  }

  @Test func `frames of programs with debug information have source lines`() throws {
    let folder = try TemporaryDirectory()
    let source = try folder.write(
      """
      #include <signal.h>
      #include <time.h>
      static inline __attribute__((always_inline)) void SPIN(void) {
        for (volatile int i = 0; i < 100000; i++) { }
      }
      __attribute__((noinline)) void BURN(void) {
        clock_t start = clock();
        while (clock() - start < CLOCKS_PER_SEC * 3 / 10)
          SPIN();
      }
      int main(void) {
        raise(SIGSTOP);
        BURN();
        return 0;
      }
      """, to: "lines.c")
    let program = folder.file("lines")
    _ = try Command.output(["cc", "-g", "-O1", source, "-o", program])
    let child = try StoppedProcess([program])
    let profiler = profiler(of: child.id)
    try profiler.start()
    try child.finish()
    let frames = try profiler.stop().profile.frames
    func lines(_ name: String) -> Set<Int> {
      Set(frames.filter { $0.name == name && $0.sourceFile == source }.map(\.line))
    }
    #expect(lines("SPIN") == [4])
    // Where the inlined one is called.
    #expect(lines("BURN").contains(9) && lines("BURN").isSubset(of: [7, 8, 9]))
    // A sample may fall into the end of the call that stopped it.
    #expect(lines("main").contains(13) && lines("main").isSubset(of: [12, 13]))
  }

  @Test func `samples before an exec are named by the program before it`() throws {
    let folder = try TemporaryDirectory()
    let source = try folder.write(
      """
      #include <signal.h>
      #include <time.h>
      #include <unistd.h>
      __attribute__((noinline)) void BURN(void) {
        clock_t start = clock();
        while (clock() - start < CLOCKS_PER_SEC * 3 / 10)
          for (volatile int i = 0; i < 100000; i++) { }
      }
      int main(int count, char **arguments) {
        BURN();
        if (count == 1) return 0;
        raise(SIGSTOP);
        return execv(arguments[1], arguments + 1);
      }
      """, to: "burn.c")
    // At fixed addresses, which therefore mean one thing in the first and another in the second.
    func build(_ name: String) throws -> String {
      let flags = ["-O1", "-static", "-no-pie", "-fno-omit-frame-pointer"]
      let program = folder.file(name)
      _ = try Command.output(["cc", "-DBURN=in_\(name)", "-o", program, source] + flags)
      return program
    }
    let first = try build("first")
    let second = try build("second")
    let child = try StoppedProcess(["/bin/sh", "-c", "kill -STOP $$; exec \(first) \(second)"])
    let profiler = profiler(of: child.id) { $0.stacks = .user }
    try profiler.start()
    child.resume()
    try until("the first program to stop itself") {
      try String(decoding: contents(ofFile: "/proc/\(child.id)/stat"), as: UTF8.self)
        .contains("(first) T")
    }
    try until("the profiler to look at it") {
      try String(decoding: contents(ofFile: "/proc/self/maps"), as: UTF8.self).contains(first)
    }
    #expect(try child.finish() == 0)
    let profile = try profiler.stop().profile
    var samples: [String: Int64] = [:]
    for sample in profile.samples {
      let command = profile.processes[sample.process].command
      for name in names(profile, sample) where name.hasPrefix("in_") {
        samples["\(command): \(name)", default: 0] += sample.values[0]
      }
    }
    #expect(Set(samples.keys) == ["first: in_first", "second: in_second"])
    #expect(samples.values.allSatisfy { $0 > 100 }, "0.3 s of each at 997 Hz: \(samples)")
  }

  @Test func `Capability 18: the overhead is measured, and is that of this process`() async {
    // In a process of its own: others of this one open and use what they need meanwhile.
    await #expect(processExitsWith: .success) {
      let child = try StoppedProcess(workload: "cpu", ["1", "stop"])
      let profiler = CPUProfilerTests().profiler(of: child.id) { $0.frequency = 99 }
      let usage = ProcessUsage.now().cpuNanoseconds
      let begin = Clock.monotonic.now
      try profiler.start()
      try child.finish()
      let cost = try profiler.overhead()
      let elapsed = Clock.monotonic.now - begin
      let own = Double(ProcessUsage.now().cpuNanoseconds - usage) / Double(elapsed) * 100
      _ = try profiler.stop()
      #expect(abs(cost.cpuPercent - own) < 1)
      #expect(cost.residentBytes > 1_000_000)
      #expect((cost.mapBytes ?? 0) > 1_000_000)
      #expect((cost.kernelRuns ?? 0) > 0)
      #expect((cost.kernelNanoseconds ?? 0) > 0)
      #expect(throws: EBPFError.self) { try profiler.overhead() }
    }
  }

  @Test(arguments: ["cpu", "cpu-static", "cpu-fixed"])
  func `Capability 17: functions have the names that perf gives them`(workload: String) throws {
    let child = try StoppedProcess(workload: workload, ["1", "stop"])
    let folder = try TemporaryDirectory()
    let data = folder.file("perf.data")
    let profiler = profiler(of: child.id) { $0.stacks = .user }
    try profiler.start()
    // perf resumes nothing itself: it records until the process it watches has ended.
    let perf = try StoppedProcess(
      [
        "/bin/sh", "-c",
        "kill -STOP $$; exec perf record -q -F 997 -e cpu-clock:u -o \(data) -p \(child.id)",
      ])
    perf.resume()
    try until("perf to record") { (try? contents(ofFile: data))?.isEmpty == false }
    try child.finish()
    try perf.wait()
    let ours = selfSamples(try profiler.stop().profile)
    let theirs = try Command.output(["perf", "script", "-i", data, "-F", "ip,sym"])
      .split(separator: "\n").compactMap { $0.split(separator: " ", maxSplits: 1).last }
      .map(String.init).filter { $0 != "[unknown]" }
    let known = theirs.count { ours[$0] != nil }
    #expect(theirs.count > 500)
    #expect(Double(known) / Double(theirs.count) >= 0.99)
  }
}
