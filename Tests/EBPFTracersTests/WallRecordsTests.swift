import EBPF
import Testing

@testable import EBPFTracers

/// The Swift side of the wall profiler's contract against the C side's own types.
@Suite struct WallRecordsTests {
  /// A structure of the object: its size, and where each member begins.
  private func layout(_ name: String) throws -> (size: Int, members: [String: Int]) {
    let object = try ObjectFile(parsing: EmbeddedObject.wallProfiler, name: "wall_profiler")
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
    try check(WaitTotal.self, "wait", ["time": \.nanoseconds, "count": \.count])
    try check(
      ThreadRecord.self, "thread_record",
      [
        "left": \.left, "arrived": \.arrived, "woken": \.woken, "born": \.born, "ran": \.ran,
        "image": \.image,
        "user_stack": \.userStack, "kernel_stack": \.kernelStack, "state": \.state,
        "key_flags": \.keyFlags, "times": \.times, "voluntary": \.voluntary,
        "involuntary": \.involuntary, "verdict": \.verdict, "before": \.before,
        "waker": \.waker,
      ])
    try check(WakeKey.self, "wake_key", ["blocked": \.blocked, "waker": \.waker])
    let event = try layout("wall_wake_event")
    #expect(event.members["time"] == 8 && event.members["key"] == 16)
    try check(
      WallCounters.self, "wall_counters",
      [
        "first_event": \.firstEvent, "switches": \.switches, "unwanted": \.unwanted,
        "untracked": \.untracked, "inferred": \.inferred, "recorded": \.recorded,
        "overflowed": \.overflowed,
        "dropped": \.dropped, "dropped_time": \.droppedTime, "records_lost": \.recordsLost,
        "records_time": \.recordsTime, "threads_lost": \.threadsLost,
      ])
    try check(
      WallThreadEvent.self, "wall_thread_event",
      [
        "kind": \.kind, "flags": \.flags, "tid": \.threadID, "state": \.state,
        "process": \.process, "command": \.command, "record": \.record,
      ])
  }
}
