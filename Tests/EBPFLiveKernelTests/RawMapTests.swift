import EBPF
import EBPFSystem
import TestSupport
import Testing

/// Capabilities 13, 14 and 15: maps on the running kernel, against bpftool in both directions.
@Suite struct RawMapTests {
  static let dumpable: [MapType] = [
    .hash, .lruHash, .array, .perCPUHash, .perCPUArray, .lruPerCPUHash, .lpmTrie,
  ]

  private func make(_ type: MapType, entries: UInt32 = 16, value: UInt32 = 12) throws -> RawMap {
    var spec = MapSpec(name: "raw_map_test", type: type)
    spec.keySize = type == .lpmTrie ? 8 : 4
    spec.valueSize = value
    spec.maxEntries = entries
    if type == .lpmTrie { spec.flags = MapFlags.noPreallocation }
    return try RawMap.create(spec)
  }

  private func key(_ number: UInt32, _ map: RawMap) -> [UInt8] {
    let bytes = (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    // A prefix length of 32 bits, then the address.
    return map.type == .lpmTrie ? [32, 0, 0, 0] + bytes : bytes
  }

  private func value(_ seed: Int, _ map: RawMap) -> [UInt8] {
    (0..<map.valueSize).map { UInt8(truncatingIfNeeded: seed &* 31 &+ $0) }
  }

  private func element(_ seed: Int, _ map: RawMap) -> [UInt8] {
    (0..<map.valuesPerElement).flatMap { cpu in
      value(seed + cpu, map) + [UInt8](repeating: 0, count: map.valueStride - map.valueSize)
    }
  }

  @Test(arguments: dumpable)
  func `Capability 13: what we write is what bpftool dumps, bit for bit`(type: MapType) throws {
    let map = try make(type, entries: 4)
    for number in UInt32(0)..<4 {
      try map.update(key(number, map), element(Int(number), map))
    }
    let dump = try BPFTool.dump(map)
    #expect(dump.count == 4)
    for number in UInt32(0)..<4 {
      #expect(dump[key(number, map)] == map.split(element(Int(number), map)))
    }
    #expect(Set(try map.entries().map(\.key)) == Set(dump.keys))
  }

  @Test(arguments: dumpable)
  func `Capability 13: what bpftool writes is what we read, bit for bit`(type: MapType) throws {
    let map = try make(type, entries: 4)
    let key = key(3, map)
    let value = value(77, map)
    try BPFTool.update(map, key, value)
    let expected = [[UInt8]](repeating: value, count: map.valuesPerElement)
    #expect(try map.valuesPerCPU(for: key) == expected)
  }

  @Test func `a missing key is nil, a zero value is not`() throws {
    let map = try make(.hash)
    #expect(try map.value(for: [1, 0, 0, 0]) == nil)
    try map.update([1, 0, 0, 0], [UInt8](repeating: 0, count: 12))
    #expect(try map.value(for: [1, 0, 0, 0]) == [UInt8](repeating: 0, count: 12))
  }

  @Test func `Capability 15: a deleted key is gone for bpftool too, and the second delete says so`()
    throws
  {
    let map = try make(.hash)
    try map.update([1, 0, 0, 0], value(1, map))
    #expect(try BPFTool.dump(map).count == 1)
    #expect(try map.delete([1, 0, 0, 0]))
    #expect(try BPFTool.dump(map).isEmpty)
    #expect(try !map.delete([1, 0, 0, 0]))
  }

  @Test func `Capability 15: an array's entry cannot be deleted, and the error says what to do`()
    throws
  {
    let map = try make(.array)
    let error = #expect(throws: EBPFError.self) { try map.delete([0, 0, 0, 0]) }
    #expect(
      error?.description == """
        unsupported: cannot delete from map 'raw_map_test': entries of an array cannot be deleted, \
        only overwritten
          map          raw_map_test
          system call  bpf(BPF_MAP_DELETE_ELEM) = EINVAL (22)
          hint         write a zero value instead
        """)
  }

