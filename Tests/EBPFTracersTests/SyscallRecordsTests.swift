import EBPF
import Testing

@testable import EBPFTracers

/// The Swift side of the system call tracer's contract against the C side's own types.
@Suite struct SyscallRecordsTests {
  /// A structure of the object: its size, and where each member begins.
  private func layout(_ name: String) throws -> (size: Int, members: [String: Int]) {
    let object = try ObjectFile(parsing: EmbeddedObject.syscallTracer, name: "syscall_tracer")
    let types = try #require(object.btf)
    let id = try #require(try types.firstID(named: name, kind: .structure))
    var members: [String: Int] = [:]
    for member in try types.members(of: types.type(id)) {
      members[try types.string(at: member.nameOffset)] = Int(member.bitOffset) / 8
    }
    return (Int(try types.size(of: id)), members)
  }

  private func check<Value>(
    _ type: Value.Type, _ name: String, _ fields: [String: PartialKeyPath<Value>]
  ) throws {
    let expected = try layout(name)
    #expect(MemoryLayout<Value>.stride == expected.size, "\(name)")
    #expect(Set(fields.keys) == Set(expected.members.keys), "\(name)")
    for (field, path) in fields {
      #expect(
        MemoryLayout<Value>.offset(of: path) == expected.members[field], "\(name).\(field)")
    }
  }

  @Test func `structures are laid out as the object says`() throws {
    try check(
      SyscallControl.self, "syscall_control",
      [
        "paused": \.paused, "flags": \.flags, "min_latency_ns": \.minimumLatency,
        "stack_latency_ns": \.stackLatency, "first_enter": \.firstEnter,
        "since": \.since, "event_latency_ns": \.eventLatency,
      ])
    try check(
      SyscallProcess.self, "process_name", ["name": \.command, "cgroup": \.cgroup])
    // text[2] is two fields here.
    #expect(MemoryLayout<CallRule>.offset(of: \.secondText) == 2)
    try check(
      CallRule.self, "call_rule",
      [
        "verdict": \.verdict, "text": \.text, "address": \.address,
        "address_length": \.addressLength, "data": \.data, "data_length": \.dataLength,
        "data_bytes": \.dataBytes, "flags": \.flags, "padding": \.padding,
      ])
    try check(MatrixKey.self, "matrix_key", ["id": \.id, "call": \.call, "error": \.error])
    try check(MatrixValue.self, "matrix_value", ["count": \.count, "total_ns": \.total])
    try check(
      HistogramKey.self, "histogram_key", ["id": \.id, "call": \.call, "padding": \.padding])
    try check(KeyHistogram.self, "key_histogram", ["buckets": \.buckets])
    try check(
      SyscallCounters.self, "syscall_counters",
      [
        "paused": \.paused, "excluded": \.excluded, "filtered": \.filtered,
        "thread_lost": \.threadLost, "lost": \.lost, "matrix_lost": \.matrixLost,
        "histograms_lost": \.histogramsLost, "events_sent": \.eventsSent,
        "events_lost": \.eventsLost, "texts_cut": \.textsCut, "stacks_cut": \.stacksCut,
        "unnamed": \.unnamed, "sampled_out": \.sampledOut,
        "enters_added": \.entersAdded, "returns_added": \.returnsAdded,
        "rejected_added": \.rejectedAdded, "events_spared": \.eventsSpared,
        "events_unwanted": \.eventsUnwanted, "spans_found": \.spansFound,
        "spans_unreadable": \.spansUnreadable,
      ])
    // Only on a program's stack, so that its type is not in the object.
    #expect(MemoryLayout<WaitingRecord>.size == 40)
    #expect(MemoryLayout<WaitingRecord>.offset(of: \.command) == 24)
  }

  @Test func `the fields that are read one by one are where the object says`() throws {
    let totals = try layout("call_totals")
    typealias Totals = CallTotalsLayout
    #expect(totals.size == Totals.size)
    #expect(
      totals.members == [
        "enters": Totals.enters, "returns": Totals.returns, "errors": Totals.errors,
        "rejected": Totals.rejected, "unpaired": Totals.unpaired,
        "unpaired_zero": Totals.unpairedZero, "total_ns": Totals.total,
        "max_ns": Totals.maximum, "buckets": Totals.buckets,
      ])
    let event = try layout("syscall_event")
    typealias Event = SyscallEventLayout
    #expect(event.size == Event.stack + 8 * Event.stackLimit)
    #expect(
      event.members == [
        "entered": Event.entered, "duration": Event.duration, "result": Event.result,
        "process": Event.process, "arguments": Event.arguments, "tgid": Event.tgid,
        "tid": Event.tid, "call": Event.call, "flags": Event.flags, "command": Event.command,
        "length": Event.length, "depth": Event.depth, "weight": Event.weight,
        "span": Event.span,
        "first": Event.first, "second": Event.second, "stack": Event.stack,
      ])
  }

  private func isRecord(_ bytes: [UInt8]) -> Bool { SyscallEvent(record: bytes.span.bytes) != nil }

  @Test func `a record that is cut short or contradicts itself is none`() {
    let whole = [UInt8](repeating: 0, count: SyscallEventLayout.first)
    #expect(isRecord(whole))
    for count in 0..<whole.count { #expect(!isRecord(Array(whole[..<count])), "\(count)") }
    for place in [
      SyscallEventLayout.length, SyscallEventLayout.length + 4, SyscallEventLayout.depth,
    ] {
      for length: UInt8 in [1, 255] {
        var record = whole
        record[place] = length
        #expect(!isRecord(record), "\(length) at \(place)")
      }
    }
  }
}
