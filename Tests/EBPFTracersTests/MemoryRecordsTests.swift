import EBPF
import Testing

@testable import EBPFTracers

/// The Swift side of the memory tracer's contract against the C side's own types.
@Suite struct MemoryRecordsTests {
  /// A structure of the object: its size, and where each member begins, members of members included.
  private func layout(
    _ name: String, in bytes: Bytes = EmbeddedObject.memory
  ) throws -> (size: Int, members: [String: Int]) {
    let object = try ObjectFile(parsing: bytes, name: "memory")
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
    #expect(MemoryLayout<Value>.size == expected.size, "\(name)")
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
      MemoryControl.self, "memory_control",
      [
        "paused": \.paused, "flags": \.flags, "fault_period": \.faultPeriod,
        "generation": \.generation, "sample_bytes": \.sampleBytes,
        "history_interval": \.historyInterval, "stacks": \.stackGeneration,
      ])
    try check(
      MemorySiteKey.self, "memory_site",
      [
        "process": \.process, "stack": \.stack, "size": \.size, "kind": \.kind,
        "factor": \.factor,
      ])
    try check(MemoryAmount.self, "memory_amount", ["count": \.count, "bytes": \.bytes])
    try check(
      MemoryAddress.self, "memory_address", ["process": \.process, "address": \.address])
    try check(
      MemoryBlockRecord.self, "memory_block",
      [
        "size": \.size, "time": \.time, "stack": \.stack, "tid": \.threadID,
        "factor": \.factor, "weighted": \.weighted,
      ])
    try check(
      MemoryProcessRecord.self, "memory_process",
      [
        "command": \.figures.command, "cgroup": \.figures.cgroup, "first_seen": \.figures.firstSeen,
        "faults": \.figures.faults, "maps": \.figures.maps,
        "mapped_bytes": \.figures.mappedBytes, "unmaps": \.figures.unmaps,
        "unmapped_bytes": \.figures.unmappedBytes,
        "break_grown_bytes": \.figures.breakGrownBytes,
        "break_shrunk_bytes": \.figures.breakShrunkBytes,
        "pages": \.figures.filePages, "peak_pages": \.figures.peakPages, "stacks": \.figures.stacks,
        "strays": \.figures.strays, "asked": \.figures.asked, "points": \.figures.points,
        "history": \.history,
      ])
  }

  @Test func `every counter is where the object has it`() throws {
    let expected = try layout("memory_counters")
    #expect(MemoryLayout<MemoryCounters>.size == expected.size)
    let mirror = Mirror(reflecting: MemoryCounters(summing: []))
    var offset = 0
    for child in mirror.children {
      let label = try #require(child.label)
      guard !label.hasPrefix("stacks") else { break }
      let name = label.reduce(into: "") { name, letter in
        name += letter.isUppercase ? "_" + letter.lowercased() : String(letter)
      }
      #expect(expected.members[name] == offset, "\(name)")
      offset += 8
    }
    #expect(expected.members["stacks"] == offset)
    typealias Counters = MemoryCounters
    #expect(expected.members["walks"] == MemoryLayout<Counters>.offset(of: \.walks))
    #expect(
      expected.members["guessed_frames"] == MemoryLayout<Counters>.offset(of: \.guessedFrames))
  }

  @Test(arguments: [
    "memory_control", "memory_counters", "memory_process", "memory_site", "memory_block",
  ])
  func `both objects have the same structures`(name: String) throws {
    let one = try layout(name)
    let other = try layout(name, in: EmbeddedObject.memoryWalking)
    #expect(one.size == other.size && one.members == other.members)
  }

  @Test func `counters are added up, but for the time of the first event`() {
    var one = MemoryCounters(summing: [])
    one.firstEvent = 30
    one.allocations = 1
    one.stacksNone = 5
    var two = one
    two.firstEvent = 20
    two.rssUpdates = 7
    let idle = MemoryCounters(summing: [])
    let sum = MemoryCounters(summing: [one, two, idle])
    #expect(sum.firstEvent == 20)
    #expect(sum.allocations == 2)
    #expect(sum.stacksNone == 10)
    #expect(sum.rssUpdates == 7)
  }

  @Test func `places beyond the room for them are lost, and counted`() {
    var received = MemoryCollector.Received(siteLimit: 1, overflowLimit: 2)
    func add(_ size: UInt64) {
      let site = MemorySiteKey(size: size, kind: MemorySiteKey.Kind.allocation)
      received.add(
        MemorySiteEvent(
          kind: 2, padding: 0, site: site, amount: MemoryAmount(count: 3, bytes: 3 * size)))
    }
    for size in [10, 20, 30, 10, 40] as [UInt64] { add(size) }
    #expect(
      Set(received.overflow.map { [$0.key.size, $0.value.count, $0.value.bytes] }) == [
        [10, 6, 60], [20, 3, 60],
      ])
    #expect(received.sitesLost == 2)
  }

  @Test func `stacks beyond the room for them are lost, and counted`() {
    var stacks = StackTable(limit: 2)
    func add(_ id: UInt64) -> Bool {
      // `struct stack_event`: kind, flags, depth, id, addresses.
      let record: [UInt64] = [1 | 1 << 48, id, 0, 0x1000 + id]
      return record.withUnsafeBytes { stacks.add(record: $0.bytes) }
    }
    #expect([1, 2, 3, 2, 3].allSatisfy { add($0) })
    #expect(stacks.count == 2 && stacks.lost == 2)
    #expect(stacks[StackID(low: 2, high: 0)]?.addresses == [0x1002])
    #expect(stacks[StackID(low: 3, high: 0)] == nil)
  }

  @Test func `every address of a stack is what it was`() {
    var stacks = StackTable()
    let all: [[UInt64]] = [
      [0, .max, 0, 1 << 63, 1, .max],
      [0xffff_ffff_8100_0000, 0x7fff_ffff_e000, 0x40_1000, 0x40_1040],
      [], Array(repeating: 7, count: 127), [64, 0, 63, 128, 8191, 0],
    ]
    for (id, addresses) in all.enumerated() {
      let record: [UInt64] = [1 | UInt64(addresses.count) << 48, UInt64(id), 1] + addresses
      #expect(record.withUnsafeBytes { stacks.add(record: $0.bytes) })
    }
    for (id, addresses) in all.enumerated() {
      #expect(stacks[StackID(low: UInt64(id), high: 1)]?.addresses == addresses)
    }
  }

  @Test func `a full history begins with its oldest point`() {
    var record = MemoryProcessRecord()
    for number in 0..<40 {
      record.history[number % 32] = MemoryPoint(time: UInt64(number), pages: 1)
      record.figures.points += 1
    }
    #expect(record.orderedHistory.map(\.time) == (8..<40).map(UInt64.init))
    record.figures.points = 3
    #expect(record.orderedHistory.count == 3)
  }
}
