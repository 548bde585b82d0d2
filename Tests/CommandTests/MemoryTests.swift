import EBPFSystem
import Glibc
import TestSupport
import Testing

/// `ebpf memory` as a script and a person see it.
@Suite(.serialized) struct MemoryTests {
  /// Runs it on a command that stops itself, and is continued by the shell that started it.
  private func recordMemory(_ options: [String], _ workload: String = "memory") throws -> JSONValue
  {
    let path = try StoppedProcess.workload(workload)
    let script =
      "\(path) & until grep -q '^State:.T' /proc/$!/status; do :; done; "
      + "kill -CONT $!; wait $!"
    let command = try EBPF.run(["memory", "--json"] + options + ["--", "/bin/sh", "-c", script])
    #expect(command.status == 0, "\(command.error)")
    return try JSONValue(parsing: command.output)
  }

  @Test(arguments: ["memory", "memory-musl", "memory-static"])
  func `exact totals and leaks of a command's child, whatever C library it has`(
    workload: String
  ) throws {
    let path = try StoppedProcess.workload(workload)
    let child = try StoppedProcess([path])
    let running = try RunningCommand(
      [EBPF.path, "memory", "--exact", "--json", "-p", String(child.id)])
    try Self.untilRecording(running.pid)
    #expect(try child.finish() == 0)
    running.send(SIGINT)
    let document = try running.document()
    #expect(running.end(by: 0) == 0)
    let totals = document["totals"]
    #expect(totals["allocations"].int == 1000)
    #expect(totals["frees"].int == 900)
    #expect(totals["total_allocated"].int == 500_500)
    #expect(totals["total_freed"].int == 405_450)
    #expect(totals["active_allocations"].int == 100)
    #expect(totals["current_bytes"].int == 95_050)
    let leaks = document["leaks"].list
    #expect(leaks.compactMap { $0["size"].int } == (901...1000).reversed())
    #expect(leaks.allSatisfy { $0["stack"][0].text == "main" && $0["pid"].int == Int(child.id) })
    #expect(document["loss"]["dropped"].int == 0)
    #expect(document["sample_bytes"] == .null)
    #expect(document.keys.isSuperset(of: ["totals", "loss", "overhead", "hooks", "duration_ns"]))
  }

  @Test func `a command is recorded from its first instruction, and what it starts`() throws {
    let document = try recordMemory(["--exact"])
    // The shell's own blocks come on top.
    let blocks = document["leaks"].list.filter { $0["command"].text == "memory" }
    let sizes = Set(blocks.compactMap { $0["size"].int })
    #expect(sizes.isSuperset(of: 901...1000))
    #expect((document["totals"]["allocations"].int ?? 0) > 1000)
    #expect(document["loss"]["dropped"].int == 0)
  }

  @Test func `a command that tells of its allocations is taken at its word`() throws {
    let path = try StoppedProcess.workload("otel-memory")
    let child = try StoppedProcess([path])
    let running = try RunningCommand(
      [EBPF.path, "memory", "--allocations", "--json", "-p", String(child.id)])
    try Self.untilRecording(running.pid)
    #expect(try child.finish() == 0)
    running.send(SIGINT)
    let document = try running.document()
    #expect(running.end(by: 0) == 0)
    #expect(document["source"].text == "otel_memory")
    #expect(document["sample_bytes"] == .null)
    #expect(document["totals"]["allocations"].int == 1000)
    #expect(document["totals"]["total_allocated"].int == 8_080_150)
    #expect(document["totals"]["current_bytes"].int == 2_080_000)
    #expect(document["leaks"].list.count == 25)
    #expect(document["loss"]["dropped"].int == 0)
  }

  @Test func `growth of a command without touching its allocator`() throws {
    let document = try recordMemory([])
    #expect(document["totals"]["allocations"].int == 0)
    #expect(document["leaks"].list.isEmpty)
    let processes = document["processes"].list
    let grown = try #require(processes.first { $0["command"].text == "memory" })
    #expect((grown["faults"].int ?? 0) > 10)
    #expect((grown["break_bytes"].int ?? 0) >= 500_500)
    #expect(grown["existing"].bool == false)
    #expect(!document["hooks"].list.contains { $0["need"].text == "allocations" })
  }

