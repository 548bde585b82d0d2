import EBPF
import EBPFSystem
import Synchronization
import TestSupport
import Testing

/// Capabilities 13, 14 and 15: maps that a running program uses, against bpftool and against what the
/// program itself sees.
@Suite struct ProgramMapTests {
  private func load(_ fixture: String) throws -> LoadedObject {
    try LoadedObject(LoadedObjectTests.object(fixture))
  }

  // MARK: Stack traces

  @Test func `a stack trace is the one the program saw, and the one bpftool dumps`() throws {
    let child = try StoppedProcess(workload: "syscalls")
    let object = try load("stack_traces.bpf.o")
    try object.setVariable("target_tgid", to: child.id)
    let link = try object.program("take_stack").attachBySection()
    #expect(try child.finish() == 0)
    try link.detach()

    let id = try object.variable("id", as: Int64.self)
    let depth = try object.variable("bytes", as: Int64.self) / 8
    #expect(depth >= 2)
    let seen = try object.variable("frames", as: InlineArray<127, UInt64>.self)
    let map = try object.map("stacks")
    let key = BitwiseBytes.read(try #require(UInt32(exactly: id))) { BitwiseBytes.array($0) }
    let value = try #require(try map.value(for: key))
    let stack = (0..<127).map { index in
      (0..<8).reduce(UInt64(0)) { $0 | UInt64(value[index * 8 + $1]) << ($1 * 8) }
    }
    for index in 0..<127 { #expect(stack[index] == (index < depth ? seen[index] : 0)) }
    #expect(try BPFTool.dump(map)[key] == [value])
    #expect(Set(try map.entries().map(\.key)) == Set(try BPFTool.dump(map).keys))
    #expect(try map.delete(key))
    #expect(try map.value(for: key) == nil)
    #expect(try BPFTool.dump(map)[key] == nil)
  }

  // MARK: Maps in maps

  @Test func `a program counts in the inner map that its slot holds, which bpftool sees`() throws {
    let object = try load("map_in_map.bpf.o")
    let outer = try object.map("outer_array")
    let program = try object.program("count")
    func slot(_ number: UInt8) -> [UInt8] { [number, 0, 0, 0] }
    func run(in number: UInt32) throws -> UInt32 {
      try object.setVariable("slot", to: number)
      _ = try program.testRun()
      return try object.variable("found", as: UInt32.self)
    }
    func count(_ map: RawMap) throws -> UInt64? { try Map<UInt32, UInt64>(map).value(for: 0) }

    #expect(try run(in: 0) == 1)
    #expect(try run(in: 0) == 1)
    #expect(try run(in: 2) == 1)
    #expect(try run(in: 1) == 0)
    #expect(try count(object.map("inner_a")) == 2)
    #expect(try count(object.map("inner_b")) == 1)

    // Both directions: what the object put there, and what bpftool puts there.
    #expect(try outer.innerMap(for: slot(2))?.id == (try object.map("inner_b").id))
    #expect(try outer.innerMap(for: slot(1)) == nil)
    let shown = try BPFTool.lookup(outer, slot(2))
    #expect(shown == BitwiseBytes.read(try object.map("inner_b").id) { BitwiseBytes.array($0) })
    try BPFTool.setInnerMap(outer, slot(1), object.map("inner_a"))
    #expect(try outer.innerMap(for: slot(1))?.id == (try object.map("inner_a").id))
    #expect(try run(in: 1) == 1)
    #expect(try count(object.map("inner_a")) == 3)
    // And what we put there.
    try outer.setInnerMap(object.map("inner_b"), for: slot(1))
    #expect(try run(in: 1) == 1)
    #expect(try count(object.map("inner_b")) == 2)
    #expect(try outer.delete(slot(1)))
    #expect(try run(in: 1) == 0)
  }

  // MARK: Queues, stacks, prefixes

  @Test(arguments: [MapType.queue, .stack])
  func `what we push bpftool pops, and the other way round`(type: MapType) throws {
    var spec = MapSpec(name: "pushed", type: type)
    spec.valueSize = 4
    spec.maxEntries = 4
    let map = try RawMap.create(spec)
    let (first, second): ([UInt8], [UInt8]) = ([1, 2, 3, 4], [5, 6, 7, 8])
    let order = type == .queue ? [first, second] : [second, first]
    try map.push(first)
    try map.push(second)
    #expect(try BPFTool.peek(map) == order[0])
    #expect(try BPFTool.pop(map) == order[0])
    #expect(try BPFTool.pop(map) == order[1])
    #expect(try map.pop() == nil)
    try BPFTool.push(map, first)
    try BPFTool.push(map, second)
    #expect(try map.peek() == order[0])
    #expect(try map.pop() == order[0])
    #expect(try map.pop() == order[1])
  }

  @Test func `the longest prefix is found, by us as by bpftool`() throws {
    var spec = MapSpec(name: "routes", type: .lpmTrie)
    spec.keySize = 8
    spec.valueSize = 1
    spec.maxEntries = 8
    spec.flags = MapFlags.noPreallocation
    let map = try RawMap.create(spec)
    func prefix(_ bits: UInt8, _ address: [UInt8]) -> [UInt8] { [bits, 0, 0, 0] + address }
    try map.update(prefix(8, [10, 0, 0, 0]), [1])
    try BPFTool.update(map, prefix(16, [10, 1, 0, 0]), [2])
    for (address, expected) in [([10, 1, 2, 3], 2), ([10, 2, 2, 3], 1)] as [([UInt8], UInt8)] {
      #expect(try map.value(for: prefix(32, address)) == [expected])
      #expect(try BPFTool.lookup(map, prefix(32, address)) == [expected])
    }
    #expect(try map.value(for: prefix(32, [11, 0, 0, 1])) == nil)
    #expect(try map.delete(prefix(16, [10, 1, 0, 0])))
    #expect(try map.value(for: prefix(32, [10, 1, 2, 3])) == [1])
  }

  // MARK: Locks

  private struct Locked: BTFRepresentable {
    var lock: UInt32
    var unused: UInt32
    var numbers: InlineArray<8, UInt64>
    static var btfFields: [BTFField] {
      [
        BTFField("lock", \Self.lock), BTFField("unused", \Self.unused),
        BTFField("numbers", \Self.numbers),
      ]
    }
  }

  @Test
  func `a value read under its lock is never half written, and a write under it is whole`() throws {
    let object = try load("locked_value.bpf.o")
    let map = try object.map("locked", key: UInt32.self, value: Locked.self)
    let program = try object.program("add")
    let runs: UInt64 = 200
    let isOver = Flag()
    try Thread.detach {
      var run = TestRun()
      run.input = [UInt8](repeating: 0, count: 64)
      run.count = 1000
      do throws(EBPFError) { for _ in 0..<runs { _ = try program.testRun(run) } } catch {
        Issue.record("\(error)")
      }
      isOver.raise()
    }
    var reads = 0
    while !isOver.isRaised {
      let value = try #require(try map.value(for: 0, locked: true))
      for index in 1..<8 where value.numbers[index] != value.numbers[0] {
        Issue.record("\(value.numbers[index]) beside \(value.numbers[0])")
      }
      reads += 1
    }
    #expect(reads > 0)
    #expect(try map.value(for: 0, locked: true)?.numbers[7] == runs * 1000)
    try map.update(
      0, Locked(lock: 0, unused: 0, numbers: InlineArray(repeating: 5)), locked: true)
    _ = try program.testRun(Self.packet)
    #expect(try map.value(for: 0)?.numbers[3] == 6)
  }

  private static var packet: TestRun {
    var run = TestRun()
    run.input = [UInt8](repeating: 0, count: 64)
    return run
  }

  @Test func `a locked write to a map without a lock is refused`() throws {
    var spec = MapSpec(name: "unlocked", type: .array)
    spec.keySize = 4
    spec.valueSize = 8
    spec.maxEntries = 1
    let map = try Map<UInt32, UInt64>(RawMap.create(spec))
    let error = #expect(throws: EBPFError.self) { try map.update(0, 1, locked: true) }
    #expect(
      error?.description == """
        invalid_argument: values of map 'unlocked' have no lock to take
          map          unlocked
          system call  bpf(BPF_MAP_UPDATE_ELEM) = EINVAL (22)
          hint         give the C type of the value a member 'struct bpf_spin_lock', with BTF \
        (Linux 5.1)
        """)
    let read = #expect(throws: EBPFError.self) { _ = try map.value(for: 0, locked: true) }
    #expect(read?.message == error?.message)
  }

  // MARK: Writes that a running program sees

  @Test func `a program that runs sees a variable change, and a map entry change`() throws {
    let counts = try SyscallCounts("count_raw_tp.bpf.o")
    let enter = try counts.object.program("count_enter").attachBySection()
    // The one program, attached all the time, counts whom the variable names.
    for isTarget in [true, false, true] {
      let child = try StoppedProcess(workload: "syscalls")
      try counts.object.setVariable("target_tgid", to: isTarget ? child.id : 0)
      let before = try counts.totals()[0]
      #expect(try child.finish() == 0)
      #expect(try counts.totals()[0] - before == (isTarget ? 111_001 : 0))
    }
    let totals = try counts.object.map("totals", key: UInt32.self, value: UInt64.self)
    try totals.update(0, 1 << 40)
    let child = try StoppedProcess(workload: "syscalls")
    try counts.object.setVariable("target_tgid", to: child.id)
    #expect(try child.finish() == 0)
    #expect(try totals.value(for: 0) == 1 << 40 + 111_001)
    try enter.detach()
  }
}
