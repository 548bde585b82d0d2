import Glibc
import TestSupport
import Testing

/// `ebpf processes` as a script and a person see it.
@Suite(.serialized) struct ProcessesTests {
  /// Runs a program of known work below it: what it prints, and what the program says of its children:
  /// kind, process, status.
  private func record(
    _ options: [String], rounds: Int = 1, status: Int32 = 0
  ) throws -> (command: Command, children: [[String]]) {
    let folder = try TemporaryDirectory()
    let file = folder.file("children")
    let work = try StoppedProcess.workload("processes")
    let command = try EBPF.run(
      ["processes"] + options + ["--", work, file, String(rounds), "at-once"])
    #expect(command.status == status, "\(command.error)")
    let text = String(decoding: try contents(ofFile: file), as: UTF8.self)
    return (command, text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) })
  }

  private func lines(_ text: String) throws -> [JSONValue] {
    try text.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
  }

  @Test func `each program is a line of JSON when it ends, and the summary is the last`() throws {
    let (command, children) = try record(["--json", "--forks"], rounds: 3)
    let lines = try lines(command.output)
    let summary = try #require(lines.last)
    #expect(summary["event"].text == "summary" && summary["loss"]["dropped"].int == 0)
    // The command, which executes once, and of eight children one that does so twice and one never.
    let totals = summary["totals"]
    #expect(totals["executed"].int == 1 + 3 * 8 && totals["ended"].int == 1 + 3 * 8)
    #expect(totals["failed"].int == 3 * 5 && totals["replaced"].int == 3)
    #expect(totals["forked"].int == 3 && totals["existing"].int == 0)
    let ends = lines.filter { $0["event"].text == "exit" }
    #expect(ends.count == 1 + 3 * 9 && lines.count == ends.count + 1)
    let parent = try #require(ends.last?["pid"].int)
    for child in children {
      let own = ends.filter { $0["pid"].int == Int(child[1]) }
      let last = try #require(own.last)
      #expect(own.count == (child[0] == "twice" ? 2 : 1) && last["ppid"].int == parent)
      let status = try #require(Int(child[2]))
      if status & 0x7f == 0 {
        #expect(last["exit_code"].int == status >> 8 && last["signal"].isNull)
      } else {
        #expect(last["exit_code"].isNull && last["signal"].text == "SIGKILL")
      }
      #expect(last["origin"].text == (child[0] == "copy" ? "forked" : "executed"))
      #expect(last["truncated"].bool == (child[0] == "many"))
      #expect((last["duration_ns"].int ?? 0) > 0 && last["start_ns"].int != nil)
      if !["copy", "twice", "many"].contains(child[0]) {
        #expect(last["args"].list.map(\.text) == ["processes", "run", child[0]])
      }
      if own.count == 2 { #expect(own[0]["replaced"].bool == true && own[0]["exit_code"].isNull) }
    }
  }

  @Test func `a person sees a table, and may ask for failures or beginnings only`() throws {
    let (all, children) = try record([])
    let rows = all.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(rows[0] == ["PID", "PPID", "UID", "EXIT", "DURATION", "COMMAND"])
    #expect(rows.count == 1 + 1 + 8)
    let killed = try #require(children.first { $0[0] == "kill" })
    let row = try #require(rows.first { $0[0] == killed[1] })
    #expect(row[3] == "SIGKILL" && row.suffix(2) == ["run", "kill"])
    #expect(all.error.contains("9 programs began and 9 ended"), "\(all.error)")
    #expect(all.error.contains("5 failed, 0 dropped, 1 truncated"))

    // exit3, kill, twice and leader; of the copy only with --forks.
    let failed = try record(["-x"]).command.output.split(separator: "\n")
    #expect(failed.count == 1 + 4)
    #expect(try record(["-x", "--forks"]).command.output.split(separator: "\n").count == 1 + 5)
    let starts = try record(["--starts", "-T"]).command.output.split(separator: "\n")
    #expect(starts.count { $0.contains(" exec ") && $0.contains(" run ") } >= 8)
    #expect(starts.count { $0.contains(" exit ") } == 9)
  }

  @Test func `what ran at the end is told, and what was lost is a status`() throws {
    // Ends as soon as its child has become another program, which goes on.
    let script = "sleep 20 & until grep -q sleep /proc/$!/comm; do :; done"
    let running = try EBPF.run(["processes", "--", "/bin/sh", "-c", script])
    #expect(running.status == 0, "\(running.error)")
    let last = try #require(running.output.split(separator: "\n").last)
    #expect(last.contains(" running ") && last.hasSuffix("/sleep 20"), "\(running.output)")
    _ = try record(["--fail-on-loss"], status: 1)
    let refused = try EBPF.run(["processes", "--live"])
    #expect(refused.status == 64)
  }

  @Test func `spans are written for OpenTelemetry`() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("out.otlp")
    let (command, children) = try record(["--otlp", path], rounds: 2)
    #expect(command.error.contains("out.traces.otlp"))
    let rows = try OTLPDecoder.rows("traces", try contents(ofFile: folder.file("out.traces.otlp")))
    let spans = rows.filter { $0[0] == "span" }
    #expect(spans.count == 1 + 2 * 8 && spans.allSatisfy { $0[1] == "processes" })
    for child in children where child[0] != "copy" {
      #expect(spans.contains { $0[6].contains(#""process.pid": \#(child[1]),"#) }, "\(child)")
    }
  }
}
