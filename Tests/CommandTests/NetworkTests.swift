import Glibc
import TestSupport
import Testing

/// `ebpf network` as a script and a person see it.
@Suite(.serialized) struct NetworkTests {
  /// Runs a shell that starts a workload, continues it at its stop, and waits for its end.
  private func record(
    _ options: [String], _ workload: String, _ arguments: [String] = []
  ) throws -> Command {
    let words = ([try StoppedProcess.workload(workload)] + arguments).joined(separator: " ")
    let script =
      "\(words) & until grep -q '^State:.T' /proc/$!/status; do :; done; kill -CONT $!; wait $!"
    return try EBPF.run(["network"] + options + ["--", "/bin/sh", "-c", script])
  }

  @Test func `exact totals and every connection of a command's child, in JSON`() throws {
    let command = try record(["--json"], "network")
    #expect(command.status == 0, "\(command.error)")
    let document = try JSONValue(parsing: command.output)
    let totals = document["totals"]
    #expect(totals["tcp_connections"].int == 50)
    #expect(totals["tcp_accepts"].int == 50)
    #expect(totals["tcp_failures"].int == 0)
    #expect(totals["udp_sessions"].int == 2)
    #expect(totals["bytes_sent"].int == 1_020_360)
    #expect(totals["bytes_received"].int == 1_020_360)
    #expect(totals["retransmits"].int == 0)
    #expect((totals["packets_captured"].int ?? 0) > 60)
    let connections = document["connections"].list
    #expect(connections.count == 100)
    let connects = connections.filter { $0["role"].text == "connect" }
    #expect(connects.count == 50)
    #expect(connects.allSatisfy { $0["bytes_sent"].int == 20_000 })
    #expect(connects.allSatisfy { $0["bytes_received"].int == 100 })
    #expect(connects.allSatisfy { ($0["duration_ns"].int ?? 0) > 0 && $0["error"] == .null })
    #expect(connects.allSatisfy { $0["health"]["congestion_algorithm"].text != nil })
    #expect(document["loss"]["dropped"].int == 0)
    #expect(document.keys.isSuperset(of: ["totals", "loss", "overhead", "hooks", "duration_ns"]))
    let needs = document["hooks"].list.compactMap { $0["need"].text }
    #expect(needs.contains("connections") && needs.contains("datagrams"))
  }

  @Test func `events are one JSON object a line, and the summary is the last`() throws {
    let command = try record(["--events", "--json"], "sockets", ["failures"])
    #expect(command.status == 0, "\(command.error)")
    let lines = try command.output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    let failed = lines.filter { $0["event"].text == "fail" }
    #expect(
      Set(failed.compactMap { $0["connection"]["error"].text }) == [
        "ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "EADDRNOTAVAIL",
      ])
    #expect(lines.last?["totals"]["tcp_failures"].int == 6)
  }

  @Test func `events are lines that begin with what happened`() throws {
    let command = try record(["--events", "-w"], "sockets", ["rounds", "5"])
    let lines = command.output.split(separator: "\n")
    #expect(lines.first?.hasPrefix("EVENT") == true)
    for (event, count) in [("connect ", 5), ("accept ", 5), ("close ", 10)] {
      #expect(lines.filter { $0.hasPrefix(event) }.count == count, "\(command.output)")
    }
    #expect(command.error.contains("5 connects, 5 accepts, 0 failed"))
  }

  @Test func `the tables have the connections, the names asked for and the distribution`() throws {
    let command = try record(["--histogram", "--dns", "--top", "10"], "sockets", ["dns"])
    #expect(command.output.contains("LOCAL (UDP)"))
    #expect(command.output.contains("missing.example.test"))
    #expect(command.error.contains("25 queries, 2 malformed messages"))
    let rounds = try record(["--histogram"], "sockets", ["rounds", "5"])
    #expect(rounds.output.contains("connect time (µs)  COUNT  DISTRIBUTION"))
  }

  @Test(arguments: [
    ["-4", "-6"], ["-L", "70000"], ["-D", "80,"], ["-i", "0"], ["-i", "1", "--events"],
    ["--top", "-1"], ["--max-listed", "-1"],
  ])
  func `wrong options are refused before anything is loaded`(options: [String]) throws {
    #expect(try EBPF.run(["network"] + options).status == 64)
  }

  @Test func `a namespace that is not there is named`() throws {
    let command = try EBPF.run(["network", "--netns", "/no/such/netns"])
    #expect(command.status == 2)
    #expect(command.error.contains("cannot look at network namespace '/no/such/netns'"))
  }

  @Test func `nothing stays in the kernel after a kill`() throws {
    let child = try StoppedProcess(workload: "sockets", ["twice"])
    let running = try RunningCommand([EBPF.path, "network", "-p", String(child.id)])
    // It records when the last of its programs, the one that sees processes end, has its link.
    var programs: Set<String> = []
    while programs.isEmpty {
      try running.checkRunning()
      let text = try Command.run([
        "sh", "-c", "cat /proc/\(running.pid)/fdinfo/* 2>/dev/null",
      ]).output
      guard text.contains("sched_process_exit") else { continue }
      let lines = text.split(separator: "\n").filter { $0.hasPrefix("prog_id:") }
      programs = Set(lines.map { String($0.filter(\.isNumber)) })
    }
    #expect(programs.count > 10)
    #expect(running.end(by: SIGKILL) == 128 + SIGKILL)
    // The kernel frees programs a moment after their last user is gone.
    for id in programs {
      while try Command.run(["bpftool", "prog", "show", "id", id]).status == 0 { sched_yield() }
    }
  }
}
