import EBPFSystem
import Glibc
import TestSupport
import Testing

/// `ebpf` in a pid namespace of its own, as in a container without `--pid=host`: its `/proc` numbers
/// processes otherwise than the kernel's programs do.
@Suite(.serialized) struct NamespaceTests {
  /// Runs a script as the first process of new pid and mount namespaces; what it leaves behind ends
  /// with it.
  private func inside(_ script: String) throws -> Command {
    try Command.run(["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", script])
  }

  private func document(_ script: String) throws -> JSONValue {
    let run = try inside(script)
    #expect(run.status == 0, "\(run.error)")
    return try JSONValue(parsing: run.output)
  }

  private func names(_ document: JSONValue) -> Set<String> {
    Set(document["functions"].list.compactMap { $0["name"].text })
  }

  @Test func `a process has names by its number there`() throws {
    let cpu = try StoppedProcess.workload("cpu")
    let document = try document(
      "\(cpu) 60 >/dev/null & exec \(EBPF.path) profile --json -F 499 -d 1 -p $!")
    #expect(document["functions"][0]["name"].text == "hot_b")
    #expect(names(document).isSuperset(of: ["hot_a", "hot_b"]))
    #expect(document["processes"].list.count == 1)
  }

  @Test func `programs that begin and end meanwhile have names`() throws {
    let short = try StoppedProcess.workload("short-lived")
    let document = try document(
      "exec \(EBPF.path) profile --json -F 997 -U --top 1000 -- \(short) 100 10 plain")
    let life = document["functions"].list.filter { $0["name"].text == "short_life" }
    let samples = try #require(document["totals"]["samples"].int)
    #expect(samples > 500)
    // The rest is exec, the clock, and samples taken before there is a table for the program.
    let total = life.reduce(0) { $0 + ($1["total_samples"].int ?? 0) }
    #expect(
      Double(total) > 0.6 * Double(samples), "\(total) of \(samples): \(document["functions"])")
  }

  @Test func `waits have names, and whole stacks`() throws {
    let waits = try StoppedProcess.workload("waits-noframes")
    let document = try document(
      "exec \(EBPF.path) profile --json --off-cpu -- sh -c '\(waits) switch 5000 >/dev/null'")
    let stacks = document["waits"].list.map { $0["stack"].list.compactMap(\.text) }
    #expect(
      stacks.contains { $0[0] == "[blocked: sleeping]" && $0.contains("main") }, "\(stacks)")
    #expect(
      stacks.contains { $0[0] == "[blocked: sleeping]" && $0.contains("answer") }, "\(stacks)")
  }

  @Test func `blocks in use have names`() throws {
    let memory = try StoppedProcess.workload("memory")
    let script =
      "\(memory) & until grep -q \"^State:.T\" /proc/$!/status; do :; done; kill -CONT $!; wait $!"
    let document = try document(
      "exec \(EBPF.path) memory --json --exact -- sh -c '\(script)'")
    let blocks = document["leaks"].list.filter { $0["command"].text == "memory" }
    #expect(Set(blocks.compactMap { $0["size"].int }).isSuperset(of: 901...1000))
    let own = blocks.filter { (901...1000).contains($0["size"].int ?? 0) }
    #expect(own.allSatisfy { $0["stack"][0].text == "main" }, "\(own.prefix(2))")
  }

  @Test func `the live view has names`() throws {
    let terminal = try TerminalSession(columns: 100, rows: 30)
    let cpu = try StoppedProcess.workload("cpu")
    let script = try terminal.directory.write(
      "\(cpu) 60 >/dev/null & exec \(EBPF.path) profile --live -F 499 -p $!\n", to: "run")
    try terminal.enter("clear; unshare --pid --fork --mount-proc sh \(script)")
    try terminal.until("the hot functions") { $0.contains("hot_a") && $0.contains("hot_b") }
    try terminal.press("q")
    try terminal.until("the result") { $0.contains("overhead") }
  }

  @Test func `in a container of Podman and runc functions have names`() throws {
    let root = try TemporaryDirectory()
    let shell = try Command.output(["sh", "-c", "readlink -f /bin/busybox"]).dropLast()
    _ = try Command.output(["install", "-D", String(shell), root.file("bin/busybox")])
    _ = try Command.output(["install", EBPF.path, root.file("ebpf")])
    _ = try Command.output([
      "install", try StoppedProcess.workload("cpu-static"), root.file("cpu"),
    ])
    let run = try Command.run(
      [
        "podman", "--runtime", "runc", "run", "--rm", "--privileged", "--network=none",
        "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--rootfs", root.path,
        "/bin/busybox", "sh", "-c",
        "/cpu 60 >/dev/null & exec /ebpf profile --json -F 499 -d 1 -p $!",
      ])
    #expect(run.status == 0, "\(run.error)")
    let document = try JSONValue(parsing: run.output)
    #expect(names(document).isSuperset(of: ["hot_a", "hot_b"]))
  }
}