  @Test func `the tables, the file and the filters of a person`() throws {
    let folder = try TemporaryDirectory()
    let path = try StoppedProcess.workload("memory")
    let script =
      "\(path) & until grep -q '^State:.T' /proc/$!/status; do :; done; "
      + "kill -CONT $!; wait $!"
    let file = folder.file("heap.folded")
    let command = try EBPF.run(
      [
        "memory", "--exact", "-a", "-z", "990", "-Z", "995", "-o", file, "--value", "inuse_space",
        "--", "/bin/sh", "-c", script,
      ], environment: ["NO_COLOR": "1"])
    #expect(command.status == 0, "\(command.error)")
    for size in 990...995 { #expect(command.output.contains(" \(size) "), "\(command.output)") }
    #expect(!command.output.contains(" 989 "))
    #expect(command.error.contains("longer, measured here just now"))
    let folded = try contents(ofFile: file)
    #expect(String(decoding: folded, as: UTF8.self).contains("main 95050"))
  }

  @Test(arguments: [
    ["--exact", "--sample-bytes", "5"], ["--older", "5"], ["--sample-bytes", "0"],
    ["--exact", "-o", "heap.txt"], ["--top", "-1"], ["-a"],
  ])
  func `contradictions are wrong usage`(options: [String]) throws {
    #expect(try EBPF.run(["memory"] + options).status == 64)
  }

  @Test func `a file without an allocator, and a process that is gone, are refused`() throws {
    let missing = try EBPF.json(
      ["memory", "--exact", "--object", "/bin/ls", "-d", "1"], status: 2)
    #expect(missing["error"]["code"].text == "not_found")
    let gone = try EBPF.json(["memory", "--exact", "-p", "4000000", "-d", "1"], status: 2)
    #expect(gone["error"]["code"].text == "not_found")
  }

  @Test func `blocks without room are a loss, and end with status 1 when that is asked for`() throws
  {
    let path = try StoppedProcess.workload("memory")
    let script =
      "\(path) & until grep -q '^State:.T' /proc/$!/status; do :; done; "
      + "kill -CONT $!; wait $!"
    let command = try EBPF.run(
      ["memory", "--exact", "--max-blocks", "64", "--fail-on-loss", "--", "/bin/sh", "-c", script])
    #expect(command.status == 1)
    #expect(command.error.contains("blocks found no room"))
  }

  @Test func `without other rights than CAP_BPF and CAP_PERFMON it shows growth`() throws {
    let folder = try TemporaryDirectory()
    let copy = try EBPF.copy(in: folder)
    let command = try Command.run(
      EBPF.nobody(with: ["bpf", "perfmon"]) + [copy, "memory", "--json", "--", "/bin/ls", "/"])
    #expect(command.status == 0, "\(command.error)")
    // The listing comes first.
    let start = try #require(command.output.firstRange(of: "\n{\n"))
    let document = try JSONValue(parsing: String(command.output[start.lowerBound...]))
    let grown = try #require(document["processes"].list.first { $0["command"].text == "ls" })
    #expect((grown["faults"].int ?? 0) > 10)
    #expect((grown["maps"].int ?? 0) > 1)
  }

  @Test func `killed, it leaves nothing behind`() throws {
    let child = try StoppedProcess(workload: "memory")
    let running = try RunningCommand(
      [EBPF.path, "memory", "--exact", "--json", "-p", String(child.id)])
    try Self.untilRecording(running.pid)
    let programs = try Self.ids("prog_id", of: running.pid)
    let maps = try Self.ids("map_id", of: running.pid)
    #expect(programs.count > 10 && maps.count > 10)
    #expect(running.end(by: SIGKILL) == 137)
    #expect(try Kernel.isGone("prog", programs))
    #expect(try Kernel.isGone("map", maps))
    #expect(try child.finish() == 0)
  }

  /// Waits until a command records: it then waits for Ctrl-C as well.
  private static func untilRecording(_ process: Int32) throws {
    let deadline = Clock.monotonic.now + 60_000_000_000
    while try !isWaitingForSignals(process) {
      try #require(Clock.monotonic.now < deadline, "waited a minute for the recording to begin")
      sched_yield()
    }
  }

  /// Whether an epoll descriptor of the process waits for one that signals are read from.
  private static func isWaitingForSignals(_ process: Int32) throws -> Bool {
    let folder = "/proc/\(process)"
    var signals: Set<Substring> = []
    var waitedFor: Set<Substring> = []
    for entry in try FileSystem.entries(folder + "/fd") {
      do throws(Errno) {
        let target = try FileSystem.link(folder + "/fd/" + entry)
        if target.contains("signalfd") { signals.insert(entry[...]) }
        guard target.contains("eventpoll") else { continue }
        for line in try SystemFile.lines(folder + "/fdinfo/" + entry) where line.hasPrefix("tfd:") {
          waitedFor.insert(line.split(separator: " ")[1])
        }
      } catch { continue }  // Closed meanwhile.
    }
    return !signals.isDisjoint(with: waitedFor)
  }

  /// The ids of the programs or maps whose descriptors a process holds.
  private static func ids(_ key: String, of process: Int32) throws -> [Int] {
    try FileSystem.entries("/proc/\(process)/fdinfo").compactMap { entry in
      let lines: [Substring]
      do throws(Errno) { lines = try SystemFile.lines("/proc/\(process)/fdinfo/\(entry)") } catch {
        return nil  // Closed meanwhile.
      }
      let line = lines.first { $0.hasPrefix(key + ":") }
      return line?.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) }
    }
  }
}
