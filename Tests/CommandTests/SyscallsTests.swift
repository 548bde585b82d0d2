import Glibc
import TestSupport
import Testing

/// `ebpf syscalls` as a script and a person see it.
@Suite(.serialized) struct SyscallsTests {
  /// What a program of known work does, recorded from outside until it has ended.
  private func record(
    _ options: [String], by starter: [String] = [], binary: String = EBPF.path
  ) throws -> JSONValue {
    let child = try StoppedProcess(workload: "syscalls")
    let running = try RunningCommand(
      starter + [binary, "syscalls", "--json", "-p", String(child.id)] + options)
    try Self.untilRecording(running.pid)
    #expect(try child.finish() == 0)
    running.send(SIGINT)
    let document = try running.document()
    #expect(running.end(by: 0) == 0)
    return document
  }

  /// Waits until the command has its three programs attached, and the lists of threads read.
  private static func untilRecording(_ pid: pid_t) throws {
    while try links(of: pid) < 3 {
      guard kill(pid, 0) == 0 else {
        throw RunningCommand.Failure(description: "the command ended")
      }
      usleep(2_000)
    }
  }

  private static func links(of pid: pid_t) throws -> Int {
    let script = "grep -l ^link_id: /proc/\(pid)/fdinfo/* 2>/dev/null | wc -l"
    return Int(try Command.output(["/bin/sh", "-c", script]).dropLast()) ?? 0
  }

  private func programs(of pid: pid_t) throws -> [Int] {
    let script = "sed -n 's/^prog_id:[^0-9]*//p' /proc/\(pid)/fdinfo/* 2>/dev/null | sort -un"
    return try Command.output(["/bin/sh", "-c", script]).split(separator: "\n").compactMap {
      Int($0)
    }
  }

