import Glibc
import TestSupport
import Testing

/// `ebpf unwind` as a person and as a script uses it; the walks themselves are in `UnwindingTests`.
@Suite struct UnwindTests {
  @Test func `a file's functions are those that readelf finds`() throws {
    let file = try StoppedProcess.workload("unwind")
    let entries = try Command.output(["readelf", "--debug-dump=frames", file])
      .split(separator: "\n").count { $0.contains(" FDE ") }
    #expect(entries > 10)
    let document = try EBPF.json(["unwind", file])["files"][0]
    #expect(document["file"].text == file)
    #expect(document["functions"].int == entries)
    #expect(document["malformed_entries"].int == 0)
    let covered = try #require(document["covered_percent"].double)
    #expect(covered > 90 && covered <= 100)

    let table = try EBPF.run(["unwind", file])
    #expect(table.status == 0, "\(table.error)")
    #expect(table.output.hasPrefix("ROWS "))
    #expect(table.output.hasSuffix(" \(file)\n"))
    let rows = try EBPF.run(["unwind", "--rows", file]).output.split(separator: "\n")
    #expect(document["rows"].int == rows.count)
    let addresses = rows.compactMap { UInt64($0.prefix { $0 != " " }, radix: 16) }
    #expect(addresses.count == rows.count)
    #expect(addresses == addresses.sorted())
  }

  @Test func `tables walk whole what frame pointers do not`() throws {
    let child = try StoppedProcess(workload: "unwind", ["callback", "60"])
    child.resume()
    let document = try EBPF.json(["unwind", "--check", "\(child.id)", "-d", "0.5", "-F", "997"])
    let samples = try #require(document["samples"].int)
    #expect(samples > 20)
    #expect(document["process"].int == Int(child.id))
    #expect(try #require(document["total"]["tables_whole_percent"].double) >= 99)
    #expect(try #require(document["total"]["frame_pointers_whole_percent"].double) < 10)
    let all = try document["ends"].keys.reduce(0) {
      $0 + (try #require(document["ends"][$1].int))
    }
    #expect(all == samples)
    #expect(document["files"].list.reduce(0) { $0 + ($1["samples"].int ?? 0) } == samples)
  }

  @Test func `perf finds the stacks that tables find`() throws {
    let child = try StoppedProcess(workload: "unwind", ["callback", "60"])
    child.resume()
    let document = try EBPF.json([
      "unwind", "--check", "\(child.id)", "-d", "1", "-F", "297", "--perf",
    ])
    let perf = document["perf"]
    #expect(try #require(perf["samples"].int) > 20)
    #expect(try #require(perf["equal_percent"].double) >= 95, "\(perf)")
    #expect(try #require(perf["other_percent"].double) <= 5, "\(perf)")
    let without = try EBPF.json(["unwind", "--check", "\(child.id)", "-d", "0.2"])
    #expect(without["perf"].isNull)
  }

  @Test func `what perf loses is told`() throws {
    let child = try StoppedProcess(workload: "unwind", ["callback", "60"])
    child.resume()
    let folder = try TemporaryDirectory()
    let path = String(cString: getenv("PATH"))
    // A stack does not fit into its smallest buffer.
    let perf = try folder.write(
      """
      #!/bin/sh
      PATH=\(path)
      case $1 in
        record) shift; exec perf record -m 1 "$@" ;;
        *) exec perf "$@" ;;
      esac
      """, to: "perf")
    #expect(chmod(perf, 0o755) == 0)
    let document = try EBPF.json(
      ["unwind", "--check", "\(child.id)", "-d", "1", "--perf"],
      by: ["/usr/bin/env", "PATH=\(folder.path):\(path)"])
    #expect(try #require(document["perf"]["lost"].int) > 100)
    #expect(document["perf"]["samples"].int == 0)
  }

  @Test(arguments: ["unwind", "unwind-lld", "unwind-static", "unwind-static-pie", "unwind-musl"])
  func `stacks of commands that end soon are whole from their first samples on`(
    workload: String
  ) throws {
    let command = [try StoppedProcess.workload(workload), "recursion", "0.05", "now"]
    var whole = 0
    var all = 0
    // Fifty samples each: a table that comes one look too late is missed by several of a hundred.
    for _ in 0..<10 {
      let walks = try ProfileTests.document(["-F", "997", "-U", "--"] + command)["walks"]
      whole += try #require(walks["outermost"].int)
      all += try walks.keys.reduce(0) { $0 + (try #require(walks[$1].int)) }
    }
    #expect(all > 200)
    #expect(Double(whole) >= 0.99 * Double(all), "\(whole) of \(all) stacks are whole")
  }

  @Test func `without the right to hold it a command runs all the same`() throws {
    let command = [try StoppedProcess.workload("unwind"), "recursion", "0.05", "now"]
    let profile = try EBPF.run(
      ["profile", "-F", "997", "-U", "--json", "--"] + command,
      by: EBPF.root(with: ["bpf", "perfmon"]))
    #expect(profile.status == 0, "\(profile.error)")
    #expect(profile.error.contains("note: the command is not held"), "\(profile.error)")
    #expect(profile.error.contains("CAP_SYS_PTRACE"))
    #expect(try #require(try JSONValue(parsing: profile.output)["totals"]["samples"].int) > 10)
  }

  @Test func `what it cannot do it says`() throws {
    for (arguments, reason) in [
      (["unwind"], "give --check PID or files"),
      (["unwind", "--check", "1", "/bin/true"], "give --check PID or files"),
      (["unwind", "--perf", "/bin/true"], "--perf needs --check PID"),
      (["unwind", "--rows", "--json", "/bin/true"], "--rows is for files"),
    ] {
      let command = try EBPF.run(arguments)
      #expect(command.status == 64)
      #expect(command.error.contains(reason), "\(command.error)")
    }
    for path in ["/nonexistent", "/etc/passwd"] {
      let command = try EBPF.run(["unwind", path])
      #expect(command.status == 2)
      #expect(command.error.contains(path), "\(command.error)")
    }
    let gone = try EBPF.json(["unwind", "--check", "4000000", "-d", "0.1"], status: 2)
    #expect(gone["error"]["code"].text == "not_found")
  }
}
