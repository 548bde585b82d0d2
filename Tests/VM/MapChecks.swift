import EBPF
import EBPFSystem

/// Capabilities 13 to 15: what maps answer on kernels of another age.
enum MapChecks {
  static let all = [
    Check("entries are written, read and deleted, one by one and in batches") {
      let map = try Map<UInt32, UInt64>(make(.hash, entries: 1000))
      try equal(try map.value(for: 1), nil, "a missing key")
      try map.update((UInt32(0)..<1000).map { (key: $0, value: UInt64($0) * 3) })
      try equal(try map.value(for: 999), 2997, "a value")
      let entries = try map.entries()
      try equal(entries.count, 1000, "entries")
      try require(entries.allSatisfy { $0.value == UInt64($0.key) * 3 }, "\(entries)")
      try equal(try map.delete(Array(UInt32(500)..<1500)), 500, "deleted in a batch")
      try equal(try map.take(7), 21, "taken")
      try equal(try map.value(for: 7), nil, "the value of a key that was taken")
      try equal(Set(try map.keys()), Set(0..<500).subtracting([7]), "keys that are left")
      try equal(try map.takeAll().count, 499, "taken at last")
    },
    Check("a write that the map cannot take is refused with the reason") {
      let map = try Map<UInt32, UInt64>(make(.hash, entries: 2))
      try map.update(1, 10, .noExist)
      let present = try refusal { try map.update(1, 11, .noExist) }
      try equal(
        present, .exists, "cannot write map 'checked': the key is there already", errno: "EEXIST")
      let missing = try refusal { try map.update(2, 11, .exists) }
      try equal(
        missing, .notFound, "cannot write map 'checked': the key is not there", errno: "ENOENT")
      try map.update(2, 20)
      let full = try refusal { try map.update(3, 30) }
      try equal(
        full, .tooLarge, "cannot write map 'checked': all its 2 entries are taken", errno: "E2BIG")
      let array = try Map<UInt32, UInt64>(make(.array, entries: 2))
      let past = try refusal { try array.update(2, 1) }
      try equal(
        past, .tooLarge, "cannot write map 'checked': the index is not below its 2 entries",
        errno: "E2BIG")
    },
    Check("each object's maps hold what the kernel says of them") {
      let object = try Guest.object("maps_btf")
      let loaded = try LoadedObject(object)
      try equal(loaded.maps.map(\.name), object.maps.map(\.name), "names")
      for (map, spec) in zip(loaded.maps, object.maps) {
        let held = try LiveKernel().mapInformation(map.fileDescriptor)
        try equal(held.type, spec.type.rawValue, "the type of \(spec.name)")
        try equal(held.keySize, spec.keySize, "the key size of \(spec.name)")
        try equal(held.valueSize, spec.valueSize, "the value size of \(spec.name)")
      }
    },
  ]

  private static func make(_ type: MapType, entries: UInt32) throws -> RawMap {
    var spec = MapSpec(name: "checked", type: type)
    spec.keySize = 4
    spec.valueSize = 8
    spec.maxEntries = entries
    return try RawMap.create(spec)
  }
}
