import EBPF
import EBPFSystem
import EBPFTelemetry
import EBPFTracers
import Glibc
import OTLP
import TestSupport
import Testing

/// Capabilities 31 and 32: what tracers saw of programs of known work, as OpenTelemetry's own messages
/// read it.
@Suite(.serialized) struct TelemetryTests {
  private let options = LiveTelemetry.options

  private func rows(
    _ exports: [TelemetryExport], _ signal: TelemetrySignal, _ kind: String
  ) throws -> [[String]] {
    try LiveTelemetry.rows(exports, signal, kind)
  }

  /// The values of a metric, by attributes as JSON: a number, or the number of values of a histogram.
  private func values(_ points: [[String]], _ name: String) -> [String: Int] {
    var values: [String: Int] = [:]
    for point in points where point[1] == name { values[point[4]] = Int(point[7]) }
    return values
  }

  private func expectWindow(
    _ rows: [[String]], from begin: UInt64, to end: UInt64, columns: (Int, Int),
    location: SourceLocation = #_sourceLocation
  ) {
    for row in rows {
      guard let start = UInt64(row[columns.0]), let stop = UInt64(row[columns.1]) else {
        Issue.record("no times: \(row)", sourceLocation: location)
        return
      }
      #expect(
        begin <= start && start <= stop && stop <= end,
        "\(row) not in \(begin)...\(end)", sourceLocation: location)
    }
  }

  // MARK: - Capability 31: event → span

  @Test func `Capability 31: each of 5,000 calls that fail is a span with its error`() throws {
    let child = try StoppedProcess(workload: "syscalls")
    var configuration = SyscallTracerConfiguration()
    configuration.filter.processes = [child.id]
    configuration.sendsEvents = true
    configuration.eventBufferBytes = 64 << 20
    var options = options
    options.syscallSpans.minimumNanoseconds = nil
    let begin = Clock.wall.now
    var telemetry = SyscallTelemetry(options, start: begin)
    let tracer = SyscallTracer(configuration)
    try tracer.start()
    #expect(try child.finish() == 0)
    let summary = try tracer.stop()
    let end = Clock.wall.now + 1_000_000
    #expect(summary.losses.events == 0)
    for event in summary.unreadEvents { telemetry.add(event) }
    let exports = telemetry.collect(summary)

    let spans = try rows(exports, .traces, "span")
    #expect(spans.count == 5_000)
    #expect(try rows(exports, .traces, "traces") == [["traces", "5000"]])
    let expected =
      #"{"error.type": "ENOENT", "linux.syscall.name": "openat", "process.pid": \#(child.id), "#
      + #""thread.id": \#(child.id), "thread.name": "syscalls"}"#
    // Kind 1 is internal, status 2 an error.
    #expect(
      spans.allSatisfy {
        $0[1] == "openat" && $0[2] == "1" && $0[3] == "2" && $0[6] == expected
      }, "\(spans.first ?? [])")
    expectWindow(spans, from: begin, to: end, columns: (4, 5))
    #expect(telemetry.statistics.events == 111_001)
    #expect(telemetry.statistics.spans == 5_000)
    #expect(telemetry.statistics.unwanted == 106_001)
    #expect(telemetry.statistics.dropped.isEmpty)
    #expect(telemetry.collect(summary).allSatisfy { $0.signal != .traces })
  }

  @Test func `Capability 31: fifty connections are a hundred spans, one for each end`() throws {
    let child = try StoppedProcess(workload: "network")
    var configuration = NetworkTracerConfiguration()
    configuration.filter.follow(child.id)
    let queue = NetworkEventQueue()
    let begin = Clock.wall.now
    var telemetry = NetworkTelemetry(options, start: begin)
    let tracer = NetworkTracer(configuration, listener: queue.listener)
    try tracer.start()
    #expect(try child.finish() == 0)
    let activity = try tracer.stop()
    let end = Clock.wall.now + 1_000_000
    telemetry.addAll(of: queue)
    let spans = try rows(telemetry.collect(activity), .traces, "span")
    #expect(spans.count == 100)
    // Kind 3 asked, kind 2 was asked; nothing failed.
    #expect(spans.count { $0[2] == "3" } == 50 && spans.count { $0[2] == "2" } == 50)
    #expect(spans.allSatisfy { $0[1] == "tcp connection" && $0[3] == "0" })
    for span in spans {
      let isClient = span[2] == "3"
      for text in [
        #""network.tcp.transmit.size": \#(isClient ? 20_000 : 100)"#,
        #""network.tcp.receive.size": \#(isClient ? 100 : 20_000)"#,
        #""network.local.address": "127.0.0.1""#, #""network.peer.address": "127.0.0.1""#,
        #""network.transport": "tcp""#, #""network.type": "ipv4""#,
        #""process.pid": \#(child.id)"#, #""thread.name": "network""#,
      ] {
        #expect(span[6].contains(text), "\(span[6])")
      }
    }
    expectWindow(spans, from: begin, to: end, columns: (4, 5))
    #expect(telemetry.statistics.events == 100 && telemetry.statistics.spans == 100)
  }

  @Test func `Capability 31: connects and DNS queries that fail are spans with their error`() throws
  {
    func spans(_ scenario: String) throws -> (spans: [[String]], points: [[String]]) {
      let child = try StoppedProcess(workload: "sockets", [scenario])
      var configuration = NetworkTracerConfiguration()
      configuration.filter.follow(child.id)
      configuration.recordsDNS = true
      var telemetry = NetworkTelemetry(options)
      let tracer = NetworkTracer(configuration)
      try tracer.start()
      #expect(try child.finish() == 0)
      let activity = try tracer.stop()
      telemetry.addListed(activity)
      let exports = telemetry.collect(activity)
      return (
        try rows(exports, .traces, "span"), try rows(exports, .metrics, "point")
      )
    }
    let (connects, points) = try spans("failures")
    let failed = connects.filter { $0[1] == "tcp connect" }
    #expect(!failed.isEmpty && failed.allSatisfy { $0[2] == "3" && $0[3] == "2" })
    let refused = failed.count { $0[6].contains(#""error.type": "refused""#) }
    #expect(refused > 0)
    let failures = values(points, "system.network.tcp.connection.failures")
    #expect(failures[#"{"error.type": "refused"}"#] == refused)
    #expect(failures.values.reduce(0, +) == failed.count)

    let (queries, lookups) = try spans("dns")
    let named = queries.filter { $0[1] == "dns lookup" }
    #expect(named.count == 25)
    #expect(named.count { $0[3] == "0" } == 21, "\(named)")
    for error in ["NXDOMAIN", "REFUSED", "timeout"] {
      #expect(named.contains { $0[3] == "2" && $0[6].contains(#""error.type": "\#(error)""#) })
    }
    #expect(
      values(lookups, "dns.lookup.duration")[#"{"dns.question.name": "answer.test"}"#] == 20)
  }

  // MARK: - Capability 32: event → metric

  @Test func `Capability 32: 111,000 durations, counts by call and error, and no second time`()
    throws
  {
    let child = try StoppedProcess(workload: "syscalls")
    var configuration = SyscallTracerConfiguration()
    configuration.filter.processes = [child.id]
    let begin = Clock.wall.now
    var telemetry = SyscallTelemetry(options, start: begin)
    let tracer = SyscallTracer(configuration)
    try tracer.start()
    #expect(try child.finish() == 0)
    let first = try rows(telemetry.collect(try tracer.snapshot()), .metrics, "point")
    let second = try rows(telemetry.collect(try tracer.snapshot()), .metrics, "point")
    let summary = try tracer.stop()

    let durations = values(first, "process.linux.syscall.duration")
    #expect(
      durations == [
        #"{"linux.syscall.name": "getppid"}"#: 100_000,
        #"{"linux.syscall.name": "openat"}"#: 8_000,
        #"{"linux.syscall.name": "close"}"#: 3_000,
      ])
    #expect(durations.values.reduce(0, +) == 111_000)
    let inside = summary.calls.reduce(0) { $0 + $1.totalNanoseconds }
    let sum = first.filter { $0[1] == "process.linux.syscall.duration" }
      .reduce(0.0) { $0 + (Double($1[8]) ?? .nan) }
    #expect(abs(sum - Double(inside) / 1e9) < 1e-9)
    let process = #""process.executable.name": "syscalls""#
    #expect(
      values(first, "process.linux.syscall.count") == [
        #"{"linux.syscall.name": "getppid", \#(process)}"#: 100_000,
        #"{"linux.syscall.name": "openat", \#(process)}"#: 3_000,
        #"{"error.type": "ENOENT", "linux.syscall.name": "openat", \#(process)}"#: 5_000,
        #"{"linux.syscall.name": "close", \#(process)}"#: 3_000,
        #"{"linux.syscall.name": "exit_group", \#(process)}"#: 1,
      ])
    // The same sums since the same moment, and not twice as much.
    for name in ["process.linux.syscall.duration", "process.linux.syscall.count"] {
      #expect(values(second, name) == values(first, name))
    }
    #expect((first + second).allSatisfy { $0[5] == String(begin) })
    expectWindow(first + second, from: begin, to: Clock.wall.now, columns: (5, 6))
  }

  @Test func `Capability 32: calls are all counted where nobody is told apart`() throws {
    let child = try StoppedProcess(workload: "syscalls")
    var configuration = SyscallTracerConfiguration()
    configuration.filter.processes = [child.id]
    configuration.grouping = .none
    var telemetry = SyscallTelemetry(options)
    let tracer = SyscallTracer(configuration)
    try tracer.start()
    #expect(try child.finish() == 0)
    let points = try rows(telemetry.collect(try tracer.stop()), .metrics, "point")
    #expect(
      values(points, "process.linux.syscall.count") == [
        #"{"linux.syscall.name": "getppid"}"#: 100_000,
        #"{"linux.syscall.name": "openat"}"#: 3_000,
        #"{"error.type": "ENOENT", "linux.syscall.name": "openat"}"#: 5_000,
        #"{"linux.syscall.name": "close"}"#: 3_000,
        #"{"linux.syscall.name": "exit_group"}"#: 1,
      ])
  }

  @Test func `Capability 32: 1,020,360 bytes each way, and what became of the connections`() throws
  {
    let child = try StoppedProcess(workload: "network")
    var configuration = NetworkTracerConfiguration()
    configuration.filter.follow(child.id)
    let queue = NetworkEventQueue()
    var telemetry = NetworkTelemetry(options)
    let tracer = NetworkTracer(configuration, listener: queue.listener)
    try tracer.start()
    #expect(try child.finish() == 0)
    let half = try tracer.activity()
    telemetry.addAll(of: queue)
    let first = try rows(telemetry.collect(half), .metrics, "point")
    let activity = try tracer.stop()
    telemetry.addAll(of: queue)
    let second = try rows(telemetry.collect(activity), .metrics, "point")
    let transmit = #"{"network.io.direction": "transmit"}"#
    let receive = #"{"network.io.direction": "receive"}"#
    let client = #"{"network.tcp.handshake.role": "client"}"#
    let server = #"{"network.tcp.handshake.role": "server"}"#
    for points in [first, second] {
      #expect(
        values(points, "system.network.socket.io") == [transmit: 1_020_360, receive: 1_020_360])
      #expect(values(points, "system.network.udp.messages") == [transmit: 30, receive: 30])
      #expect(
        values(points, "system.network.tcp.connection.successes") == [client: 50, server: 50])
      for name in ["connection.duration", "handshake.duration", "rtt.duration"] {
        #expect(
          values(points, "system.network.tcp.\(name)") == [client: 50, server: 50], "\(name)")
      }
    }
    #expect(telemetry.statistics.dropped.isEmpty && telemetry.statistics.overflowed == 0)
  }

  @Test func `Capability 32: 500,500 bytes allocated, 405,450 freed, 95,050 in use`() throws {
    let child = try StoppedProcess(workload: "memory")
    var configuration = MemoryTracerConfiguration()
    configuration.allocations = .exact
    configuration.filter.processes = [child.id]
    var telemetry = MemoryTelemetry(options)
    let tracer = MemoryTracer(configuration)
    try tracer.start()
    #expect(try child.finish() == 0)
    let first = telemetry.collect(try tracer.snapshot())
    let recording = try tracer.stop()
    let second = telemetry.collect(recording)
    for exports in [first, second] {
      let points = try rows(exports, .metrics, "point")
      let figures = [
        "allocations": 1000, "allocated": 500_500, "frees": 900, "freed": 405_450, "blocks": 100,
        "usage": 95_050,
      ]
      for (name, figure) in figures {
        #expect(values(points, "process.allocator.\(name)") == ["{}": figure], "\(name)")
      }
      let faults = values(points, "process.paging.faults")
      #expect(
        faults[#"{"process.executable.name": "memory", "process.pid": \#(child.id)}"#] ?? 0 > 0,
        "\(faults)")
    }
    // The profile of the first has everything; that of the second only what is still in use.
    func sums(_ exports: [TelemetryExport]) throws -> [String: Int] {
      let profiles = try rows(exports, .profiles, "profile")
      return Dictionary(uniqueKeysWithValues: profiles.map { ($0[1], Int($0[9]) ?? -1) })
    }
    #expect(
      try sums(first) == [
        "alloc_objects": 1000, "alloc_space": 500_500, "inuse_objects": 100,
        "inuse_space": 95_050,
      ])
    #expect(try sums(second) == ["inuse_objects": 100, "inuse_space": 95_050])
  }

  @Test func `a process that the kernel kills for want of memory is a log record`() throws {
    let group = try MemoryGroup(limit: 20 << 20)
    let child = try StoppedProcess(workload: "allocations", ["touch", "51200"])
    try group.add(child.id)
    var configuration = MemoryTracerConfiguration()
    configuration.allocations = .none
    configuration.filter.processes = [child.id]
    let begin = Clock.wall.now
    var telemetry = MemoryTelemetry(options)
    let tracer = MemoryTracer(configuration)
    try tracer.start()
    #expect(try child.finish() == 128 + SIGKILL)
    let exports = telemetry.collect(try tracer.stop())
    let end = Clock.wall.now + 1_000_000
    let records = try rows(exports, .logs, "record")
    // record, event, severity, its text, time, body, attributes
    #expect(
      records.map { Array($0[1...3]) + [$0[5]] } == [
        [
          "linux.memory.oom_kill", "17", "ERROR",
          "the kernel killed process \(child.id) (allocations): memory had run out",
        ]
      ])
    let time = records.first.flatMap { UInt64($0[4]) } ?? 0
    #expect(begin <= time && time <= end)
    #expect(records.first?[6].contains("\"process.pid\": \(child.id)") == true)
    let points = try rows(exports, .metrics, "point")
    #expect(values(points, "system.linux.memory.oom_kills") == ["{}": 1])
  }

  @Test func `the runs of BPF programs are counted while the kernel measures them`() throws {
    let child = try StoppedProcess(workload: "syscalls")
    var configuration = SyscallTracerConfiguration()
    configuration.filter.processes = [child.id]
    configuration.measuresProgramTime = true
    let tracer = SyscallTracer(configuration)
    try tracer.start()
    #expect(try child.finish() == 0)
    var telemetry = AgentTelemetry(options)
    let programs = try BPFProgramFigures.all()
    let cost = try tracer.overhead()
    // Other processes' calls go on, so that what was asked for later is more.
    let own = BPFProgramFigures.own(cost)
    #expect(own.count >= 2)
    for figures in own {
      let other = try #require(programs.first { $0.id == figures.id }, "\(figures)")
      #expect(figures.name == other.name && figures.type == other.type)
      #expect(figures.loadTime.distance(to: other.loadTime).magnitude < 1_000_000_000)
      #expect(figures.runCount >= other.runCount)
      #expect(figures.runNanoseconds >= other.runNanoseconds)
    }
    let statistics = try tracer.statistics()
    let points = try rows(
      telemetry.collect(
        tracers: [
          AgentTelemetry.TracerFigures(name: "syscalls", statistics: statistics, overhead: cost)
        ], programs: programs), .metrics, "point")
    _ = try tracer.stop()
    for name in ["\"enter_", "\"exit_"] {
      let runs = points.filter { $0[1] == "bpf.program.runs" && $0[4].contains(name) }
      #expect(runs.reduce(0) { $0 + (Int($1[7]) ?? 0) } >= 111_000, "\(name): \(points)")
    }
    #expect(
      values(points, "ebpf.tracer.events")[
        #"{"ebpf.outcome": "recorded", "ebpf.tracer.name": "syscalls"}"#] == 111_001)
  }
}
