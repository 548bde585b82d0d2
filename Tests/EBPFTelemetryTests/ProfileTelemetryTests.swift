import OTLP
import ProfileFormats
import Profiles
import TestSupport
import Testing

@testable import EBPFTelemetry

@Suite struct ProfileTelemetryTests {
  /// A profile of every kind of frame: inlined, without a name, without a file, and of names that are hard
  /// to write.
  private func profile() -> Profile {
    var profile = Profile(
      valueTypes: [.init("samples", unit: "count"), .init("cpu", unit: "nanoseconds")],
      periodType: .init("cpu", unit: "nanoseconds"), period: 100, startTime: 1_000,
      duration: 50)
    var file = Profile.Mapping(
      start: 0x1000, end: 0x9000, fileOffset: 0, path: "/bin/a", buildID: "ab12")
    file.fileHash = "00ff"
    profile.mappings = [
      file, .init(start: 1 << 63, end: .max, fileOffset: 0, path: "[kernel]", buildID: "cd"),
      .init(start: 0x10000, end: 0x20000, fileOffset: 0, path: "[anon]"),
    ]
    profile.frames = [
      .init(kind: .native, address: 0x1010, mapping: 0, name: "inner", isInlined: true),
      .init(
        kind: .native, address: 0x1010, mapping: 0, name: "main", systemName: "$s4mainyyF",
        sourceFile: "main.swift", line: 3),
      .init(kind: .kernel, address: 1 << 63 | 16, mapping: 1, name: "do_idle"),
      .init(kind: .native, address: 0x1020, mapping: 0),
      .init(kind: .jit, address: 0x10010, mapping: 2, name: "js \"x\"\t\\ 日本"),
      .init(kind: .marker, address: 0, name: "[truncated]"),
    ]
    profile.stacks = [[0, 1], [2, 3, 1], [4, 5]]
    profile.processes = [
      .init(pid: 7, tid: 7, command: "a"), .init(pid: 7, tid: 8, command: "b", cgroup: 99),
    ]
    profile.samples = [
      .init(process: 0, stack: 0, values: [2, 200]), .init(process: 1, stack: 1, values: [3, 300]),
      .init(process: 1, stack: 2, values: [0, 5]),
    ]
    return profile
  }

