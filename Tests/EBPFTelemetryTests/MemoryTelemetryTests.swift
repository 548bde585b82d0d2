import OTLP
import Profiles
import TestSupport
import Testing

@testable import EBPFTelemetry
@testable import EBPFTracers

@Suite struct MemoryTelemetryTests {
  private func recording(_ types: [String] = ["page_faults"]) -> MemoryRecording {
    let profile = Profile(
      valueTypes: types.map { Profile.ValueType($0, unit: "count") },
      periodType: Profile.ValueType("space", unit: "bytes"), period: 0)
    return MemoryRecording(
      totals: MemoryTotals(), usesStaticProbes: false, sampleBytes: nil, blocks: [], sites: [],
      processes: [], otherProcesses: EndedProcessTotals(), unwatchedPrograms: 0,
      victims: [], walks: nil, guessedFrames: 0, profile: profile, statistics: TracerStatistics(),
      overhead: TracerOverhead(cpuPercent: 0, residentBytes: 0, unavailable: []), hooks: [],
      unresolvedFrames: 0, symbolSummary: "", host: "h", kernelRelease: "6")
  }

  private func victim(_ process: Int32, at time: UInt64, _ command: String = "") -> MemoryVictim {
    MemoryVictim(
      process: process, command: command, time: time, anonymousBytes: 4096, fileBytes: 1,
      sharedBytes: 2, history: [])
  }

  private func growth(
    _ process: Int32, resident: UInt64, faults: UInt64, hasEnded: Bool = false
  ) -> ProcessGrowth {
    ProcessGrowth(
      process: process, command: "p", cgroup: 0, isExisting: false, hasEnded: hasEnded,
      residentBefore: 0, residentAfter: resident, residentPeak: resident, faults: faults, maps: 0,
      mappedBytes: 0, unmaps: 0, unmappedBytes: 0, breakBytes: 0)
  }

  private func rows(
    _ exports: [TelemetryExport], _ signal: TelemetrySignal, _ kind: String
  ) throws -> [[String]] {
    guard let export = exports.first(where: { $0.signal == signal }) else { return [] }
    return try OTLPDecoder.rows(signal.rawValue, try export.protobuf()).filter { $0[0] == kind }
  }

  @Test func `a process killed for want of memory is a log record, once, and is counted`() throws {
    var telemetry = MemoryTelemetry(testOptions)
    var recording = recording()
    recording.victims = [victim(7, at: 100, "shop")]
    let first = telemetry.collect(recording)
    #expect(
      try rows(first, .logs, "record") == [
        [
          "record", "linux.memory.oom_kill", "17", "ERROR", "100",
          "the kernel killed process 7 (shop): memory had run out",
          #"{"linux.memory.anonymous": 4096, "linux.memory.file": 1, "linux.memory.shared": 2, "#
            + #""process.executable.name": "shop", "process.pid": 7}"#,
        ]
      ])
    recording.victims.append(victim(8, at: 200))
    let second = telemetry.collect(recording)
    #expect(
      try rows(second, .logs, "record").map { $0[5] } == [
        "the kernel killed process 8: memory had run out"
      ])
    #expect(
      try rows(second, .metrics, "point").map { Array($0[1...4]) + [$0[7]] } == [
        ["system.linux.memory.oom_kills", "{process}", "counter", "{}", "2"]
      ])
    #expect(try rows(telemetry.collect(recording), .logs, "record").isEmpty)
    #expect(telemetry.statistics.logRecords == 2)
  }

  @Test func `programs whose first mappings are missing are told of, each once`() throws {
    var telemetry = MemoryTelemetry(testOptions)
    var recording = recording()
    func records() throws -> [[String]] {
      try rows(telemetry.collect(recording), .logs, "record").map { [$0[1], $0[5], $0[6]] }
    }
    #expect(try records().isEmpty)
    for count in [UInt64(2), 3] {
      let new = count == 2 ? 2 : 1
      recording.unwatchedPrograms = count
      #expect(
        try records() == [
          [
            "ebpf.tracer.loss",
            "the tracer 'memory' lacks the first mappings of \(new) 32-bit programs: "
              + "watching those began with them",
            #"{"ebpf.tracer.name": "memory", "ebpf.tracer.unwatched_programs": \#(new)}"#,
          ]
        ])
      #expect(try records().isEmpty)
    }
  }

  @Test func `one that has ended has faults, and no memory any more`() throws {
    var telemetry = MemoryTelemetry(testOptions)
    var recording = recording()
    recording.processes = [
      growth(1, resident: 4096, faults: 5), growth(2, resident: 8192, faults: 6, hasEnded: true),
      // Another of the same name and id, later.
      growth(2, resident: 100, faults: 1),
    ]
    let points = try rows(telemetry.collect(recording), .metrics, "point")
    func values(_ name: String) -> Set<[String]> {
      Set(points.filter { $0[1] == name }.map { [$0[3], $0[4], $0[7]] })
    }
    func process(_ id: Int) -> String {
      #"{"process.executable.name": "p", "process.pid": \#(id)}"#
    }
    #expect(
      values("process.memory.usage") == [
        ["updown", process(1), "4096"], ["updown", process(2), "100"],
      ])
    #expect(
      values("process.paging.faults") == [
        ["counter", process(1), "5"], ["counter", process(2), "7"],
      ])
  }

  @Test func `processes that have ended make room, and stay in the sum`() throws {
    var options = testOptions
    options.cardinalityLimit = 4
    var telemetry = MemoryTelemetry(options)
    var recording = recording()
    func faults() throws -> [String: Int] {
      let points = try rows(telemetry.collect(recording), .metrics, "point")
        .filter { $0[1] == "process.paging.faults" }
      return Dictionary(uniqueKeysWithValues: points.map { ($0[4], Int($0[7]) ?? -1) })
    }
    func process(_ id: Int) -> String {
      #"{"process.executable.name": "p", "process.pid": \#(id)}"#
    }
    recording.processes = [1, 2, 3].map { growth($0, resident: 1, faults: 10) }
    #expect(try faults() == [process(1): 10, process(2): 10, process(3): 10])
    recording.processes[0].hasEnded = true
    #expect(try faults() == [process(1): 10, process(2): 10, process(3): 10])
    recording.processes.append(growth(4, resident: 1, faults: 5))
    let overflow = #"{"otel.metric.overflow": true}"#
    #expect(
      try faults() == [process(2): 10, process(3): 10, process(4): 5, overflow: 10])
    recording.processes.append(growth(5, resident: 1, faults: 7))
    #expect(
      try faults() == [process(2): 10, process(3): 10, process(4): 5, overflow: 17])
    // The tracer has no room for them one by one either.
    recording.processes.removeFirst()
    recording.otherProcesses.processes = 1
    recording.otherProcesses.faults = 10
    #expect(
      try faults() == [process(2): 10, process(3): 10, process(4): 5, overflow: 17])
  }

  @Test func `the allocator has metrics where it was asked for`() throws {
    var telemetry = MemoryTelemetry(testOptions)
    func names(_ types: [String]) throws -> [String] {
      try rows(telemetry.collect(recording(types)), .metrics, "point").map { $0[1] }
        .filter { $0.hasPrefix("process.allocator.") }
    }
    #expect(try names(["page_faults"]).isEmpty)
    #expect(try names(["alloc_objects", "alloc_space"]).count == 7)
  }
}
