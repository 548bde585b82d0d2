import EBPFSystem
import Glibc
import TestSupport
import Testing

/// `ebpf trace`: several tracers of one process, and what keeps them cheap.
@Suite(.serialized) struct TraceTests {
  @Test func `four tracers record one program exactly`() throws {
    let directory = try TemporaryDirectory()
    let work = try StoppedProcess.workload("everything")
    let script =
      "\(work) & until grep -q '^State:.T' /proc/$!/status; do :; done; kill -CONT $!; wait $!"
    let command = try EBPF.run([
      "trace", "profile,syscalls,network,memory", "-o", directory.file("out"), "--comm",
      "everything", "--json", "--", "/bin/sh", "-c", script,
    ])
    #expect(command.status == 0, "\(command.error)")
    let document = try JSONValue(parsing: command.output)
    #expect(document.keys == ["profile", "syscalls", "network", "memory"])
    let calls = Dictionary(
      uniqueKeysWithValues: document["syscalls"]["by_syscall"].list.map {
        ($0["name"].text ?? "", $0["count"].int ?? -1)
      })
    #expect(calls["getppid"] == 100_000 && calls["connect"] == 50)
    let network = document["network"]["totals"]
    #expect(network["tcp_connections"].int == 50 && network["tcp_accepts"].int == 50)
    #expect(network["bytes_sent"].int == 50 * 20_100 + 2_000 * 512)
    #expect(network["bytes_received"].int == 50 * 20_100 + 2_000 * 512)
    let grown = document["memory"]["processes"].list.filter {
      $0["command"].text == "everything"
    }
    #expect(grown.reduce(0) { $0 + ($1["faults"].int ?? 0) } >= 2_560)
    #expect(grown.contains { ($0["mapped_bytes"].int ?? 0) >= 10 << 20 })
    let hottest = try #require(document["profile"]["functions"].list.first)
    #expect(hottest["name"].text == "compute")
    for tracer in document.keys {
      let part = document[tracer]
      #expect(part["loss"]["dropped"].int == 0, "\(tracer)")
      #expect(!part["overhead"].isNull && (part["duration_ns"].int ?? 0) > 0)
    }
    // Each counts itself out, and a file was written for each.
    #expect(document["syscalls"]["by_process"].list.allSatisfy { $0["comm"].text != "ebpf" })
    for name in ["profile.html", "memory.html", "syscalls.json", "network.json"] {
      #expect((try FileStatus(path: directory.file("out/" + name)).size) > 1_000, "\(name)")
    }
  }

  @Test func `the exact counts of four tracers at one process that was there before`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("control")
    let child = try StoppedProcess(workload: "everything")
    let running = try RunningCommand([
      EBPF.path, "trace", "syscalls,memory,network,profile", "-p", String(child.id), "--json",
      "--control", path,
    ])
    func ask(_ request: String) throws -> JSONValue { try running.ask(request, at: path) }
    #expect(
      try ask(#"{"request":"overhead"}"#)["tracers"].keys
        == ["syscalls", "memory", "network", "profile"])
    #expect(try child.finish() == 0)
    let paused = try ask(#"{"request":"pause"}"#)["tracers"]
    for name in paused.keys { #expect(paused[name]["state"].text == "paused") }
    _ = try ask(#"{"request":"resume","tracer":"network"}"#)
    let stats = try ask(#"{"request":"stats","tracer":"network"}"#)["tracers"]
    #expect(stats.keys == ["network"] && stats["network"]["totals"]["tcp_accepts"].int == 50)
    #expect(stats["network"]["state"].text == "running")
    _ = try ask(#"{"request":"stop"}"#)
    let document = try running.document()
    #expect(running.end(by: 0) == 0)
    let calls = document["syscalls"]["by_syscall"].list
    for (name, count) in [("getppid", 100_000), ("connect", 50), ("mmap", 10), ("madvise", 10)] {
      #expect(calls.first { $0["name"].text == name }?["count"].int == count, "\(name)")
    }
    let process = try #require(document["memory"]["processes"].list.first)
    #expect(document["memory"]["processes"].list.count == 1)
    #expect(process["maps"].int == 10 && process["mapped_bytes"].int == 10 << 20)
    let totals = document["network"]["totals"]
    #expect(totals["tcp_connections"].int == 50 && totals["tcp_accepts"].int == 50)
    #expect(totals["bytes_sent"].int == 50 * 20_100 + 2_000 * 512)
    #expect(document["network"]["sockets"].list.count == 2)
    #expect((document["profile"]["totals"]["samples"].int ?? 0) > 0)
    #expect(
      Set(document["profile"]["processes"].list.map { $0["pid"].int }) == [Int(child.id)])
  }

  @Test func `either all start or none does`() throws {
    let command = try EBPF.run(
      ["trace", "profile,memory,syscalls", "-d", "1", "--json"], by: EBPF.root(with: ["bpf"]))
    #expect(command.status == 2)
    #expect(!(try JSONValue(parsing: command.output)["error"].isNull))
    let nowhere = try EBPF.run(
      ["trace", "syscalls,memory", "-d", "1", "--json", "--control", "/nowhere/control"])
    #expect(nowhere.status == 2, "refused before anything starts")
  }

  @Test(arguments: [
    ["nothing"], ["profile,profile"], ["profile,"], ["syscalls", "--exact"],
    ["syscalls", "--max-overhead", "0"], ["syscalls", "--max-overhead", "much"],
  ])
  func `wrong usage is said before anything is loaded`(arguments: [String]) throws {
    let command = try EBPF.run(["trace"] + arguments + ["-d", "1"])
    #expect(command.status == 64 && command.output.isEmpty)
  }

  @Test func `a tracer over its limit leaves out more and more, and tells what it did`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("control")
    // Makes system calls without end, which cost more than a thousandth of one CPU to count.
    let busy = try StoppedProcess(workload: "rounds", ["1", "2000000000"])
    let running = try RunningCommand([
      EBPF.path, "syscalls", "-p", String(busy.id), "--json", "--max-overhead", "0.1%", "--control",
      path,
    ])
    busy.resume()
    var steps = 0
    while steps < 2 {
      let answer = try running.ask(#"{"request":"overhead"}"#, at: path)
      steps = answer["economy"]["steps_taken"].int ?? 0
      usleep(100_000)
    }
    busy.send(SIGKILL)
    _ = try EBPF.run(["control", path, "stop"])
    let document = try running.document()
    #expect(running.end(by: 0) == 0)
    let economy = document["economy"]
    #expect(economy["limit_percent"].double == 0.1)
    #expect((economy["worst_percent"].double ?? 0) > 0.1)
    #expect(economy["kernel_time_included"].bool == true)
    let first = economy["steps"][0]
    #expect((first["economy"]["sampling"].int ?? 0) > 1 && (first["time_ns"].int ?? 0) > 0)
    #expect((document["loss"]["sampled_out"].int ?? 0) > 0)
    #expect(document["loss"]["dropped"].int == 0)
  }

  @Test func `a tracer below its limit leaves out nothing`() throws {
    let command = try EBPF.run(
      ["syscalls", "--syscalls", "getppid", "--max-overhead", "100000", "-d", "2.5"])
    #expect(command.status == 0)
    #expect(command.error.contains("nothing was left out"))
  }
}
