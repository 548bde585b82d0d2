import EBPFSystem
import Glibc
import TestSupport
import Testing

/// `ebpf control` and the socket behind it, with tracers on the running kernel.
@Suite(.serialized) struct ControlTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private var path: String { directory.file("control") }

  /// A tracer that listens, recording already.
  private func tracer(_ arguments: [String], by starter: [String] = []) throws -> RunningCommand {
    let running = try RunningCommand(
      starter + [EBPF.path] + arguments + ["--json", "--control", path])
    _ = try running.ask(#"{"request": "overhead"}"#, at: path)
    return running
  }

  private func control(_ arguments: [String], status: Int32 = 0) throws -> JSONValue {
    try EBPF.json(["control", path] + arguments, status: status)
  }

  private func calls(_ answer: JSONValue) -> Int? {
    answer["tracers"]["syscalls"]["totals"]["syscalls_traced"].int
  }

  @Test func `nothing is counted while paused, everything is after`() throws {
    let child = try StoppedProcess(workload: "rounds", ["4", "1000"])
    let running = try tracer(["syscalls", "-p", String(child.id), "--syscalls", "getppid"])
    try child.resumeUntilStopped()
    #expect(calls(try control(["stats"])) == 1_000)
    #expect(try control(["pause"])["tracers"]["syscalls"]["state"].text == "paused")
    try child.resumeUntilStopped()
    let paused = try control(["stats"])["tracers"]["syscalls"]
    #expect(paused["totals"]["syscalls_traced"].int == 1_000)
    #expect(paused["loss"]["recorded"].int == 1_000 && paused["state"].text == "paused")
    let duration = try #require(paused["duration_ns"].int)
    // Twice is once, and the time in between is not recorded.
    _ = try control(["pause"])
    #expect(try control(["stats"])["tracers"]["syscalls"]["duration_ns"].int == duration)
    #expect(try control(["resume"])["tracers"]["syscalls"]["state"].text == "running")
    try child.resumeUntilStopped()
    try child.finish()
    #expect(calls(try control(["stats"])) == 3_000)
    let stopped = try EBPF.run(["control", String(running.pid), "stop"])
    #expect(stopped.status == 0, "\(stopped.error)")
    let document = try running.document()
    #expect(running.end(by: 0) == 0)
    #expect(document["totals"]["syscalls_traced"].int == 3_000)
    #expect(document["loss"]["dropped"].int == 0)
    #expect(!FileSystem.exists(path), "the socket is removed")
  }

  @Test func `a filter acts on a running tracer`() throws {
    let first = try StoppedProcess(workload: "rounds", ["3", "1000"])
    let second = try StoppedProcess(workload: "rounds", ["2", "100"])
    let running = try tracer(["syscalls", "-p", String(first.id), "--syscalls", "getppid"])
    try first.resumeUntilStopped()
    try second.resumeUntilStopped()
    #expect(calls(try control(["stats"])) == 1_000)
    _ = try control(["filter", "-p", String(second.id)])
    try first.resumeUntilStopped()
    try second.finish()
    #expect(calls(try control(["stats"])) == 1_100)
    // The calls change, and the process stays.
    _ = try control(["filter", "-p", String(first.id), "--syscalls", "!getppid"])
    try first.finish()
    let socket = try ControlSocket(path)
    let answer = try socket.ask(#"{"request": "stop"}"#)
    #expect(answer["request"].text == "stop")
    #expect(try socket.line() == nil)
    let document = try running.document()
    #expect(running.end(by: 0) == 0)
    let names = document["by_syscall"].list.map { $0["name"].text }
    #expect(Set(names) == ["getppid", "exit_group"])
    #expect(document["by_syscall"][0]["count"].int == 1_100)
  }

  @Test func `a filter that is wrong changes nothing`() throws {
    let child = try StoppedProcess(workload: "rounds", ["2", "1000"])
    let running = try tracer(["syscalls", "-p", String(child.id), "--syscalls", "getppid"])
    for (arguments, reason) in [
      (["filter", "--syscalls", "getpppid"], "there is no system call 'getpppid'"),
      (["filter", "--cgroup", "/no/such/group", "--syscalls", "openat"], "cgroup"),
      (["filter", "--all", "--tracer", "network"], "there is no tracer 'network'"),
    ] {
      let refused = try control(arguments, status: 2)
      #expect(refused["error"]["message"].text?.contains(reason) == true, "\(arguments)")
    }
    try child.resumeUntilStopped()
    #expect(calls(try control(["stats"])) == 1_000)
    _ = try control(["stop"])
    #expect(running.end(by: 0) == 0)
  }

  @Test func `no client keeps the tracer or another client waiting`() throws {
    let child = try StoppedProcess(workload: "rounds", ["2", "1000"])
    let running = try tracer(["syscalls", "-p", String(child.id), "--syscalls", "getppid"])
    let idle = try ControlSocket(path)
    let half = try ControlSocket(path)
    half.send(Array(#"{"request": "#.utf8))
    // Asks and asks, and never reads an answer: it is not read from either, once enough waits.
    let deaf = try ControlSocket(path)
    let questions = [UInt8](String(repeating: #"{"request":"stats"}"# + "\n", count: 1000).utf8)
    var sent = 0
    while true {
      let count = deaf.sendWhatFits(questions)
      sent += count
      if count == 0 || sent > 64 << 20 { break }
    }
    #expect(sent < 64 << 20, "what it sends is not kept for ever")
    let rude = try ControlSocket(path)
    rude.send([0, 255, 10, 123, 10] + Array("pause\n".utf8))
    for _ in 0..<3 {
      let line = try #require(try rude.line())
      #expect(try JSONValue(parsing: line)["error"]["code"].text == "invalid_argument")
    }
    let long = try ControlSocket(path)
    long.send([UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20))
    let refusal = try #require(try long.line())
    #expect(try JSONValue(parsing: refusal)["error"]["code"].text == "too_large")
    #expect(try long.line() == nil, "and then the connection is closed")

    try child.resumeUntilStopped()
    try child.finish()
    #expect(try rude.ask(#"{"request": "pause"}"#)["request"].text == "pause")
    #expect(try idle.ask(#"{"request": "resume"}"#)["request"].text == "resume")
    half.send(Array(#""overhead"}"#.utf8))
    #expect(try half.ask("")["request"].text == "overhead")
    #expect(calls(try control(["stats"])) == 2_000)
    _ = try control(["stop"])
    #expect(try running.document()["totals"]["syscalls_traced"].int == 2_000)
    #expect(running.end(by: 0) == 0)
  }

  @Test func `of too many clients the one that was silent for longest must go`() throws {
    let running = try tracer(["syscalls", "-p", "1"])
    let silent = try ControlSocket(path)
    let clients = try (0..<15).map { _ in try ControlSocket(path) }
    for client in clients { #expect(try client.ask(#"{"request":"overhead"}"#)["error"].isNull) }
    let last = try ControlSocket(path)
    #expect(try last.ask(#"{"request":"overhead"}"#)["request"].text == "overhead")
    #expect(try silent.line() == nil)
    #expect(try clients[0].ask(#"{"request":"stop"}"#)["request"].text == "stop")
    #expect(running.end(by: 0) == 0)
  }

  @Test func `another user may not control it`() throws {
    let running = try tracer(["syscalls", "-p", "1"])
    let file = try FileStatus(path: path)
    #expect(file.isSocket)
    #expect(try Command.output(["stat", "-c", "%a", path]) == "600\n")
    let copy = try EBPF.copy(in: directory)
    let refused = try Command.run(EBPF.nobody() + [copy, "control", path, "stop", "--json"])
    #expect(refused.status == 2)
    #expect(try JSONValue(parsing: refused.output)["error"]["code"].text == "denied")
    // Also when the file would let him.
    _ = try Command.output(["chmod", "666", path])
    let known = try Command.run(EBPF.nobody() + [copy, "control", path, "stop", "--json"])
    #expect(known.status == 2)
    let error = try JSONValue(parsing: known.output)["error"]
    #expect(error["message"].text == "user 65534 may not control what user 0 runs")
    #expect(!running.isOver)
    _ = try control(["stop"])
    #expect(running.end(by: 0) == 0)
  }

  @Test func `a socket that was left behind is replaced, anything else is left alone`() throws {
    let killed = try tracer(["syscalls", "-p", "1"])
    let busy = try EBPF.json(
      ["syscalls", "-d", "1", "--control", path], status: 2)
    #expect(busy["error"]["code"].text == "exists")
    #expect(killed.end(by: SIGKILL) == 128 + SIGKILL)
    #expect(FileSystem.exists(path))
    #expect(try control(["stats"], status: 2)["error"]["errno"].text == "ECONNREFUSED")
    let next = try tracer(["syscalls", "-p", "1"])
    #expect(next.end(by: SIGTERM) == 0)
    #expect(!FileSystem.exists(path))
    #expect(try control(["stats"], status: 2)["error"]["code"].text == "not_found")

    try directory.write("mine", to: "file")
    _ = try Command.output(["ln", "-s", directory.file("nowhere"), directory.file("link")])
    for name in ["file", "link"] {
      let refused = try EBPF.json(
        ["syscalls", "-d", "1", "--control", directory.file(name)], status: 2)
      #expect(refused["error"]["code"].text == "exists", "\(name)")
    }
    #expect(try contents(ofFile: directory.file("file")) == Array("mine".utf8))
    #expect(!FileSystem.exists(directory.file("nowhere")))
    let long = directory.file(String(repeating: "x", count: 100))
    let refused = try EBPF.json(["syscalls", "-d", "1", "--control", long], status: 2)
    #expect(refused["error"]["code"].text == "invalid_argument")
  }

  @Test(arguments: ["profile", "network", "memory"])
  func `every tracer can be controlled`(name: String) throws {
    let running = try tracer([name])
    let before = try control(["stats"])["tracers"][name]
    for key in ["totals", "loss", "overhead", "duration_ns"] { #expect(!before[key].isNull) }
    _ = try control(["filter", "--comm", "nobody"])
    for state in ["pause", "resume"] { _ = try control([state]) }
    #expect(try EBPF.run(["control", path, "stats"]).output.hasPrefix("\(name): running\n"))
    let keys = before["totals"].keys
    _ = try control(["stop"])
    let document = try running.document()
    #expect(running.end(by: 0) == 0)
    #expect(keys.isSubset(of: document["totals"].keys))
  }

  @Test(arguments: [
    ["pause", "-p", "1"], ["filter"], ["filter", "--all", "-p", "1"], ["filter", "-p", "0"],
    ["filter", "--children"], ["explode"],
  ])
  func `wrong usage is said before anybody is asked`(arguments: [String]) throws {
    let command = try EBPF.run(["control", "/nowhere"] + arguments)
    #expect(command.status == 64 && command.output.isEmpty)
  }

  @Test func `a process without a socket is told so`() throws {
    let refused = try EBPF.json(["control", "1", "stats"], status: 2)
    #expect(refused["error"]["message"].text == "process 1 has no control socket")
    let gone = try EBPF.json(["control", "2147483647", "stats"], status: 2)
    #expect(gone["error"]["hint"].text == "there is no such process")
  }
}