  @Test func `Capability 14: noExist and exists each refuse the other half`() throws {
    let map = try make(.hash)
    let missing = #expect(throws: EBPFError.self) {
      try map.update([1, 0, 0, 0], value(1, map), .exists)
    }
    #expect(missing?.code == .notFound)
    try map.update([1, 0, 0, 0], value(1, map), .noExist)
    let present = #expect(throws: EBPFError.self) {
      try map.update([1, 0, 0, 0], value(2, map), .noExist)
    }
    #expect(present?.code == .exists)
    try map.update([1, 0, 0, 0], value(3, map), .exists)
    #expect(try map.value(for: [1, 0, 0, 0]) == value(3, map))
  }

  @Test func `a full map and an index beyond the end are different errors`() throws {
    let hash = try make(.hash, entries: 2)
    try hash.update(key(0, hash), value(0, hash))
    try hash.update(key(1, hash), value(1, hash))
    let full = #expect(throws: EBPFError.self) { try hash.update(key(2, hash), value(2, hash)) }
    #expect(full?.message == "cannot write map 'raw_map_test': all its 2 entries are taken")
    let array = try make(.array, entries: 2)
    let beyond = #expect(throws: EBPFError.self) {
      try array.update(key(2, array), value(2, array))
    }
    #expect(
      beyond?.message == "cannot write map 'raw_map_test': the index is not below its 2 entries")
    #expect(beyond?.hint == "indices run from 0 to 1")
  }

  @Test func `Capability 14: a frozen map refuses every write, and can still be read`() throws {
    let map = try make(.array)
    try map.update(key(0, map), value(9, map))
    try map.freeze()
    let error = #expect(throws: EBPFError.self) { try map.update(key(0, map), value(1, map)) }
    #expect(error?.code == .denied)
    #expect(error?.message.hasSuffix("it is frozen, or open for reading only") == true)
    #expect(try map.value(for: key(0, map)) == value(9, map))
    let again = #expect(throws: EBPFError.self) { try map.freeze() }
    #expect(again?.message.hasSuffix("it is frozen already, or open for reading only") == true)
  }

  @Test(arguments: dumpable)
  func `a batch is the same as one by one`(type: MapType) throws {
    let batched = try make(type, entries: 500)
    let single = try make(type, entries: 500)
    let entries = (UInt32(0)..<500).map { number in
      RawMap.Entry(key: key(number, batched), value: element(Int(number), batched))
    }
    try batched.update(entries)
    for entry in entries { try single.update(entry.key, entry.value) }
    // LRU maps may have dropped some already; what is there is the same either way.
    let read = try batched.entries().sorted { $0.key.lexicographicallyPrecedes($1.key) }
    let keys = try batched.keysByStepping().sorted { $0.lexicographicallyPrecedes($1) }
    #expect(read.map(\.key) == keys)
    for entry in read { #expect(try batched.value(for: entry.key) == entry.value) }
    if type != .lruHash, type != .lruPerCPUHash {
      #expect(read == (try single.entries().sorted { $0.key.lexicographicallyPrecedes($1.key) }))
      #expect(read.count == 500)
    }
  }

  @Test func `deleting many passes over keys that are missing`() throws {
    let map = try make(.hash, entries: 100)
    let keys = (UInt32(0)..<100).map { key($0, map) }
    for key in keys where key[0] % 3 != 0 { try map.update(key, value(1, map)) }
    #expect(try map.delete(keys) == 66)
    #expect(try map.entries().isEmpty)
  }

  @Test func `taking everything leaves nothing and loses nothing`() throws {
    let map = try make(.perCPUHash, entries: 300)
    for number in UInt32(0)..<300 { try map.update(key(number, map), element(Int(number), map)) }
    let taken = try map.takeAll()
    #expect(taken.count == 300)
    #expect(Set(taken.map(\.key)).count == 300)
    #expect(try map.entries().isEmpty)
  }

  @Test func `queues are first in first out, stacks last in first out, empty is nil`() throws {
    for (type, first) in [(MapType.queue, UInt8(1)), (.stack, 3)] {
      var spec = MapSpec(name: "raw_queue", type: type)
      spec.valueSize = 1
      spec.maxEntries = 3
      let map = try RawMap.create(spec)
      for byte in UInt8(1)...3 { try map.push([byte]) }
      let full = #expect(throws: EBPFError.self) { try map.push([4]) }
      #expect(full?.code == .tooLarge)
      #expect(try map.peek() == [first])
      #expect(try map.pop() == [first])
      _ = try map.pop()
      _ = try map.pop()
      #expect(try map.pop() == nil)
      #expect(try map.peek() == nil)
    }
  }

  @Test func `a Bloom filter knows what was pushed`() throws {
    var spec = MapSpec(name: "raw_bloom", type: .bloomFilter)
    spec.valueSize = 8
    spec.maxEntries = 100
    let map = try RawMap.create(spec)
    let value: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
    #expect(try !map.mightContain(value))
    try map.push(value)
    #expect(try map.mightContain(value))
  }

  @Test(arguments: [MapType.arrayOfMaps, .hashOfMaps])
  func `a map in a map is written as itself and read back as itself`(type: MapType) throws {
    var spec = MapSpec(name: "outer", type: type)
    spec.keySize = 4
    spec.maxEntries = 2
    var template = MapSpec(name: "inner", type: .hash)
    template.keySize = 4
    template.valueSize = 12
    template.maxEntries = 16
    spec.inner = [template]
    let outer = try RawMap.create(spec)
    let inner = try make(.hash)
    try inner.update([7, 0, 0, 0], value(7, inner))
    #expect(try outer.innerMap(for: [1, 0, 0, 0]) == nil)
    try outer.setInnerMap(inner, for: [1, 0, 0, 0])
    let found = try #require(try outer.innerMap(for: [1, 0, 0, 0]))
    #expect(found.id == inner.id)
    #expect(try found.value(for: [7, 0, 0, 0]) == value(7, inner))
    let other = try make(.array)
    let error = #expect(throws: EBPFError.self) {
      try outer.setInnerMap(other, for: [0, 0, 0, 0])
    }
    #expect(error?.message.hasSuffix("it differs from the template") == true)
  }

  @Test func `the sizes of a wrong key and a wrong value are both named`() throws {
    let map = try make(.hash)
    let key = #expect(throws: EBPFError.self) { try map.value(for: [1, 2]) }
    #expect(key?.message == "the key is 2 bytes, but keys of map 'raw_map_test' are 4 bytes")
    let value = #expect(throws: EBPFError.self) { try map.update([1, 0, 0, 0], [1]) }
    #expect(
      value?.message == "the value is 1 bytes, but values of map 'raw_map_test' are 12 bytes")
  }

  @Test func `a pinned map outlives its owner and opens again`() throws {
    let path = "\(Pinning.defaultDirectory)/ebpf-swift-test-\(CurrentProcess.id)"
    var map: RawMap? = try make(.hash)
    try map?.update([1, 0, 0, 0], [UInt8](repeating: 5, count: 12))
    try map?.pin(path)
    defer { #expect(throws: Never.self) { try Pinning.unpin(path) } }
    let taken = #expect(throws: EBPFError.self) { try map?.pin(path) }
    #expect(taken?.code == .exists)
    let id = map?.id
    map = nil
    let again = try RawMap.open(pinned: path)
    #expect(again.id == id)
    #expect(try again.value(for: [1, 0, 0, 0]) == [UInt8](repeating: 5, count: 12))
    let readOnly = try RawMap.open(pinned: path, readOnly: true)
    let error = #expect(throws: EBPFError.self) {
      try readOnly.update([1, 0, 0, 0], [UInt8](repeating: 0, count: 12))
    }
    #expect(error?.code == .denied)
    let link = #expect(throws: EBPFError.self) { _ = try Pinning.open(path, .link) }
    #expect(link?.message == "cannot open the pinned link '\(path)': it is a map")
  }

  @Test func `a pin outside a bpf file system, or in no directory, says where to put it`() throws {
    let map = try make(.hash)
    let outside = #expect(throws: EBPFError.self) { try map.pin("/tmp/ebpf-swift-no-pin") }
    #expect(outside?.message.hasSuffix("'/tmp' is not in a bpf file system") == true)
    let nowhere = #expect(throws: EBPFError.self) {
      try map.pin("\(Pinning.defaultDirectory)/no/such/directory")
    }
    #expect(nowhere?.message.hasSuffix("no such directory") == true)
    let missing = #expect(throws: EBPFError.self) {
      _ = try RawMap.open(pinned: "\(Pinning.defaultDirectory)/no-such-pin")
    }
    #expect(missing?.message.hasSuffix("there is no such pin") == true)
  }
}

extension RawMap {
  /// The keys by `BPF_MAP_GET_NEXT_KEY` alone, on a map that nobody changes.
  func keysByStepping() throws -> [[UInt8]] {
    var keys: [[UInt8]] = []
    while let next = try nextKey(after: keys.last ?? []) { keys.append(next) }
    return keys
  }
}
