import EBPF
import EBPFSystem
import Synchronization
import TestSupport
import Testing

/// Capabilities 13, 14 and 15: typed maps on the running kernel.
@Suite struct MapTests {
  struct Flow: BitwiseCopyable, Hashable, Sendable {
    var address: UInt32
    var port: UInt16
    var reserved: UInt16 = 0
  }
  struct Counts: BitwiseCopyable, Hashable, Sendable {
    var bytes: UInt64
    var packets: UInt32
  }

  private func make(
    _ type: MapType, key: UInt32 = 4, value: UInt32 = 8, entries: UInt32 = 64, flags: UInt32 = 0
  ) throws -> RawMap {
    var spec = MapSpec(name: "typed", type: type)
    spec.keySize = key
    spec.valueSize = value
    spec.maxEntries = entries
    spec.flags = flags
    return try RawMap.create(spec)
  }

  @Test func `structures go in and come out, and bpftool sees their bytes`() throws {
    let raw = try make(.hash, key: 8, value: 16)
    let map = try Map<Flow, Counts>(raw)
    let key = Flow(address: 0x0100_007f, port: 443)
    #expect(try map.value(for: key) == nil)
    try map.update(key, Counts(bytes: 1 << 40, packets: 7))
    #expect(try map.value(for: key) == Counts(bytes: 1 << 40, packets: 7))
    let expected: [UInt8] = [0, 0, 0, 0, 0, 1, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]
    #expect(try BPFTool.dump(raw) == [[0x7f, 0, 0, 1, 0xbb, 1, 0, 0]: [expected]])
    #expect(try map.take(key) == Counts(bytes: 1 << 40, packets: 7))
    #expect(try map.take(key) == nil)
  }

  @Test func `batches of typed entries are the same as one by one`() throws {
    let map = try Map<UInt32, UInt64>(make(.hash, entries: 1000))
    try map.update((UInt32(0)..<1000).map { (key: $0, value: UInt64($0) * 3) })
    for key in stride(from: UInt32(0), to: 1000, by: 37) {
      #expect(try map.value(for: key) == UInt64(key) * 3)
    }
    let entries = try map.entries()
    #expect(entries.count == 1000)
    #expect(entries.allSatisfy { $0.value == UInt64($0.key) * 3 })
    #expect(try map.delete(Array(UInt32(500)..<1500)) == 500)
    #expect(Set(try map.keys()) == Set(0..<500))
    #expect(try map.takeAll().count == 500)
    #expect(try map.keys().isEmpty)
  }

