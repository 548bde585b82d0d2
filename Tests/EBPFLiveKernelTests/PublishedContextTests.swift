import EBPF
import EBPFSystem
import EBPFTelemetry
import EBPFTracers
import Glibc
import OTLP
import Profiles
import PublishedContexts
import TestSupport
import Testing

/// Contexts that a service publishes, from it to the official decoder.
@Suite(.serialized) struct PublishedContextTests {
  private let options = LiveTelemetry.options

  private func publisher(_ seconds: String) throws -> StoppedProcess {
    try StoppedProcess([try publisherPath(), seconds])
  }

  private func publisherPath() throws -> String { try TestPrograms.path("context-publisher") }

  private static let trace = "01020304050607081112131415161710"

  /// The ids of a span of the publisher, as text.
  private static func span(_ number: Int) -> [String] {
    [String(trace.dropLast()) + "\(number)", "212223242526272\(number)"]
  }

  @Test func `a reader by the texts of the OTEPs sees the same`() throws {
    let child = try publisher("0")
    let maps = try SystemFile.read("/proc/\(child.id)/maps")
    let context = try #require(
      try PublishedContextReader.read(
        ProcessMaps(parsing: maps, executableOnly: false), try ProcessMemory(of: child.id)))
    let script = Fixtures.directory + "/../Oracles/read_context.py"
    let rows = try Command.output(["python3", script, "\(child.id)"]).split(separator: "\n")
      .map { $0.split(separator: "\t").map(String.init) }
    #expect(rows.first == ["stamp", "\(context.stamp)"])
    let resource = rows.filter { $0[0] == "resource" }.map { [$0[1], $0[2]] }
    #expect(
      resource == [
        ["answer", "42"], ["is.known", "True"], ["service.instance.id", "'instance-1'"],
        ["service.name", "'orders'"], ["service.version", "'1.2.3'"], ["share", "0.25"],
        ["tags", "['a', 'b']"],
      ])
    #expect(context.resource.map(\.key) == resource.map { $0[0] })
    #expect(context.resource.first?.value == .integer(42))
    #expect(context.resource.last?.value == .strings(["a", "b"]))
    #expect(
      rows.filter { $0[0] == "extra" }.map { [$0[1], $0[2]] } == [
        ["threadlocal.schema_version", "'tlsdesc_v1_dev'"],
        ["threadlocal.attribute_key_map", "['http.route', 'user']"],
      ])
    let threads = rows.filter { $0[0] == "thread" }.map { Array($0.dropFirst(2)) }
    #expect(
      threads == [
        Self.span(1) + ["1", "1", "{'http.route': '/orders'}"], Self.span(3) + ["1", "1", "{}"],
      ])
    #expect(try child.finish() == 0)
  }

  @Test func `samples carry the span their thread was at work on, and no other`() throws {
    let child = try publisher("0.4")
    var configuration = CPUProfilerConfiguration()
    configuration.frequency = 997
    configuration.filter.processes = [child.id]
    let profiler = CPUProfiler(configuration)
    try profiler.start()
    #expect(try child.finish() == 0)
    let result = try profiler.stop()
    #expect(result.statistics.dropped == 0)
    #expect(result.statistics.seen == result.statistics.recorded + result.statistics.unwanted)

    let profile = result.profile
    #expect(profile.resources.count == 1 && profile.processes.allSatisfy { $0.resource == 0 })
    let spans: [String: UInt64] = ["workInA": 1, "workInB": 2, "workInC": 3, "workOutside": 0]
    var counts: [String: Int64] = [:]
    for sample in profile.samples {
      let names = profile.stacks[sample.stack].compactMap { profile.frames[$0].name }
      let work = spans.keys.first { name in names.contains { $0.contains(name) } }
      guard let work, let number = spans[work] else { continue }
      let span = sample.span.map { profile.spans[$0] }
      #expect(span == (number == 0 ? nil : Self.profileSpan(number)), "\(names)")
      counts[work, default: 0] += sample.values[0]
    }
    for (work, seconds) in [
      ("workInA", 0.8), ("workInB", 0.4), ("workInC", 0.4), ("workOutside", 1.2),
    ] {
      let measured = Double(counts[work] ?? 0) / 997
      #expect(abs(measured / seconds - 1) < 0.1, "\(work): \(measured) s of \(seconds) s")
    }
    let linked = profile.samples.filter { $0.span != nil }.reduce(0) { $0 + UInt64($1.values[0]) }
    #expect(result.contexts.processes == 1 && result.contexts.linkedSamples == linked)
    #expect(result.contexts.unreadable == 0 && result.contexts.unplaced == 0)
    #expect(result.contexts.lostLinks == 0 && result.contexts.unreadableLinks == 0)

    // On their way to a backend.
    var telemetry = ProfileTelemetry(options)
    let export = try #require(telemetry.collect(profile).first)
    let rows = try OTLPDecoder.rows("profiles", try export.protobuf())
    #expect(try OTLPDecoder.rows("profiles", try export.json(), isJSON: true) == rows)
    var sums: [[String]: UInt64] = [:]
    for row in rows where row[0] == "linked" && row[1] == "samples" {
      sums[[row[3], row[4]], default: 0] += UInt64(row[2]) ?? 0
    }
    #expect(Set(sums.keys) == Set((1...3).map { Self.span($0) }))
    #expect(sums.values.reduce(0, +) == linked)
    for profile in rows.filter({ $0[0] == "profile" }) {
      #expect(
        profile[10].contains(#""service.name": "orders""#)
          && profile[10].contains(#""service.instance.id": "instance-1""#)
          && profile[10].contains(#""tags": ["a", "b"]"#) && profile[10].contains("host.name")
          && !profile[10].contains("telemetry.sdk") && !profile[10].contains("threadlocal"),
        "\(profile[10])")
    }
  }

  @Test func `spans are of the service that the process says it is, others of the machine`() throws
  {
    let service = try publisher("0")
    let other = try StoppedProcess(workload: "cpu", ["0.1", "stop"])
    var configuration = SyscallTracerConfiguration()
    configuration.filter.processes = [service.id, other.id]
    configuration.sendsEvents = true
    var options = options
    options.syscallSpans.minimumNanoseconds = 0
    let processes = try #require(options.processes)
    // A service is asked while it is there, as it is by who takes in events as they come.
    #expect(processes.resource(of: service.id)?.count == 7)
    #expect(processes.resource(of: other.id) == nil)
    var telemetry = SyscallTelemetry(options)
    let tracer = SyscallTracer(configuration)
    try tracer.start()
    #expect(try service.finish() == 0)
    #expect(try other.finish() == 0)
    let summary = try tracer.stop()
    #expect(summary.losses.events == 0)
    for event in summary.unreadEvents { telemetry.add(event) }
    let export = try #require(telemetry.collect(summary).first { $0.signal == .traces })
    let rows = try OTLPDecoder.rows("traces", try export.protobuf())
    var spans: [String: [String]] = [:]
    var resource = ""
    for row in rows {
      if row[0] == "resource" { resource = row[1] }
      if row[0] == "span" { spans[resource, default: []].append(row[6]) }
    }
    #expect(spans.count == 2)
    for (resource, attributes) in spans {
      let isService = resource.contains(#""service.name": "orders""#)
      #expect(resource.contains(#""service.name": "tests""#) == !isService)
      let id = isService ? service.id : other.id
      #expect(attributes.allSatisfy { $0.contains(#""process.pid": \#(id),"#) })
    }
  }

  @Test func `a call that fails is part of the span its thread was at work on`() throws {
    let service = try publisher("0")
    let other = try StoppedProcess(workload: "syscalls")
    var configuration = SyscallTracerConfiguration()
    configuration.filter.processes = [service.id, other.id]
    configuration.sendsEvents = true
    configuration.eventRule = SyscallEventRule(failed: true, minimumNanoseconds: nil)
    configuration.linksSpans = true
    configuration.eventBufferBytes = 64 << 20
    var telemetry = SyscallTelemetry(options)
    let tracer = SyscallTracer(configuration)
    try tracer.start()
    #expect(try service.finish() == 0)
    #expect(try other.finish() == 0)
    let summary = try tracer.stop()
    #expect(summary.losses.events == 0)
    var counts: [String: Int] = [:]
    let spans = [
      "workInA": Self.profileSpan(1), "workInB": Self.profileSpan(2),
      "workInC": Self.profileSpan(3),
    ]
    for event in summary.unreadEvents {
      guard event.process == service.id, event.call.name == "openat",
        let name = event.arguments.map(\.text).first(where: { $0.contains("/nowhere/") })?
          .split(separator: "/").last.map({ $0.filter(\.isLetter) })
      else {
        #expect(event.span == nil || event.process == service.id)
        continue
      }
      #expect(event.span == spans[name], "\(name)")
      counts[name, default: 0] += 1
      telemetry.add(event)
    }
    #expect(counts == ["workInA": 20, "workInB": 10, "workInC": 10, "workOutside": 30])
    let contexts = try #require(summary.contexts)
    #expect(contexts.processes == 1 && contexts.linkedSamples >= 40)
    #expect(contexts.unreadable == 0 && contexts.unreadableLinks == 0 && contexts.unplaced == 0)

    let export = try #require(telemetry.collect(summary).first { $0.signal == .traces })
    let rows = try OTLPDecoder.rows("traces", try export.protobuf())
    #expect(rows.count { $0[0] == "span" } == 70)
    var children: [[String]: Int] = [:]
    for row in rows where row[0] == "within" { children[[row[1], row[2]], default: 0] += 1 }
    #expect(children == [Self.span(1): 20, Self.span(2): 10, Self.span(3): 10])
  }

  @Test func `a call of a task is part of its span, whatever thread the task is in`() throws {
    let rounds = 40
    let child = try StoppedProcess([try publisherPath(), "tasks", "\(rounds)"])
    var configuration = SyscallTracerConfiguration()
    configuration.filter.processes = [child.id]
    configuration.sendsEvents = true
    configuration.eventRule = SyscallEventRule(failed: true, minimumNanoseconds: nil)
    configuration.linksSpans = true
    configuration.eventBufferBytes = 64 << 20
    let tracer = SyscallTracer(configuration)
    try tracer.start()
    #expect(try child.finish() == 0)
    let summary = try tracer.stop()
    #expect(summary.losses.events == 0)
    let spans: [String: UInt64] = ["taskA": 1, "taskB": 2, "childOfB": 2, "taskC": 3]
    var counts: [String: Int] = [:]
    var threads: [String: [Int32]] = [:]
    for event in summary.unreadEvents where event.call.name == "openat" {
      guard let path = event.arguments.map(\.text).first(where: { $0.contains("/nowhere/") }),
        let name = path.split(separator: "/").last.map({ $0.filter(\.isLetter) })
      else { continue }
      #expect(event.span == spans[name].map(Self.profileSpan), "\(name)")
      counts[name, default: 0] += 1
      if threads[name]?.last != event.thread { threads[name, default: []].append(event.thread) }
    }
    #expect(
      counts == [
        "taskA": 10 * rounds, "taskB": 10 * rounds, "childOfB": 10 * rounds, "taskC": 10 * rounds,
        "none": 10 * rounds, "outside": 20,
      ])
    for name in spans.keys { #expect(threads[name]?.count == rounds, "\(name)") }
    let contexts = try #require(summary.contexts)
    #expect(contexts.unreadable == 0 && contexts.unreadableLinks == 0 && contexts.unplaced == 0)
  }

  @Test func `a connection and a query are part of the span of the thread that began them`() throws
  {
    let rounds = 20
    let child = try StoppedProcess([try publisherPath(), "network", "\(rounds)"])
    var configuration = NetworkTracerConfiguration()
    configuration.filter.processes = [child.id]
    configuration.recordsDNS = true
    configuration.linksSpans = true
    var telemetry = NetworkTelemetry(options)
    let tracer = NetworkTracer(configuration)
    try tracer.start()
    #expect(try child.finish() == 0)
    let activity = try tracer.stop()
    #expect(activity.statistics.dropped == 0)
    let spans: [String: UInt64] = [
      "127.0.0.1": 1, "127.0.0.2": 2, "127.0.0.3": 3, "255.255.255.255": 1,
    ]
    var counts: [String: Int] = [:]
    for connection in activity.connections where connection.process?.id == child.id {
      guard connection.role == .connect else {
        #expect(connection.span == nil)
        continue
      }
      let address = connection.remote.address.description
      #expect(connection.span == spans[address].map(Self.profileSpan), "\(address)")
      counts["\(address) \(connection.errorName ?? "connected")", default: 0] += 1
    }
    for query in activity.queries where query.process?.id == child.id {
      let address = query.server.address.description
      #expect(query.span == spans[address].map(Self.profileSpan), "\(address)")
      counts["\(address) \(query.name)", default: 0] += 1
    }
    var expected = ["255.255.255.255 ENETUNREACH": 1]
    for last in [1, 2, 3, 9] {
      for kind in ["connected", "ECONNREFUSED", "a.test"] {
        expected["127.0.0.\(last) \(kind)"] = rounds
      }
    }
    #expect(counts == expected)
    let contexts = try #require(activity.contexts)
    #expect(contexts.processes == 1 && contexts.linkedSamples == UInt64(9 * rounds + 1))
    #expect(contexts.unreadable == 0 && contexts.unreadableLinks == 0 && contexts.unplaced == 0)

    telemetry.addListed(activity)
    let export = try #require(telemetry.collect(activity).first { $0.signal == .traces })
    let rows = try OTLPDecoder.rows("traces", try export.protobuf())
    var children: [[String]: Int] = [:]
    for row in rows where row[0] == "within" { children[[row[1], row[2]], default: 0] += 1 }
    #expect(
      children == [
        Self.span(1): 3 * rounds + 1, Self.span(2): 3 * rounds, Self.span(3): 3 * rounds,
      ])
  }

  @Test func `of everybody's calls those of publishers have their span`() throws {
    let before = try publisher("0")
    var configuration = SyscallTracerConfiguration()
    configuration.sendsEvents = true
    configuration.eventRule = SyscallEventRule(failed: true, minimumNanoseconds: nil)
    configuration.linksSpans = true
    configuration.eventBufferBytes = 64 << 20
    let tracer = SyscallTracer(configuration)
    try tracer.start()
    // One that comes later is a shell first, whose events are read before it publishes anything.
    let later = try StoppedProcess([
      "/bin/sh", "-c", "cd /nowhere 2>&-; kill -STOP $$; exec \(try publisherPath()) 0",
    ])
    var early = 0
    try tracer.readEvents { early += $0.process == later.id ? 1 : 0 }
    #expect(early > 0)
    try later.resumeUntilStopped()
    try tracer.readEvents { _ in }
    #expect(try before.finish() == 0)
    #expect(try later.finish() == 0)
    let summary = try tracer.stop()
    for child in [before, later] {
      let linked = summary.unreadEvents.count { $0.process == child.id && $0.span != nil }
      #expect(linked >= 40, "\(linked)")
    }
  }

  @Test(arguments: [
    "thread-context", "thread-context-static", "thread-context-pie", "thread-context-gnu",
    "thread-context-gnu2", "thread-context-loaded-gnu", "thread-context-loaded-gnu2",
    "thread-context-fixed", "thread-context-musl", "thread-context-library-musl",
  ])
  func `a thread's variable is found wherever its linker put it`(workload: String) throws {
    let child = try StoppedProcess(workload: workload, ["0.3"])
    var configuration = CPUProfilerConfiguration()
    configuration.frequency = 997
    configuration.filter.processes = [child.id]
    let profiler = CPUProfiler(configuration)
    try profiler.start()
    #expect(try child.finish() == 0)
    let result = try profiler.stop()
    let profile = result.profile
    let byte: UInt64 = 0x0101_0101_0101_0101
    var inside: Int64 = 0
    for sample in profile.samples {
      let names = profile.stacks[sample.stack].compactMap { profile.frames[$0].name }
      let span = sample.span.map { profile.spans[$0] }
      if names.contains("in_span") {
        #expect(
          span == Profile.Span(traceHigh: 17 * byte, traceLow: 17 * byte, spanID: 34 * byte))
        inside += sample.values[0]
      } else if names.contains("outside") {
        #expect(span == nil)
      }
    }
    #expect(inside > 200)
    #expect(profile.resources == [[.init("service.name", .string("c"))]])
    #expect(result.contexts.unplaced == 0 && result.contexts.unreadableLinks == 0)
  }

  private static func profileSpan(_ number: UInt64) -> Profile.Span {
    Profile.Span(
      traceHigh: 0x0102_0304_0506_0708, traceLow: 0x1112_1314_1516_1710 + number,
      spanID: 0x2122_2324_2526_2720 + number)
  }
}