  @Test func `the summary has the totals, each call, each errno and the process`() throws {
    let document = try record([])
    #expect(
      document.keys.isSuperset(of: ["totals", "loss", "overhead", "hooks", "duration_ns"]))
    let totals = document["totals"]
    #expect(totals["syscalls_traced"].int == 111_001)
    #expect(totals["unique_syscalls"].int == 4)
    #expect(totals["errors"].int == 5_000)
    #expect(totals["unreturned"].int == 1)
    #expect(document["loss"]["dropped"].int == 0 && document["loss"]["recorded"].int == 111_001)
    let calls = document["by_syscall"].list
    #expect(calls.map { $0["name"].text } == ["getppid", "openat", "close", "exit_group"])
    #expect(calls.map { $0["count"].int } == [100_000, 8_000, 3_000, 1])
    #expect(calls.map { $0["errors"].int } == [0, 5_000, 0, 0])
    for call in calls {
      let counted = call["histogram"].list.compactMap { $0["count"].int }.reduce(0, +)
      #expect(counted == call["returned"].int)
    }
    #expect(document["by_errno"].list.map { $0["error"].text } == ["ENOENT"])
    #expect(document["by_errno"][0]["count"].int == 5_000)
    #expect(document["by_process"].list.map { $0["comm"].text } == ["syscalls"])
    #expect(document["by_process"][0]["count"].int == 111_001)
  }

  @Test func `filters of the command act`() throws {
    let opened = try record(["--syscalls", "openat"])
    #expect(opened["totals"]["syscalls_traced"].int == 8_000)
    let failed = try record(["-x", "--syscalls", "!close"])
    #expect(failed["totals"]["syscalls_traced"].int == 5_000)
    let missing = try record(["-e", "EACCES"])
    #expect(missing["totals"]["syscalls_traced"].int == 0)
  }

  @Test func `events are lines of JSON, and the summary is the last`() throws {
    let command = try EBPF.run(
      [
        "syscalls", "--trace", "--json", "--syscalls", "chdir", "--", "/bin/sh", "-c",
        "cd /nowhere",
      ])
    let lines = try command.output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    #expect(lines.count == 2)
    #expect(lines[0]["syscall"].text == "chdir" && lines[0]["error"].text == "ENOENT")
    #expect(lines[0]["args"][0]["value"].text == "\"/nowhere\"")
    #expect(lines[0]["args"][0]["name"].text == "filename")
    #expect(lines[1]["totals"]["syscalls_traced"].int == 1)
  }

  @Test func `counts and errors are those of strace`() throws {
    let work = ["/bin/ls", "-R", "/usr/include/linux"]
    let directory = try TemporaryDirectory()
    let file = directory.file("strace")
    _ = try Command.run(["strace", "-c", "-o", file] + work)
    var expected: [String: [Int]] = [:]
    for line in String(decoding: try contents(ofFile: file), as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count >= 5, let calls = Int(words[3]), words.last != "total" else { continue }
      expected[String(words[words.count - 1])] = [
        calls, words.count == 6 ? Int(words[4]) ?? -1 : 0,
      ]
    }
    let command = try EBPF.run(["syscalls", "--json", "--"] + work)
    let lines = command.output.split(separator: "\n").drop { $0 != "{" }
    var seen: [String: [Int]] = [:]
    for call in try JSONValue(parsing: lines.joined(separator: "\n"))["by_syscall"].list {
      let name = try #require(call["name"].text)
      // strace counts returns: exit_group has none.
      if name != "exit_group" { seen[name] = [call["count"].int ?? -1, call["errors"].int ?? -1] }
    }
    #expect(expected.count > 10)
    #expect(seen == expected)
  }

  @Test func `nobody with CAP_BPF and CAP_PERFMON can use it, without tracefs`() throws {
    let directory = try TemporaryDirectory()
    let binary = try EBPF.copy(in: directory)
    let hidden = EBPF.inMounts(
      "for d in /sys/kernel/tracing /sys/kernel/debug; do mount -t tmpfs none $d; done")
    let command = try Command.run(
      hidden + EBPF.nobody(with: ["bpf", "perfmon"]) + [
        binary, "syscalls", "--json", "--", "/bin/true",
      ])
    #expect(command.status == 0, "\(command.error)")
    let document = try JSONValue(parsing: command.output)
    #expect((document["totals"]["syscalls_traced"].int ?? 0) > 10)
    let hook = document["hooks"].list.first { $0["need"].text == "system calls" }
    #expect(hook?["used"].text == "tp_btf/sys_exit + tp_btf/sys_enter")
    let refused = try Command.run(
      EBPF.nobody(with: ["bpf"]) + [binary, "syscalls", "-d", "1"])
    #expect(refused.status == 2 && refused.error.contains("CAP_PERFMON"))
  }

  @Test func `a command that is killed leaves nothing in the kernel`() throws {
    let child = try StoppedProcess(workload: "syscalls")
    let running = try RunningCommand(
      [EBPF.path, "syscalls", "--json", "--trace", "-p", String(child.id)])
    try Self.untilRecording(running.pid)
    let programs = try programs(of: running.pid)
    #expect(programs.count >= 3)
    _ = running.end(by: SIGKILL)
    #expect(try Kernel.isGone("prog", programs))
  }

  @Test func `loss is a status of its own when it is asked for`() throws {
    let path = try StoppedProcess.workload("many_calls")
    let script =
      "\(path) 20 40 1 & until grep -q '^State:.T' /proc/$!/status; do :; done; "
      + "kill -CONT $!; wait $!"
    let options = ["syscalls", "-P", "--keys", "100", "-e", "ENOSYS"]
    let work = ["--", "/bin/sh", "-c", script]
    #expect(try EBPF.run(options + work).status == 0)
    let lost = try EBPF.run(options + ["--fail-on-loss"] + work)
    #expect(lost.status == 1)
    #expect(lost.error.contains("700 found no room in the table by process, call and errno"))
  }

  @Test(arguments: [
    ["--syscalls", "opennat"], ["-e", "ENOSUCH"], ["--min-latency", "soon"], ["--stacks"],
    ["--by", "colour"], ["-P", "--by", "errno"], ["--buffer", "3"],
  ])
  func `wrong usage is said before anything is loaded`(options: [String]) throws {
    let command = try EBPF.run(["syscalls", "-d", "1"] + options)
    #expect(command.status == 64 && command.output.isEmpty)
  }

  @Test func `the views have their columns`() throws {
    let work = ["--", "/bin/ls", "/nowhere"]
    func head(_ options: [String]) throws -> [String] {
      let output = try EBPF.run(["syscalls"] + options + work).output
      return output.split(separator: "\n").first.map { $0.split(separator: " ").map(String.init) }
        ?? []
    }
    #expect(
      try head([])
        == ["SYSCALL", "CALLS", "ERRORS", "UNRETURNED", "TOTAL", "MEAN", "P50", "P99", "MAX"])
    #expect(try head(["-P"]).prefix(4) == ["PID", "COMMAND", "CALLS", "ERRORS"])
    #expect(try head(["--by", "cgroup"]).first == "CGROUP")
    #expect(try head(["--by", "errno"]) == ["ERRNO", "SYSCALL", "COUNT", "MEANING"])
    #expect(
      try head(["--summary"])
        == ["%", "time", "seconds", "usecs/call", "calls", "errors", "syscall"])
    let histogram = try EBPF.run(
      ["syscalls", "--histogram", "--syscalls", "exit_group,openat"] + work
    ).output
    #expect(histogram.hasPrefix("openat\n") && histogram.contains("|****"))
    #expect(try EBPF.run(["syscalls", "--list"]).output.contains("\nopenat\n"))
  }
}
