import EBPF
import EBPFSystem
import EBPFTelemetry
import EBPFTracers
import Glibc
import OTLP
import ProfileFormats
import Profiles
import TestSupport
import Testing

/// Capability 33: profiles of programs of known work, as OpenTelemetry's own messages read them.
@Suite(.serialized) struct TelemetryProfileTests {
  private let options = LiveTelemetry.options

  /// Checks a profile's way to OTLP against the profile, and against its way to pprof.
  private func expectSame(_ profile: Profile) throws -> [[String]] {
    var telemetry = ProfileTelemetry(options)
    let exports = telemetry.collect(profile)
    let export = try #require(exports.first)
    let bytes = try export.protobuf()
    let rows = try OTLPDecoder.rows("profiles", bytes)
    #expect(try OTLPDecoder.rows("profiles", try export.json(), isJSON: true) == rows)
    for (index, type) in profile.valueTypes.enumerated() {
      let before = profile.samples.reduce(0) { $0 + $1.values[index] }
      let after = rows.filter { $0[0] == "profile" && $0[1] == type.type && $0[2] == type.unit }
        .reduce(0) { $0 + (Int64($1[9]) ?? -1) }
      #expect(before == after, "\(type)")
    }
    let text = try OTLPDecoder.compare(
      profile: bytes, pprof: try ProfileFormat.pprof.encode(profile))
    #expect(text.contains("places"))
    #expect(telemetry.statistics.dropped.isEmpty)
    return rows
  }

  @Test func `Capability 33: samples arrive with every frame, and files with their identity`()
    throws
  {
    let child = try StoppedProcess(workload: "cpu", ["1", "stop"])
    var configuration = CPUProfilerConfiguration()
    configuration.frequency = 997
    configuration.filter.processes = [child.id]
    let begin = Clock.wall.now
    let profiler = CPUProfiler(configuration)
    try profiler.start()
    #expect(try child.finish() == 0)
    let result = try profiler.stop()
    let rows = try expectSame(result.profile)
    for profile in rows.filter({ $0[0] == "profile" }) {
      #expect(profile[3] == "cpu" && profile[4] == "nanoseconds" && profile[5] == "1003009")
      let start = try #require(UInt64(profile[6]))
      let duration = try #require(UInt64(profile[7]))
      #expect(begin <= start && start + duration <= Clock.wall.now && duration > 900_000_000)
    }
    let hot = rows.filter {
      $0[0] == "sample" && $0[1] == "samples" && $0[3].contains(#"["hot_b", "#)
    }
    #expect(hot.contains { $0[3].contains(#""native"]"#) && $0[3].contains(#""main""#) }, "\(rows)")

    let path = try StoppedProcess.workload("cpu")
    let mapping = try #require(
      rows.first { $0[0] == "mapping" && $0[2].contains(#"/.build-workloads/cpu""#) })
    let hash = try Command.output([
      "python3", "-c",
      """
      import hashlib, sys
      data = open(sys.argv[1], "rb").read()
      text = data[:4096] + data[-4096:] + len(data).to_bytes(8, "big")
      print(hashlib.sha256(text).hexdigest()[:32], end="")
      """, path,
    ])
    #expect(mapping[2].contains(#""process.executable.build_id.htlhash": "\#(hash)""#))
    let notes = try Command.output(["readelf", "-n", path])
    let id = notes.split(whereSeparator: \.isWhitespace).last { $0.utf8.count == 40 } ?? "none"
    #expect(mapping[2].contains(#""process.executable.build_id.gnu": "\#(id)""#), "\(mapping)")
  }

  @Test func `Capability 33: time off the CPU and memory arrive, too`() throws {
    let waiting = try StoppedProcess(workload: "cpu", ["0.3", "stop"])
    var configuration = WallProfilerConfiguration()
    configuration.filter.processes = [waiting.id]
    let profiler = WallProfiler(configuration)
    try profiler.start()
    #expect(try waiting.finish() == 0)
    _ = try expectSame(try profiler.stop().profile)

    let child = try StoppedProcess(workload: "memory")
    var memory = MemoryTracerConfiguration()
    memory.allocations = .exact
    memory.filter.processes = [child.id]
    let tracer = MemoryTracer(memory)
    try tracer.start()
    #expect(try child.finish() == 0)
    let rows = try expectSame(try tracer.stop().profile)
    let sums = rows.filter { $0[0] == "profile" }.map { [$0[1], $0[2], $0[9]] }
    #expect(sums.contains(["alloc_space", "bytes", "500500"]))
  }

  @Test func `Capability 33: each container is a resource of its own, the machine another`() throws
  {
    let container = try Container("/cpu 0.5 stop & wait", workloads: ["cpu"])
    let inside = try #require(try container.stopped(["cpu"])["cpu"])
    let outside = try StoppedProcess(workload: "cpu", ["0.5", "stop"])
    var configuration = CPUProfilerConfiguration()
    configuration.frequency = 997
    configuration.filter.processes = [inside, outside.id]
    let profiler = CPUProfiler(configuration)
    try profiler.start()
    // Where a group is can be asked for only while it is there.
    options.containers?.refresh()
    kill(inside, SIGCONT)
    #expect(try outside.finish() == 0)
    try container.waitForEnd(of: inside)
    var telemetry = ProfileTelemetry(options)
    let profile = try profiler.stop().profile
    let rows = try LiveTelemetry.rows(telemetry.collect(profile), .profiles, "profile")
    let own = rows.filter { $0[10].contains(#""container.id": "\#(container.id)""#) }
    #expect(own.map { $0[1] } == ["samples", "cpu"])
    #expect(own.allSatisfy { $0[10].contains(#""container.runtime.name": "podman""#) })
    let others = rows.filter { !$0[10].contains(container.id) }
    #expect(!others.isEmpty && others.allSatisfy { !$0[10].contains("podman") })
    for (index, type) in profile.valueTypes.enumerated() {
      for (pid, part) in [(inside, own), (outside.id, others)] {
        let samples = profile.samples.filter { profile.processes[$0.process].pid == pid }
        let sum = samples.reduce(0) { $0 + $1.values[index] }
        let sent = part.filter { $0[1] == type.type }.reduce(0) { $0 + (Int64($1[9]) ?? -1) }
        #expect(sum > 0 && sum == sent, "\(type)")
      }
    }
  }
}

/// Telemetry about this machine, and its reader.
enum LiveTelemetry {
  static let options = TelemetryOptions(
    resource: ResourceDetector.detect(serviceName: "tests", version: "1", environment: { _ in nil })
      .resource, version: "1")

  /// The rows of one signal's request, of which there is at most one.
  static func rows(
    _ exports: [TelemetryExport], _ signal: TelemetrySignal, _ kind: String
  ) throws -> [[String]] {
    let found = exports.filter { $0.signal == signal }
    #expect(found.count <= 1)
    guard let export = found.first else { return [] }
    let rows = try OTLPDecoder.rows(signal.rawValue, try export.protobuf())
    #expect(try OTLPDecoder.rows(signal.rawValue, try export.json(), isJSON: true) == rows)
    return rows.filter { $0[0] == kind }
  }
}
