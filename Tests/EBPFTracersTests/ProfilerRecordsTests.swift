import EBPF
import Testing

@testable import EBPFTracers

/// The Swift side of the CPU profiler's contract against the C side's own types.
@Suite struct ProfilerRecordsTests {
  /// A structure of the object: its size, and where each member begins.
  private func layout(_ name: String) throws -> (size: Int, members: [String: Int]) {
    let object = try ObjectFile(parsing: EmbeddedObject.cpuProfiler, name: "cpu_profiler")
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
    try check(StackID.self, "stack_id", ["low": \.low, "high": \.high])
    try check(
      ProcessIdentity.self, "process_id",
      ["start": \.start, "image": \.image, "tgid": \.processID, "padding": \.padding])
    try check(
      ProfilerKey.self, "profiler_key",
      [
        "process": \.process, "user_stack": \.userStack, "kernel_stack": \.kernelStack,
        "tid": \.threadID, "flags": \.flags, "command": \.command,
      ])
    try check(
      ProfilerControl.self, "profiler_control",
      [
        "excluded_tgid": \.excludedProcess, "stack_limit": \.stackLimit,
        "wake_bytes": \.wakeBytes, "padding": \.padding, "excluded_image": \.excludedImage,
        "sample_limit": \.sampleLimit, "samples": \.samples,
      ])
    try check(
      ProfilerCounters.self, "profiler_counters",
      [
        "first_sample": \.firstSample, "seen": \.seen, "recorded": \.recorded,
        "overflowed": \.overflowed, "dropped": \.dropped,
        "excluded": \.excluded, "idle": \.idle, "filtered": \.filtered, "capped": \.capped,
        "sampled_out": \.sampledOut,
        "user_stacks_lost": \.userStacksLost, "kernel_stacks_lost": \.kernelStacksLost,
        "user_stacks_cut": \.userStacksCut, "kernel_stacks_cut": \.kernelStacksCut,
        "user_stacks_none": \.userStacksNone, "stacks_sent": \.stacksSent,
        "process_events_lost": \.processEventsLost,
        "walks": \.walks, "guessed_frames": \.guessedFrames, "linked": \.linked,
        "links_lost": \.linksLost, "links_unreadable": \.linksUnreadable,
      ])
    try check(
      ThreadContextRecord.self, "thread_context",
      [
        "start": \.start, "image": \.image, "offset": \.offset, "module": \.module,
        "stride": \.stride,
      ])
  }

  @Test func `unwind tables are laid out as the object says`() throws {
    try check(
      UnwindProcess.self, "unwind_process",
      ["start": \.start, "image": \.image, "first": \.first, "count": \.count])
    try check(
      UnwindMapping.self, "unwind_mapping",
      [
        "start": \.start, "end": \.end, "base": \.base, "first": \.first, "count": \.count,
      ])
    #expect(MemoryLayout<StackWalks>.size == 8 * 8)
  }

  /// A record as the kernel writes it.
  private func record(_ values: [Int: UInt64], size: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: size)
    for (offset, value) in values {
      for index in 0..<8 where offset + index < bytes.count {
        bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
      }
    }
    return bytes
  }

  @Test func `records are read field by field`() throws {
    var received = SampleCollector.Received()
    received.now = 5_000
    let event = try layout("profiler_sample_event")
    let key = try #require(event.members["key"])
    let sample = record(
      [
        0: 7 << 32 | 2, key: 11, key + 8: 12, key + 16: 13, key + 24: 14, key + 32: 15,
        key + 40: 16,
        key + 48: 17, key + 56: 19 << 32 | 18, key + 64: 0x6161,
      ], size: event.size)
    received.add(sample.span.bytes)
    var expected = ProfilerKey()
    expected.process = ProcessIdentity(start: 11, image: 12, processID: 13)
    expected.userStack = StackID(low: 14, high: 15)
    expected.kernelStack = StackID(low: 16, high: 17)
    expected.threadID = 18
    expected.flags = 19
    expected.command = CommandName("aa")
    #expect(received.overflow == [expected: 7], "counted with its weight")

    let linked = try layout("profiler_linked_event")
    let link = try #require(linked.members["link"])
    #expect(linked.members["sample"] == 0 && link == event.size && linked.size == link + 24)
    var bytes = record([0: 7 << 32 | 7, key: 11, key + 8: 12, key + 16: 13], size: linked.size)
    for index in 0..<24 { bytes[link + index] = UInt8(index + 1) }
    received.add(bytes.span.bytes)
    var other = ProfilerKey()
    other.process = ProcessIdentity(start: 11, image: 12, processID: 13)
    let span = SpanLink(
      traceHigh: 0x0102_0304_0506_0708, traceLow: 0x090a_0b0c_0d0e_0f10,
      spanID: 0x1112_1314_1516_1718)
    #expect(received.linked == [SampleIdentity(key: other, span: span): 7])

    // Kind, padding, `struct process_id`, time, samples. Only a pointer to it is in the program, so
    // that its type is not in the object.
    let process = record([0: 3, 16: 5, 24: 4242, 32: 4_000, 40: 1, 56: 77], size: 64)
    received.add(process.span.bytes)
    // First met at its end: there is nothing left to look at but its group.
    let ending = record([0: 3, 24: 4243, 32: 4_000, 56: 78], size: 64)
    received.add(ending.span.bytes)
    #expect(received.announced.map(\.processID) == [4242])
    let running = ProcessIdentity(start: 0, image: 5, processID: 4242)
    #expect(
      received.cgroups == [
        running: 77, running.withoutImage: 77,
        ProcessIdentity(start: 0, image: 0, processID: 4243): 78,
      ])

    let place = try #require(try layout("profiler_stack_event").members["addresses"])
    let stack = record(
      [0: 2 << 48 | 2 << 32 | 1, 8: 21, 16: 22, place: 0x1000, place + 8: 0x2000],
      size: place + 16)
    received.add(stack.span.bytes)
    let known = try #require(received.stacks[StackID(low: 21, high: 22)])
    #expect(Array(known.addresses) == [0x1000, 0x2000] && known.isCut)
    #expect(received.malformed == 0)
  }

  @Test func `what is no record is counted, and changes nothing else`() throws {
    var received = SampleCollector.Received()
    let bad = [
      [],
      [1, 0, 0],
      record([0: 9], size: 48),
      record([0: 2], size: 87),
      record([0: 7], size: 111),
      record([0: 3], size: 63),
      // Two addresses are announced, and one and a half are there.
      record([0: 2 << 48 | 1, 8: 21], size: 24 + 12),
    ]
    for record in bad { received.add(record.span.bytes) }
    #expect(received.malformed == UInt64(bad.count))
    #expect(received.overflow.isEmpty && received.announced.isEmpty && received.stacks.count == 0)
  }
}
