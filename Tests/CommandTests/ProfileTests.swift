import Glibc
import TestSupport
import Testing

/// `ebpf profile` as a person and as a script uses it; the figures themselves are in
/// `CPUProfilerTests`.
@Suite struct ProfileTests {
  /// Half a second of hot_a and hot_b.
  static func command() throws -> [String] {
    // What the command prints would be among the results.
    ["--", "sh", "-c", "exec \(try StoppedProcess.workload("cpu")) 0.5 > /dev/null"]
  }

  /// Its document; `--json` goes before the command that is profiled.
  static func document(_ arguments: [String], status: Int32 = 0) throws -> JSONValue {
    let profile = try EBPF.run(["profile", "--json"] + arguments)
    #expect(profile.status == status, "\(profile.error)")
    return try JSONValue(parsing: profile.output)
  }

  @Test func `the document has what is promised`() throws {
    let document = try Self.document(["-F", "499"] + Self.command())
    #expect(
      document.keys.isSuperset(of: ["totals", "loss", "overhead", "hooks", "duration_ns"]))
    #expect(document["totals"].keys.isSuperset(of: ["samples", "period_ns", "cpu_time_ns"]))
    #expect(
      document["loss"].keys.isSuperset(of: ["recorded", "dropped", "truncated", "unresolved"]))
    #expect(
      document["overhead"].keys.isSuperset(
        of: ["cpu_percent", "memory_bytes", "kernel_ns", "event_latency_us"]))
    #expect(document["overhead"]["event_latency_us"].keys == ["p50", "p99"])
    let hook = document["hooks"][0]
    #expect(hook.keys == ["need", "used", "refused"])
    #expect(hook["used"].text == "cpu-clock by perf event, bpf_link")
    let samples = try #require(document["totals"]["samples"].int)
    let period = try #require(document["totals"]["period_ns"].int)
    #expect(period == 1_000_000_000 / 499)
    #expect(document["totals"]["cpu_time_ns"].int == samples * period)
    #expect(document["loss"]["recorded"].int == samples)
    #expect(document["functions"][0]["name"].text == "hot_b")
  }

  @Test(arguments: [
    ("html", "<!doctype html>"), ("svg", "<?xml"), ("folded", "cpu;"), ("pb.gz", "\u{1f}"),
    ("speedscope.json", "{"),
  ])
  func `the file's ending picks its format`(ending: String, beginning: String) throws {
    let folder = try TemporaryDirectory()
    let file = folder.file("profile." + ending)
    let profile = try EBPF.run(["profile", "-o", file] + Self.command())
    #expect(profile.status == 0, "\(profile.error)")
    #expect(profile.output.contains("hot_b"))
    #expect(profile.error.hasSuffix("wrote      \(file)\n"))
    let start = try contents(ofFile: file).prefix(beginning.utf8.count)
    #expect(String(decoding: start, as: UTF8.self).lowercased() == beginning)
  }

  @Test func `a process that is gone is refused, and so is an unknown cgroup`() throws {
    for arguments in [["-p", "4000000"], ["--cgroup", "no-such-group"]] {
      let error = try Self.document(["-d", "1"] + arguments, status: 2)["error"]
      #expect(error["code"].text == "not_found")
      #expect(error["hint"].text?.isEmpty == false)
    }
  }

  @Test func `only the process that was asked for is in the profile`() throws {
    let child = try StoppedProcess(workload: "cpu", ["0", "stop"])
    child.resume()
    let document = try Self.document(["-d", "0.5", "-p", "\(child.id)"])
    #expect(document["processes"].list.map { $0["pid"].int } == [Int(child.id)])
    #expect(document["functions"][0]["name"].text == "hot_b")
    child.send(SIGTERM)
    try child.wait()
  }

  // MARK: - Files that cannot be written

  @Test func `a file that cannot be written is refused before anything runs`() throws {
    let folder = try TemporaryDirectory()
    let witness = folder.file("witness")
    for (path, errno) in [("/nowhere/profile.html", "ENOENT"), (folder.path, "EISDIR")] {
      let error = try Self.document(
        ["--format", "html", "-o", path, "--", "touch", witness], status: 2)["error"]
      #expect(error["errno"].text == errno)
      #expect(error["hint"].text?.isEmpty == false)
      #expect(access(witness, F_OK) != 0)
    }
    #expect(try Command.output(["ls", "-A", folder.path]) == "")
  }

  @Test func `a pipe is written to, and stays a pipe`() throws {
    let folder = try TemporaryDirectory()
    let pipe = folder.file("pipe")
    #expect(mkfifo(pipe, 0o600) == 0)
    let copy = folder.file("copy")
    let reader = try RunningCommand(["sh", "-c", "cat \(pipe) > \(copy)"])
    let profile = try EBPF.run(["profile", "--format", "folded", "-o", pipe] + Self.command())
    #expect(profile.status == 0, "\(profile.error)")
    #expect(reader.end(by: 0) == 0)
    #expect(String(decoding: try contents(ofFile: copy), as: UTF8.self).contains(";hot_b "))
    #expect(try Command.output(["stat", "-c", "%F", pipe]) == "fifo\n")
    // Without a reader the recording is shown, and the file is an error.
    let lonely = try EBPF.run(["profile", "--format", "folded", "-o", pipe] + Self.command())
    #expect(lonely.status == 2)
    #expect(lonely.output.contains("hot_b"))
    #expect(lonely.error.contains("nobody reads this pipe"))
  }

  // MARK: - Privileges

  /// Linux 6.18 shows the mappings of other processes to CAP_PERFMON, though not how they are laid
  /// out; older kernels show neither.
  @Test func `functions of others have names where their mappings may be read`() throws {
    let child = try StoppedProcess(workload: "cpu", ["0", "stop"])
    child.resume()
    let user = EBPF.root(with: ["bpf", "perfmon"])
    let isReadable = try Command.run(user + ["head", "-1", "/proc/\(child.id)/maps"]).status == 0
    let profile = try EBPF.run(["profile", "-d", "0.5", "-p", "\(child.id)"], by: user)
    #expect(profile.status == 0, "\(profile.error)")
    if isReadable {
      #expect(profile.output.contains("hot_b"))
    } else {
      #expect(profile.error.contains("of processes that may not be looked into (CAP_SYS_PTRACE)"))
    }
    child.send(SIGTERM)
    try child.wait()
  }
}
