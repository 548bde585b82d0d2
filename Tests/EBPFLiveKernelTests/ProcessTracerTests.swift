import EBPF
import EBPFSystem
import EBPFTracers
import Glibc
import TestSupport
import Testing

/// The process tracer on the running kernel, against programs of known work.
@Suite(.serialized) struct ProcessTracerTests {
  private func tracer(
    following process: Int32, _ kernel: any KernelInterface = LiveKernel(),
    _ change: (inout ProcessTracerConfiguration) -> Void = { _ in }
  ) -> ProcessTracer {
    var configuration = ProcessTracerConfiguration()
    configuration.filter.follow(process)
    change(&configuration)
    return ProcessTracer(configuration, kernel: kernel)
  }

  private static let ways: [(missing: [String], used: String)] = [
    ([], "tp_btf/"), (["process_exec_typed", "process_exit_typed"], "raw_tp/"),
    (
      [
        "process_exec_typed", "process_exit_typed", "process_exec_raw", "process_exit_raw",
      ], "tracepoint/sched/"
    ),
  ]

  @Test(arguments: 0..<3)
  func `each child has a run with its end, and times between those of who started it`(way: Int)
    throws
  {
    let (missing, used) = Self.ways[way]
    let folder = try TemporaryDirectory()
    let file = folder.file("children")
    let path = try StoppedProcess.workload("processes")
    // What /proc/self/exe says, by which the children execute it.
    let executed = try Command.output(["realpath", path]).dropLast()
    let parent = try StoppedProcess([path, file, "5"])
    let tracer = tracer(following: parent.id, KernelWithout(programs: missing))
    try tracer.start()
    #expect(try parent.finish() == 0)
    let recording = try tracer.stop()
    #expect(
      recording.hooks.prefix(2).map(\.used) == [
        used + "sched_process_exec", used + "sched_process_exit",
      ])
    let known = try KnownChildren(file: file)
    #expect(known.children.count == 40)
    let runs = recording.unreadEvents.ended
    // One of the eight executes twice; and the parent.
    #expect(runs.count == 5 * 9 + 1)
    #expect(recording.unreadEvents.began.count == 5 * 8 && recording.running.isEmpty)
    for child in known.children {
      #expect(child.ending == KnownChildren.endings[child.kind])
      let own = runs.filter { $0.process == child.process }
      let last = try #require(own.last)
      #expect(own.count == (child.kind == "twice" ? 2 : 1), "\(child)")
      #expect(last.ending == child.ending, "\(child)")
      var time = child.before
      for run in own {
        #expect(run.parent == parent.id && run.user == getuid())
        #expect(run.command == "processes" && run.weight == 1)
        let begin = try #require(run.end) - (try #require(run.nanoseconds))
        #expect(run.start == begin && run.processStart <= run.start)
        #expect(child.before <= run.processStart && time <= run.start)
        time = try #require(run.end)
      }
      #expect(time <= child.after)
      if child.kind == "copy" {
        #expect(last.origin == .forked && last.path.isEmpty && last.arguments.isEmpty)
        #expect(last.start == last.processStart)
        continue
      }
      #expect(own.allSatisfy { $0.origin == .executed && $0.path == executed && !$0.pathIsCut })
      if child.kind == "twice" {
        #expect(own[0].ending == .replaced && own[0].end == own[1].start)
        #expect(
          own.map(\.arguments) == [["processes", "run", "twice"], ["processes", "run", "last"]])
      } else if child.kind == "many" {
        #expect(last.argumentsAreCut && last.arguments.joined(separator: "0").utf8.count == 1024)
        #expect(last.arguments.prefix(3) == ["processes", "run", "many"])
        #expect(last.argumentCount == (way == 2 ? nil : 60))
      } else {
        #expect(last.arguments == ["processes", "run", child.kind])
        #expect(!last.argumentsAreCut && last.argumentCount == (way == 2 ? nil : 3))
      }
    }
    let whole = try #require(runs.first { $0.process == parent.id })
    #expect(whole.origin == .existing && whole.ending == .exited(0))
    #expect(whole.start == whole.processStart && whole.parent == getpid())
    #expect(whole.start < known.children[0].before)
    var losses = ProcessLosses()
    losses.cutArguments = 5
    #expect(recording.losses == losses)
    let all = recording.statistics
    // 40 programs that begin and 41 processes that end.
    #expect(all.recorded == 81 && all.dropped == 0 && all.truncated == 5)
    #expect(all.seen == all.recorded + all.dropped + all.unwanted)
  }

  @Test func `what arrives and what is lost are together what happened`() throws {
    let folder = try TemporaryDirectory()
    let parent = try StoppedProcess(workload: "processes", [folder.file("children"), "20"])
    let tracer = tracer(following: parent.id) { $0.eventBufferBytes = 4096 }
    try tracer.start()
    #expect(try parent.finish() == 0)
    let recording = try tracer.stop()
    let all = recording.statistics
    #expect(recording.losses.events > 0 && all.dropped == recording.losses.events)
    #expect(all.recorded + all.dropped == 20 * 16 + 1)
    #expect(all.seen == all.recorded + all.dropped + all.unwanted)
  }

  @Test func `while paused nothing is recorded, and programs that ended meanwhile are forgotten`()
    throws
  {
    let folder = try TemporaryDirectory()
    let first = try StoppedProcess(workload: "processes", [folder.file("first"), "1"])
    let second = try StoppedProcess(workload: "processes", [folder.file("second"), "1"])
    let sleeper = try StoppedProcess(["/bin/sh", "-c", "kill -STOP $$; exec sleep 1000"])
    var configuration = ProcessTracerConfiguration()
    configuration.filter.processes = [first.id, second.id, sleeper.id]
    configuration.filter.followsChildren = true
    let tracer = ProcessTracer(configuration)
    try tracer.start()
    sleeper.resume()
    var events: [ProcessEvent] = []
    while events.isEmpty { try tracer.readEvents { events.append($0) } }
    #expect(events.began.map(\.arguments) == [["sleep", "1000"]])
    #expect(try tracer.snapshot().running == events.began)
    try tracer.pause()
    #expect(try first.finish() == 0)
    sleeper.send(SIGTERM)
    #expect(try sleeper.wait() == 128 + SIGTERM)
    #expect(try tracer.readEvents { _ in } == 0)
    try tracer.resume()
    #expect(try tracer.snapshot().running.isEmpty)
    #expect(try second.finish() == 0)
    let recording = try tracer.stop()
    #expect(recording.unreadEvents.ended.count == 9 + 1)
    #expect(recording.losses.unended == 1 && recording.statistics.dropped == 0)
  }

  @Test func `filters leave out in the kernel, also of a running tracer`() throws {
    let folder = try TemporaryDirectory()
    let first = try StoppedProcess(workload: "processes", [folder.file("first"), "1"])
    let second = try StoppedProcess(workload: "processes", [folder.file("second"), "1"])
    var configuration = ProcessTracerConfiguration()
    configuration.filter.processes = [first.id]
    let tracer = ProcessTracer(configuration)
    try tracer.start()
    #expect(try first.finish() == 0)
    var filter = TracerFilter()
    filter.follow(second.id)
    try tracer.setFilter(filter)
    #expect(try second.finish() == 0)
    let recording = try tracer.stop()
    let runs = recording.unreadEvents.ended
    #expect(runs.first?.process == first.id && runs.count == 1 + 9 + 1)
    #expect(recording.statistics.unwanted >= 16)
    #expect(
      recording.statistics.seen == recording.statistics.recorded + recording.statistics.unwanted)
  }

  @Test func `one process in n is picked for all of its life, and stands for n`() throws {
    let folder = try TemporaryDirectory()
    let parent = try StoppedProcess(workload: "processes", [folder.file("children"), "50"])
    let tracer = tracer(following: parent.id)
    try tracer.start()
    try tracer.economize(TracerEconomy(sampling: 4))
    #expect(try parent.finish() == 0)
    let recording = try tracer.stop()
    let runs = recording.unreadEvents.ended
    #expect(runs.allSatisfy { $0.weight == 4 && $0.origin != .unknown })
    // Eight standard deviations of the binomial distribution.
    let processes = Set(runs.map(\.process)).count
    #expect(abs(Double(processes) - 401 / 4) < 8 * (401 * 0.25 * 0.75).squareRoot())
    let all = recording.statistics
    #expect(all.recorded + all.sampledOut == 50 * 16 + 1 && all.dropped == 0)
    #expect(recording.running.isEmpty)
  }

  @Test func `a path that is too long is cut, and that is told`() throws {
    let folder = try TemporaryDirectory()
    let long = String(repeating: "x", count: 200)
    let inner = folder.file(long) + "/" + long
    _ = try Command.output(["mkdir", "-p", inner])
    let path = inner + "/program"
    _ = try Command.output(["ln", "-s", "/bin/true", path])
    let child = try StoppedProcess(["/bin/sh", "-c", "kill -STOP $$; exec \(path) one"])
    let tracer = tracer(following: child.id)
    try tracer.start()
    #expect(try child.finish() == 0)
    let recording = try tracer.stop()
    let run = try #require(recording.unreadEvents.ended.first)
    #expect(run.pathIsCut && path.hasPrefix(run.path) && run.path.utf8.count == 255)
    #expect(run.arguments == [path, "one"] && run.ending == .exited(0))
    #expect(recording.losses.cutPaths == 1 && recording.statistics.truncated == 1)
  }

  @Test func `without arguments only the name is kept`() throws {
    let child = try StoppedProcess(["/bin/sh", "-c", "kill -STOP $$; exec /bin/echo secret >&-"])
    let tracer = tracer(following: child.id) { $0.keepsArguments = false }
    try tracer.start()
    try child.finish()
    let run = try #require(try tracer.stop().unreadEvents.ended.first)
    #expect(run.arguments == ["/bin/echo"] && run.argumentCount == 2 && !run.argumentsAreCut)
    #expect(run.ending == .exited(1))
  }

  @Test func `where no way to see processes works, each refusal is named`() throws {
    let before = try OpenDescriptors.count()
    let programs = ["process_exec_typed", "process_exec_raw", "process_exec_perf"]
    let tracer = ProcessTracer(kernel: KernelWithout(programs: programs))
    let error = #expect(throws: EBPFError.self) { try tracer.start() }
    #expect(
      error?.message.hasPrefix(
        "no way to observe started programs works on this kernel: tp_btf/sched_process_exec: ")
        == true, "\(error?.message ?? "")")
    try OpenDescriptors.expectNoMore(than: before)
  }
}