  @Test func `each CPU has its own value, and they are added up`() throws {
    let raw = try make(.perCPUArray, value: 4, entries: 2)
    let map = try PerCPUMap<UInt32, UInt32>(raw)
    let values = (0..<raw.valuesPerElement).map { UInt32($0 + 1) }
    try map.update(1, values)
    #expect(try map.values(for: 1) == values)
    #expect(try map.total(for: 1, UInt64(0)) { $0 + UInt64($1) } == UInt64(values.reduce(0, +)))
    #expect(try map.values(for: 0) == values.map { _ in 0 })
    #expect(try map.values(for: 2) == nil)
    let wrong = #expect(throws: EBPFError.self) { try map.update(1, values + [0]) }
    #expect(
      wrong?.message
        == "\(values.count + 1) values were given, but map 'typed' has \(values.count) in an element"
    )
  }

  @Test(arguments: [MapType.hash, .lpmTrie])
  func `going through 10,000 entries ends while another thread deletes, and misses none that stay`(
    type: MapType
  ) throws {
    let isTrie = type == .lpmTrie
    let raw = try make(
      type, key: isTrie ? 8 : 4, entries: 10_000, flags: isTrie ? MapFlags.noPreallocation : 0)
    func key(_ number: UInt32) -> [UInt8] {
      let bytes = (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
      return isTrie ? [32, 0, 0, 0] + bytes : bytes
    }
    let value = [UInt8](repeating: 1, count: 8)
    try raw.update((UInt32(0)..<10_000).map { RawMap.Entry(key: key($0), value: value) })
    // Odd keys are deleted and written again as long as the reading goes on.
    let churned = KeyChurn(keys: (0..<5000).map { key(UInt32($0) * 2 + 1) }, map: raw)
    try churned.start()
    for _ in 0..<(isTrie ? 1 : 5) {
      let keys = try raw.entries().map(\.key)
      let found = Set(keys)
      #expect(found.count == keys.count)
      for number in stride(from: UInt32(0), to: 10_000, by: 2) where !found.contains(key(number)) {
        Issue.record("key \(number) was there all the time, and was not read")
      }
    }
    churned.stop()
    #expect(churned.rounds > 0)
  }

  @Test func `an array mapped into memory is the same as by system calls`() throws {
    let raw = try make(.array, value: 12, entries: 1000, flags: MapFlags.mappable)
    let map = try Map<UInt32, InlineArray<3, UInt32>>(raw)
    let mapped = try MappedArray<InlineArray<3, UInt32>>(raw)
    #expect(mapped.count == 1000)
    mapped[999] = [7, 8, 9]
    #expect(try map.value(for: 999)?[2] == 9)
    try map.update(3, [1, 2, 3])
    #expect(mapped[3][1] == 2)
  }

  @Test func `an array without the flag, and a frozen one, cannot be mapped for writing`() throws {
    let plain = try make(.array)
    let error = #expect(throws: EBPFError.self) { _ = try MappedArray<UInt64>(plain) }
    #expect(error?.code == .unsupported)
    let frozen = try make(.array, flags: MapFlags.mappable)
    try frozen.update([5, 0, 0, 0], [9, 0, 0, 0, 0, 0, 0, 0])
    try frozen.freeze()
    let denied = #expect(throws: EBPFError.self) { _ = try MappedArray<UInt64>(frozen) }
    #expect(denied?.code == .denied)
    #expect(try MappedArray<UInt64>(frozen, writable: false)[5] == 9)
  }

  @Test func `a map with initial contents is filled, and a constant one frozen`() throws {
    var spec = MapSpec(name: ".rodata", type: .array)
    spec.keySize = 4
    spec.valueSize = 4
    spec.maxEntries = 1
    spec.contents = [1, 2, 3, 4]
    spec.role = .readOnlyData
    let map = try RawMap.create(spec)
    #expect(try map.value(for: [0, 0, 0, 0]) == [1, 2, 3, 4])
    let error = #expect(throws: EBPFError.self) { try map.update([0, 0, 0, 0], [0, 0, 0, 0]) }
    #expect(error?.code == .denied)
  }

  @Test func `an unreasonable map says what the type wants`() throws {
    var spec = MapSpec(name: "wrong", type: .lpmTrie)
    spec.keySize = 8
    spec.valueSize = 8
    spec.maxEntries = 4
    let error = #expect(throws: EBPFError.self) { _ = try RawMap.create(spec) }
    #expect(error?.code == .invalidArgument)
    #expect(error?.hint?.contains("BPF_F_NO_PREALLOC") == true)
  }

  @Test func `an id that is gone is not found, one that is there opens`() throws {
    let map = try make(.hash)
    #expect(try RawMap.open(id: map.id).id == map.id)
    let error = #expect(throws: EBPFError.self) { _ = try RawMap.open(id: 0x7fff_fff0) }
    #expect(error?.code == .notFound)
  }

  @Test func `maps close with their owner: a thousand leave no descriptor behind`() throws {
    let before = try FileSystem.entries("/proc/self/fd").count
    for _ in 0..<1000 { _ = try make(.array) }
    // Other tests open descriptors at the same time, but not hundreds.
    #expect(try FileSystem.entries("/proc/self/fd").count < before + 300)
  }
}

/// Deletes and writes keys in a loop, on a thread of its own.
private final class KeyChurn: Sendable {
  private let keys: [[UInt8]]
  private let map: RawMap
  private let isStopped = Atomic<Bool>(false)
  private let isEnded = Atomic<Bool>(false)
  private let count = Atomic<Int>(0)

  init(keys: [[UInt8]], map: RawMap) {
    self.keys = keys
    self.map = map
  }

  var rounds: Int { count.load(ordering: .acquiring) }

  func start() throws {
    try Thread.detach { [self] in
      while !isStopped.load(ordering: .acquiring) {
        do throws(EBPFError) {
          for key in keys where !isStopped.load(ordering: .relaxed) {
            try map.delete(key)
            try map.update(key, [UInt8](repeating: 2, count: map.valueSize))
          }
        } catch { Issue.record("\(error)") }
        count.add(1, ordering: .acquiringAndReleasing)
      }
      isEnded.store(true, ordering: .releasing)
    }
  }

  func stop() {
    isStopped.store(true, ordering: .releasing)
    while !isEnded.load(ordering: .acquiring) {}
  }
}
