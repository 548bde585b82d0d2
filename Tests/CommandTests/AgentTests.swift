import Glibc
import TestSupport
import Testing

/// `ebpf agent` as an operator runs it.
@Suite(.serialized) struct AgentTests {
  @Test func `what tracers see is exported exactly, at the latest at the end`() throws {
    let work = try StoppedProcess(workload: "syscalls")
    let agent = try RunningAgent(
      """
      tracers: {syscalls: {}}
      filter: {processes: [\(work.id)]}
      file: {path: $OUT}
      """)
    try agent.wait(for: "tracing: syscalls")
    try agent.wait(for: "kept CAP_")
    #expect(try work.finish() == 0)
    #expect(agent.process.end(by: SIGTERM) == 0)
    let calls = try agent.points("process.linux.syscall.count").map(\.value).reduce(0, +)
    #expect(calls == 111_001)
    let failed = try agent.points("process.linux.syscall.count").filter {
      $0.attributes.contains(#""error.type": "ENOENT""#)
    }
    #expect(failed.map(\.value) == [5_000])
    let recorded = try agent.points("ebpf.tracer.events").filter {
      $0.attributes.contains(#""recorded""#)
    }
    #expect(recorded.map(\.value) == [111_001])
  }

  @Test func `calls that fail become spans`() throws {
    let agent = try RunningAgent(
      """
      tracers: {syscalls: {spans: {failed: true}}}
      filter: {commands: [cat]}
      file: {path: $OUT}
      resource: {deployment.environment.name: test}
      """)
    try agent.wait(for: "kept CAP_")
    #expect(try Command.run(["cat", "/does/not/exist"]).status == 1)
    #expect(agent.process.end(by: SIGTERM) == 0)
    let rows = try contents(ofFile: agent.folder.file("out.jsonl"))
      .split(separator: UInt8(ascii: "\n"))
      .filter { $0.starts(with: Array(#"{"resourceSpans""#.utf8)) }
      .flatMap { try OTLPDecoder.rows("traces", Array($0), isJSON: true) }
    #expect(
      rows.contains {
        $0[0] == "span" && $0[1] == "openat" && $0[3] == "2"
          && $0[6].contains(#""error.type": "ENOENT""#)
      })
    #expect(
      rows.contains {
        $0[0] == "resource" && $0[1].contains(#""deployment.environment.name": "test""#)
      })
  }

  @Test func `of a burst of 111,001 calls the 5,000 that fail become spans, and none is lost`()
    throws
  {
    let work = try StoppedProcess(workload: "syscalls")
    let agent = try RunningAgent(
      """
      tracers: {syscalls: {spans: {failed: true, min-latency: 1h}}}
      filter: {processes: [\(work.id)]}
      file: {path: $OUT}
      """)
    try agent.wait(for: "kept CAP_")
    #expect(try work.finish() == 0)
    #expect(agent.process.end(by: SIGTERM) == 0)
    let spans = try agent.spans()
    #expect(spans.count == 5_000)
    #expect(
      spans.allSatisfy {
        $0[1] == "openat" && $0[3] == "2" && $0[6].contains(#""error.type": "ENOENT""#)
      })
    let calls = try agent.points("process.linux.syscall.count").map(\.value).reduce(0, +)
    #expect(calls == 111_001)
    for point in try agent.points("ebpf.tracer.events") {
      if point.attributes.contains(#""recorded""#) { #expect(point.value == 111_001) }
      if point.attributes.contains(#""dropped""#) { #expect(point.value == 0) }
    }
  }

  @Test func `each program that ends becomes a span`() throws {
    let folder = try TemporaryDirectory()
    let file = folder.file("children")
    let work = try StoppedProcess(workload: "processes", [file, "3"])
    let agent = try RunningAgent(
      """
      tracers: {processes: {}}
      filter: {processes: [\(work.id)], children: true}
      file: {path: $OUT}
      """)
    try agent.wait(for: "tracing: processes")
    try agent.wait(for: "kept CAP_")
    #expect(try work.finish() == 0)
    #expect(agent.process.end(by: SIGTERM) == 0)
    let spans = try agent.spans()
    // Of eight children one executes two programs and one none; and the parent.
    #expect(spans.count == 3 * 8 + 1)
    #expect(spans.allSatisfy { $0[1] == "processes" && !$0[6].contains("command_args") })
    for (error, count) in [("3", 3), ("5", 3), ("6", 3), ("SIGKILL", 3)] {
      let failed = spans.filter { $0[3] == "2" && $0[6].contains(#""error.type": "\#(error)""#) }
      #expect(failed.count == count, "\(error)")
    }
    let children = String(decoding: try contents(ofFile: file), as: UTF8.self)
    for line in children.split(separator: "\n") where !line.hasPrefix("copy ") {
      let process = #""process.pid": \#(line.split(separator: " ")[1]),"#
      #expect(spans.contains { $0[6].contains(process) }, "\(line)")
    }
    let recorded = try agent.points("ebpf.tracer.events").filter {
      $0.attributes.contains(#""recorded""#) && $0.attributes.contains(#""processes""#)
    }
    #expect(recorded.map(\.value) == [3 * 16 + 1])
  }

  @Test func `all four run, and their state and metrics can be asked for`() throws {
    let agent = try RunningAgent(
      """
      interval: 1s
      export: {traces: none, metrics: prometheus, logs: none, profiles: none}
      prometheus: {host: localhost, port: 0}
      """)
    try agent.wait(for: "tracing: memory, network, profile, syscalls")
    var page = ""
    // The first metrics come after the first interval. Without the right to list programs the agent
    // knows its own.
    while !page.contains("\nebpf_tracer_events_total{")
      || !page.contains(/\nbpf_program_runs_total{[^}]*bpf_program_name="profile_/)
    {
      page = try agent.page("/metrics")
      try agent.process.checkRunning()
    }
    for tracer in ["memory", "network", "profile", "syscalls"] {
      #expect(page.contains("\"\(tracer)\""), "\(tracer)")
    }
    #expect(agent.process.end(by: SIGINT) == 0)

    let other = try RunningAgent("health: {port: 0}\nfile: {path: $OUT}\ntracers: {network: {}}")
    try other.wait(for: "tracing: network")
    #expect(
      try other.page("/health").contains(
        #""status":"ok","tracers":[{"is_working":true,"name":"network"}]"#))
    #expect(other.process.end(by: SIGTERM) == 0)
  }

  @Test func `a wrong configuration changes nothing, a right one does`() throws {
    let agent = try RunningAgent("file: {path: $OUT}\ntracers: {network: {}}")
    try agent.wait(for: "tracing: network")
    try agent.reload("file: {path: $OUT}\ntracers: {network: {}, syscalls: {by: moon}}")
    let line = try agent.wait(for: "agent.yaml:2:39: tracers.syscalls.by: takes one of process, ")
    #expect(line.contains("not 'moon'"))
    try agent.wait(for: "the configuration is not changed")
    try agent.reload("file: {path: /nowhere/out}\ntracers: {network: {}}")
    try agent.wait(for: "'/nowhere/out' cannot be opened")
    try agent.wait(for: "the configuration is not changed")
    try agent.wait(for: "tracing: network")
    try agent.reload("file: {path: $OUT}\ntracers: {network: {}, syscalls: {by: cgroup}}")
    try agent.wait(for: "tracing: network, syscalls")
    try agent.wait(for: "the configuration was read again")
    #expect(agent.process.end(by: SIGTERM) == 0)
    #expect(try !agent.points("process.linux.syscall.count").isEmpty)
  }

  @Test func `a spool is handed on from one configuration to the next`() throws {
    // Nobody listens: everything waits on disk.
    func configuration(_ rest: String) -> String {
      """
      otlp: {endpoint: "http://localhost:1"}
      queue: {spool: {path: $OUT.spool}}
      \(rest)
      """
    }
    let agent = try RunningAgent(configuration("tracers: {network: {}}"))
    try agent.wait(for: "tracing: network")
    // The same exporters go on; others begin when the first have let the spool go.
    for rest in [
      "tracers: {memory: {}}", "tracers: {memory: {}}\nfile: {path: $OUT}\nexport: {metrics: otlp}",
    ] {
      try agent.reload(configuration(rest))
      try agent.wait(for: "tracing: memory")
      try agent.wait(for: "the configuration was read again")
    }
    #expect(agent.process.end(by: SIGTERM) == 0)
    #expect(try !agent.log.contains("not changed"))
    let waiting = try Command.output([
      "find", agent.folder.file("out.jsonl.spool"), "-name", "*.otlp",
    ])
    #expect(!waiting.isEmpty)
  }

  @Test func `the time in the kernel of a storm of calls is part of what recording costs`() throws {
    let agent = try RunningAgent(
      """
      tracers: {syscalls: {}}
      max-overhead: 5%
      export: {traces: none, metrics: none, logs: none}
      """)
    try agent.wait(for: "kept CAP_")
    // The agent itself does next to nothing.
    let storm = try RunningCommand(["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "status=none"])
    let line = try agent.wait(for: "recording cost ")
    #expect(line.contains("limit 5.0 %: one event in "), "\(line)")
    storm.send(SIGKILL)
    #expect(agent.process.end(by: SIGTERM) == 0)
  }

  @Test func `what is in effect can be printed, and what is wrong is told at once`() throws {
    let deploy = Fixtures.directory + "/../../scripts/deploy/agent.yaml"
    let printed = try Command.run(
      [EBPF.path, "agent", "--config", deploy, "--print-config"],
      environment: ["OTEL_EXPORTER_OTLP_ENDPOINT": "https://there:1"])
    #expect(printed.status == 0, "\(printed.error)")
    #expect(printed.output.contains("\n  endpoint: \"https://there:1\"\n"))
    #expect(printed.output.contains("\nmax-overhead: 2.0%\n"))

    let folder = try TemporaryDirectory()
    let file = try folder.write(
      "interval: 1\notlp: {protocol: grpc, compression: zip}\n", to: "a.yaml")
    let wrong = try EBPF.run(["agent", "--config", file])
    #expect(wrong.status == 2)
    #expect(wrong.error.hasPrefix("error: \(file):1:11: interval: takes a duration"))
    let missing = try EBPF.run(["agent", "--config", folder.file("none")])
    #expect(missing.status == 2)
    #expect(
      missing.error == "error: \(folder.file("none")): cannot be read: no such file or directory\n")
    let exporter = try EBPF.run([
      "agent", "--config",
      try folder.write(
        "otlp: {compression: zip}\n", to: "b.yaml"),
    ])
    #expect(exporter.status == 2)
    #expect(exporter.error.contains("b.yaml:1:8: otlp.compression: OTEL_EXPORTER_OTLP_COMPRESSION"))
  }
}
