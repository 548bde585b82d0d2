import EBPFSystem
import Glibc
import TestSupport
import Testing

/// `ebpf profile --off-cpu` and `--wall`.
@Suite(.serialized) struct WallTests {
  private func sleeper() throws -> StoppedProcess {
    let child = try StoppedProcess(workload: "waits", ["sleep", "60"])
    child.resume()
    let deadline = Clock.monotonic.now + 60_000_000_000
    while try SystemFile.text("/proc/\(child.id)/stat").split(separator: ")").last?
      .dropFirst().first != "S"
    {
      try #require(Clock.monotonic.now < deadline)
      sched_yield()
    }
    return child
  }

  @Test(arguments: ["--off-cpu", "--wall"])
  func `the JSON has every thread, and its states add up to its time`(mode: String) throws {
    let child = try sleeper()
    let run = try EBPF.run(["profile", mode, "-p", "\(child.id)", "-d", "0.5", "--json"])
    #expect(run.status == 0, "\(run.error)")
    let document = try JSONValue(parsing: run.output)
    let duration = try #require(document["duration_ns"].int)
    #expect(duration >= 500_000_000)
    #expect(document["threads"].list.count == 1)
    let thread = document["threads"][0]
    #expect(thread["pid"].int == Int(child.id))
    #expect(thread["tid"].int == Int(child.id))
    #expect(thread["command"].text == "waits")
    #expect(thread["existed_before"] == .bool(true))
    #expect(thread["ended"] == .bool(false))
    for times in [thread["times"], document["processes"][0]["times"], document["totals"]] {
      #expect(times["wall_ns"].int == duration)
      #expect(times["blocked_ns"].int == duration)
      #expect(times["running_ns"].int == 0)
      #expect(times["runnable_ns"].int == 0)
      #expect(times["states"]["sleeping"].int == duration)
    }
    #expect(document["waits"][0]["time_ns"].int == duration)
    #expect(document["waits"][0]["stack"][0].text == "[blocked: sleeping]")
    #expect(document["loss"]["dropped"].int == 0)
    #expect(document["unplaced_ns"].int == 0)
    let hooks = document["hooks"].list.map { $0["need"].text }
    #expect(hooks.contains("context switches"))
    #expect(hooks.contains("sampling") == (mode == "--wall"))
    child.send(SIGKILL)
  }

  @Test func `a command's waits are in a table and in folded stacks`() throws {
    let directory = try TemporaryDirectory()
    let file = directory.file("off.folded")
    let workload = try StoppedProcess.workload("waits")
    let run = try EBPF.run([
      "profile", "--off-cpu", "-o", file, "--", workload, "switch", "2000",
    ])
    #expect(run.status == 0, "\(run.error)")
    #expect(run.error.contains("; 0 dropped, "))
    let rows = run.output.split(separator: "\n").filter { !$0.hasPrefix("switch_ns") }
    let words = rows[0].split(separator: " ").map(String.init)
    #expect(words == ["WALL", "RUNNING", "RUNNABLE", "BLOCKED", "SWITCHES", "PID", "COMMAND"])
    #expect(run.output.contains("blocked: sleeping"))
    #expect(run.error.contains("switches in"))
    let folded = try SystemFile.lines(file)
    #expect(folded.contains { $0.hasPrefix("waits;") && $0.contains("[blocked: sleeping] ") })
    // Time, and not a count: 4,000 waits are more nanoseconds than that.
    let sum = folded.reduce(0) { $0 + (UInt64($1.split(separator: " ").last ?? "") ?? 0) }
    #expect(sum > 1_000_000)
  }

  @Test func `wakers are in the folded stacks, the table and the document`() throws {
    let directory = try TemporaryDirectory()
    let file = directory.file("wakers.folded")
    let child = try StoppedProcess(workload: "waits", ["wakers", "100"])
    let running = try RunningCommand([
      EBPF.path, "profile", "--off-cpu", "--wakers", "--json", "--top", "1000", "-o", file, "-p",
      "\(child.id)", "--control", directory.file("control"),
    ])
    _ = try running.ask("stats", at: directory.file("control"))
    #expect(try child.finish() == 0)
    running.send(SIGINT)
    let document = try running.document()
    #expect(running.end(by: 0) == 0)
    var counts: [String: Int] = [:]
    for wait in document["waits"].list {
      let names = wait["stack"].list.compactMap(\.text)
      guard let place = names.first(where: { $0 == "wait_for_futex" || $0 == "wait_for_timer" }),
        names[0] == "[blocked: sleeping]"
      else { continue }
      let waker = wait["waker"]
      counts[place, default: 0] += wait["count"].int ?? 0
      if place == "wait_for_timer" {
        #expect(waker["context"].text == "interrupt")
        #expect(waker["command"] == .null && waker["pid"] == .null)
      } else {
        #expect(waker["context"].text == "thread")
        #expect(waker["command"].text == "waits")
        #expect(waker["pid"].int == Int(child.id))
        #expect(waker["tid"] == .null)
        let stack = waker["stack"].list.compactMap(\.text)
        #expect(stack.contains("wake_by_futex") && stack.contains("main"), "\(stack)")
      }
    }
    #expect(counts["wait_for_futex"] == 100)
    // A timer may run out before the thread has left its CPU.
    #expect((80...100).contains(counts["wait_for_timer"] ?? 0))
    #expect((document["wakers"]["thread"]["count"].int ?? 0) >= 200)
    // The waker is above the separator, upside down: its innermost function comes first.
    let lines = try SystemFile.lines(file)
    let wait = /;wait_for_futex;.*\[blocked: sleeping\];--;/
    let waker = /;wake_by_futex;.*main;.*;waits \d+$/
    #expect(lines.contains { $0.contains(wait) && $0.contains(waker) }, "\(lines)")
  }

  @Test(arguments: ["html", "svg", "pb.gz", "speedscope.json"])
  func `every format takes time off the CPU`(ending: String) throws {
    let child = try sleeper()
    let directory = try TemporaryDirectory()
    let file = directory.file("off.\(ending)")
    let run = try EBPF.run(
      ["profile", "--off-cpu", "-p", "\(child.id)", "-d", "0.1", "-o", file])
    #expect(run.status == 0, "\(run.error)")
    #expect(run.error.contains("wrote"))
    let bytes = try SystemFile.read(file)
    if ending != "pb.gz" {
      #expect(String(decoding: bytes, as: UTF8.self).contains("[blocked: sleeping]"))
    } else {
      #expect(bytes.starts(with: [0x1f, 0x8b]))
    }
    child.send(SIGKILL)
  }

  @Test(arguments: [
    (["--off-cpu", "--wall"], "--wall has what --off-cpu has"),
    (["--min-block", "1ms"], "--min-block goes with"),
    (["--wakers"], "--wakers goes with"),
    (["--off-cpu", "--idle"], "--idle counts samples"),
    (["--wall", "--max-samples", "5"], "--max-samples counts samples"),
    (["--off-cpu", "-F", "99"], "--off-cpu takes no samples"),
    (["--off-cpu", "--min-block", "soon"], "min-block"),
  ])
  func `options without a meaning together are refused`(
    options: [String], message: String
  ) throws {
    let run = try EBPF.run(["profile", "-d", "0.1"] + options)
    #expect(run.status == 64 || run.status == 2)
    #expect(run.error.contains(message), "\(run.error)")
  }
}