  @Test func `every frame, name and value arrives as it does in pprof`() throws {
    var telemetry = ProfileTelemetry(testOptions)
    let export = try #require(telemetry.collect(profile()).first)
    let text = try OTLPDecoder.compare(
      profile: try export.protobuf(), pprof: try ProfileFormat.pprof.encode(profile()))
    #expect(text == "5 values of 3 stacks, 10 places\n")
    #expect(telemetry.statistics.samples == 5)
    let rows = try OTLPDecoder.rows("profiles", try export.protobuf())
    #expect(try OTLPDecoder.rows("profiles", try export.json(), isJSON: true) == rows)
    #expect(
      rows.contains([
        "sample", "samples", "3",
        #"[{"process.pid": 7, "thread.id": 8, "thread.name": "b"}, "#
          + #"["do_idle", "0x1020", "main"], ["kernel", "native", "swift"]]"#,
      ]), "\(rows)")
  }

  @Test func `samples of a span refer to it, and processes that say what they are to themselves`()
    throws
  {
    var profile = profile()
    profile.spans = [.init(traceHigh: 0x0a0b, traceLow: 1, spanID: 2)]
    profile.resources = [
      [
        .init("service.name", .string("orders")), .init("n", .integer(3)), .init("x", .double(0.5)),
        .init("yes", .boolean(true)), .init("tags", .strings(["a", "b"])),
      ]
    ]
    profile.processes[0].resource = 0
    profile.samples.append(.init(process: 0, stack: 0, values: [1, 100], span: 0))
    var telemetry = ProfileTelemetry(testOptions)
    let export = try #require(telemetry.collect(profile).first)
    let rows = try OTLPDecoder.rows("profiles", try export.protobuf())
    #expect(try OTLPDecoder.rows("profiles", try export.json(), isJSON: true) == rows)
    let linked = rows.filter { $0[0] == "linked" }
    #expect(
      linked.map { Array($0[1...4]) } == [
        ["samples", "1", "0000000000000a0b0000000000000001", "0000000000000002"],
        ["cpu", "100", "0000000000000a0b0000000000000001", "0000000000000002"],
      ])
    let resources = rows.filter { $0[0] == "profile" }.map { $0[10] }
    #expect(resources.count == 4)
    let own =
      #""n": 3, "service.name": "orders", "tags": ["a", "b"], "x": 0.5, "yes": true"#
    #expect(resources.count { $0.contains(own) } == 2, "\(resources)")
    #expect(resources.count { $0.contains("orders") } == 2)

    profile.spans = []
    profile.processes[1].resource = 1
    #expect(telemetry.collect(profile).map(\.itemCount) == [2])
    #expect(telemetry.statistics.dropped == [.malformed: 3])
  }

  @Test func `a window replaces the profile's own time`() throws {
    var telemetry = ProfileTelemetry(testOptions)
    let export = try #require(telemetry.collect(profile(), window: 5_000..<6_000).first)
    let rows = try OTLPDecoder.rows("profiles", try export.protobuf())
    #expect(rows[0][6] == "5000" && rows[0][7] == "1000")
  }

  @Test func `what refers to nothing is dropped and counted, and an empty profile is no request`()
    throws
  {
    var broken = profile()
    broken.samples[0].stack = 9
    broken.samples[1].process = -1
    broken.samples[2].values = [1]
    broken.stacks[2] = [77]
    var telemetry = ProfileTelemetry(testOptions)
    #expect(telemetry.collect(broken).isEmpty)
    #expect(telemetry.statistics.dropped == [.malformed: 3])
    broken = profile()
    broken.frames[1].mapping = 3
    #expect(telemetry.collect(broken).map(\.itemCount) == [1])
    #expect(telemetry.statistics.dropped == [.malformed: 5])
    broken.samples = []
    #expect(telemetry.collect(broken).isEmpty)
  }

  @Test func `samples that nothing tells apart any more are one`() throws {
    var same = profile()
    same.processes[1] = .init(pid: 7, tid: 7, command: "a", cgroup: 99)
    same.samples[1].stack = 0
    var telemetry = ProfileTelemetry(testOptions)
    let export = try #require(telemetry.collect(same).first)
    let rows = try OTLPDecoder.rows("profiles", try export.protobuf())
    #expect(
      rows.filter { $0[0] == "profile" }.map { $0[8...9].joined(separator: " ") } == [
        "1 5", "2 505",
      ])
  }

  @Test(arguments: [
    ("$s4mainyyF", nil, "swift"), ("_$s4mainyyF", nil, "swift"),
    ("_RNvC6_123foo3bar", nil, "rust"),
    ("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", nil, "rust"),
    ("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE.llvm.1", nil, "rust"),
    ("_ZNSt6vectorIiE9push_backEi", nil, "native"), ("main", nil, "native"),
    ("main.main", "id", "go"), ("memmove", "id", "native"), ("main.main", nil, "native"),
  ])
  func `names tell the language`(name: String, goBuildID: String?, type: String) {
    var mapping = Profile.Mapping(start: 0, end: 1, fileOffset: 0, path: "/a")
    mapping.goBuildID = goBuildID ?? ""
    let frame = Profile.Frame(kind: .native, address: 0, name: "x.y", systemName: name)
    #expect(FrameType.of(frame, in: mapping) == type)
  }

  @Test func `only what is new in sums is sent again, and what is in use each time`() {
    var profile = profile()
    profile.valueTypes = [.init("alloc_space", unit: "bytes"), .init("inuse_space", unit: "bytes")]
    var delta = ProfileDelta()
    #expect(delta.since(profile) == profile)
    profile.samples[0].values = [12, 150]
    // Stacks may be in another order.
    profile.samples.reverse()
    profile.stacks.append([5])
    profile.samples.append(.init(process: 0, stack: 3, values: [1, 1]))
    let news = delta.since(profile)
    #expect(news.samples.map(\.values) == [[0, 5], [0, 300], [10, 150], [1, 1]])
    #expect(delta.since(profile).samples.map(\.values) == [[0, 5], [0, 300], [0, 150], [0, 1]])
  }
}
