import Glibc
import TestSupport
import Testing

/// `--otlp`, read by OpenTelemetry's own messages.
@Suite(.serialized) struct TelemetryOutputTests {
  /// What each line of a file of JSON lines has, by its first key.
  private func lines(_ path: String) throws -> [(signal: String, rows: [[String]])] {
    let signals = [
      "resourceSpans": "traces", "resourceMetrics": "metrics", "resourceLogs": "logs",
      "resourceProfiles": "profiles",
    ]
    let bytes = try contents(ofFile: path)
    #expect(bytes.last == UInt8(ascii: "\n"))
    return try bytes.split(separator: UInt8(ascii: "\n")).map { line in
      let key = String(
        decoding: line.dropFirst(2).prefix { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
      let signal = try #require(signals[key], "\(key)")
      return (signal, try OTLPDecoder.rows(signal, Array(line), isJSON: true))
    }
  }

  @Test func `calls become metrics, and spans where they fail`() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("out.jsonl")
    let command = try EBPF.run([
      "syscalls", "--trace", "--otlp", path, "--", "cat", "/does/not/exist",
    ])
    #expect(command.status == 0, "\(command.error)")
    #expect(command.error.contains("wrote      \(path)"))
    let lines = try lines(path)
    #expect(lines.map(\.signal) == ["traces", "metrics"])
    let spans = lines[0].rows.filter { $0[0] == "span" && $0[1] == "openat" }
    #expect(
      spans.contains { $0[3] == "2" && $0[6].contains(#""error.type": "ENOENT""#) },
      "\(lines[0].rows)")
    #expect(
      lines[1].rows.contains {
        $0[1] == "process.linux.syscall.count" && $0[4].contains(#""linux.syscall.name": "execve""#)
      })
    let resource = try #require(lines[1].rows.first { $0[0] == "resource" })
    #expect(resource[1].contains(#""service.name": "ebpf""#))
    #expect(!resource[1].contains("process.pid"))
  }

  @Test func `calls that fail become spans without being printed, and all are counted`() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("out.jsonl")
    let work = try StoppedProcess.workload("syscalls")
    let script =
      "\(work) & until grep -q '^State:.T' /proc/$!/status; do :; done; "
      + "kill -CONT $!; wait $!"
    let command = try EBPF.run([
      "syscalls", "--json", "--comm", "syscalls", "--otlp", path, "--", "/bin/sh", "-c", script,
    ])
    #expect(command.status == 0, "\(command.error)")
    let document = try JSONValue(parsing: command.output)
    #expect(document["loss"]["dropped"].int == 0)
    let all = try lines(path)
    let spans = all.filter { $0.signal == "traces" }.flatMap(\.rows).filter { $0[0] == "span" }
    // What the dynamic loader tries in vain is there as well.
    #expect(spans.count { $0[1] == "openat" && $0[3] == "2" } >= 5_000)
    #expect(spans.count < 6_000)
    let calls = document["by_syscall"].list
    #expect(calls.first { $0["name"].text == "getppid" }?["count"].int == 100_000)
  }

  @Test func `the environment says who it is, and what it cannot say is told`() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("out.json")
    let command = try Command.run(
      [EBPF.path, "network", "-d", "0.1", "--otlp", path],
      environment: ["OTEL_SERVICE_NAME": "shop", "OTEL_RESOURCE_ATTRIBUTES": "a=%zz"])
    #expect(command.status == 0, "\(command.error)")
    #expect(command.error.contains("note: OTEL_RESOURCE_ATTRIBUTES is left out: 'a=%zz' has"))
    let resource = try #require(try lines(path).first?.rows.first)
    #expect(resource[1].contains(#""service.name": "shop""#))
  }

