import EBPF
import EBPFSystem

/// A map in the kernel, with everything that lists show; the JSON has bpftool's keys.
struct KernelMap: Encodable {
  let id: UInt32
  let type: String
  let name: String
  let flags: UInt32
  let bytesKey: UInt32
  let bytesValue: UInt32
  let maxEntries: UInt32
  var bytesMemlock: UInt64?
  var frozen: UInt64?
  var btfId: UInt32?
  var pids: [ObjectHolders.Holder]?

  init(_ map: RawMap, holders: ObjectHolders) {
    let found = map.information
    id = found.id
    type = map.type.name
    name = found.name
    flags = found.flags
    bytesKey = found.keySize
    bytesValue = found.valueSize
    maxEntries = found.maxEntries
    let figures = DescriptorFigures(own: map.fileDescriptor)
    bytesMemlock = figures?["memlock:"]
    frozen = figures?["frozen:"]
    if found.btfID != 0 { btfId = found.btfID }
    let processes = holders.of(.map, found.id)
    if !processes.isEmpty { pids = processes }
  }

  /// Opens every map, one after the other; those that go meanwhile are passed over.
  static func forEach(_ body: (RawMap) throws(EBPFError) -> Void) throws(EBPFError) {
    for id in try KernelObjects.ids(of: .map) {
      let map: RawMap
      do throws(EBPFError) { map = try RawMap.open(id: id) } catch {
        if error.code == .notFound { continue }
        throw error
      }
      try body(map)
    }
  }

  /// The maps that a reference means.
  static func maps(_ reference: ObjectReference) throws(EBPFError) -> [RawMap] {
    switch reference {
    case .id(let id): return [try RawMap.open(id: id)]
    case .pinned(let path): return [try RawMap(owning: try Pinning.open(path, .map))]
    case .name(let name):
      var maps: [RawMap] = []
      try forEach { (map) in
        if map.information.name == name { maps.append(map) }
      }
      guard !maps.isEmpty else {
        throw EBPFError(.notFound, "there is no map \(reference.description)")
      }
      return maps
    case .tag: throw EBPFError(.invalidArgument, "maps have no tags")
    }
  }

  /// The one map that a reference means.
  static func map(_ reference: ObjectReference) throws(EBPFError) -> RawMap {
    let maps = try maps(reference)
    guard maps.count == 1 else {
      throw EBPFError(
        .invalidArgument, "there are \(maps.count) maps \(reference.description)",
        hint: "take an id: " + maps.map { "\($0.id)" }.joined(separator: ", "))
    }
    return maps[0]
  }

  /// All that is known, line by line.
  var text: String {
    var table = TextTable()
    table.add("map", "\(id)")
    table.add("name", name)
    table.add("type", type)
    table.add("key", "\(bytesKey) bytes")
    table.add("value", "\(bytesValue) bytes")
    table.add("entries", "at most \(Figures.count(UInt64(maxEntries)))")
    table.add("flags", "0x" + String(flags, radix: 16) + (frozen ?? 0 > 0 ? ", frozen" : ""))
    if let bytesMemlock { table.add("memory", "\(Figures.count(bytesMemlock)) bytes") }
    if let btfId { table.add("BTF", "\(btfId)") }
    if pids != nil { table.add("held by", KernelText.holders(pids)) }
    return table.text()
  }
}