  @Test func `the JSON tells what processes published of the spans of their connections`() throws {
    let folder = try TemporaryDirectory()
    let socket = folder.file("control")
    let rounds = 5
    let child = try StoppedProcess([
      try TestPrograms.path("context-publisher"), "network", "\(rounds)",
    ])
    let network = ["network", "--json", "--dns", "--otlp", folder.file("out.jsonl")]
    let running = try RunningCommand(
      [EBPF.path] + network + ["-p", String(child.id), "--control", socket])
    _ = try running.ask(#"{"request": "overhead"}"#, at: socket)
    #expect(try child.finish() == 0)
    #expect(try EBPF.run(["control", socket, "stop"]).status == 0)
    let document = try running.document()
    #expect(running.end(by: 0) == 0)
    // In three spans a connection, one that is refused and a query each round, and one more besides.
    let contexts = document["contexts"]
    #expect(contexts["processes"].int == 1 && contexts["linked_samples"].int == 9 * rounds + 1)
    for key in ["unreadable", "unplaced", "without_room", "lost_links", "unreadable_links"] {
      #expect(contexts[key].int == 0, "\(key)")
    }
    #expect(document["connections"].list.count == 12 * rounds + 1)
  }

  @Test func `where nobody publishes the JSON has nothing of it`() throws {
    let folder = try TemporaryDirectory()
    let command = try EBPF.run([
      "network", "--json", "--otlp", folder.file("out.jsonl"), "--", "true",
    ])
    #expect(command.status == 0, "\(command.error)")
    let document = try JSONValue(parsing: command.output)
    #expect(document["loss"]["dropped"].int == 0 && !document.keys.contains("contexts"))
  }

  @Test func `connections that are not listed are no spans, and that is said`() throws {
    let folder = try TemporaryDirectory()
    let work = try StoppedProcess.workload("network")
    let script =
      "\(work) & until grep -q '^State:.T' /proc/$!/status; do :; done; kill -CONT $!; wait"
    let command = try EBPF.run([
      "network", "--max-listed", "10", "--comm", "network", "--otlp", folder.file("n.jsonl"), "--",
      "/bin/sh", "-c", script,
    ])
    #expect(command.status == 0, "\(command.error)")
    #expect(
      command.error.contains(
        "note: for OpenTelemetry 90 connections, sockets and queries are in sums only: raise "
          + "--max-listed"), "\(command.error)")
    let rows = try lines(folder.file("n.jsonl")).flatMap(\.rows)
    #expect(rows.count { $0[0] == "span" } == 10)
    #expect(
      rows.filter { $0[0] == "point" && $0[1] == "system.network.socket.io" }.map { $0[7] } == [
        "1020360", "1020360",
      ])
  }

  @Test func `protocol buffers have a file for each request`() throws {
    let folder = try TemporaryDirectory()
    let command = try EBPF.run([
      "trace", "profile,syscalls,network,memory", "--otlp", folder.file("all.otlp"), "--json", "--",
      "sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done",
    ])
    #expect(command.status == 0, "\(command.error)")
    _ = try JSONValue(parsing: command.output)
    let names = try Command.output(["ls", folder.path]).split(separator: "\n").map(String.init)
    #expect(
      Set(names).isSuperset(of: [
        "all.metrics.otlp", "all.metrics-2.otlp", "all.metrics-3.otlp", "all.profiles.otlp",
      ]), "\(names)")
    for name in names {
      let signal = String(name.dropFirst(4).prefix { $0.isLetter })
      #expect(try !OTLPDecoder.rows(signal, try contents(ofFile: folder.file(name))).isEmpty)
    }
  }

  @Test func `a profile of time off the CPU can be written`() throws {
    let folder = try TemporaryDirectory()
    let command = try EBPF.run([
      "profile", "--off-cpu", "--otlp", folder.file("off.otlp"), "--", "sleep", "0.1",
    ])
    #expect(command.status == 0, "\(command.error)")
    let rows = try OTLPDecoder.rows(
      "profiles", try contents(ofFile: folder.file("off.profiles.otlp")))
    #expect(rows.contains { $0[0] == "profile" && $0[1] == "off_cpu" && $0[2] == "nanoseconds" })
  }

  @Test func `a file of another ending, or in no folder, is refused before anything is traced`()
    throws
  {
    let ending = try EBPF.run(["memory", "-d", "0.1", "--otlp", "/tmp/out.txt"])
    #expect(ending.status == 64 && ending.error.contains("'/tmp/out.txt'"), "\(ending.error)")
    let folder = try EBPF.run(["memory", "-d", "60", "--otlp", "/nowhere/out.jsonl"])
    #expect(folder.status == 2 && folder.error.contains("/nowhere/out"), "\(folder.error)")
  }
}
