import EBPFObject

/// The functions of a file, sorted by address: 16 bytes each.
struct FunctionIndex: Sendable {
  private let entries: [FunctionTable.Entry]
  private let table: FunctionTable
  /// How far back an entry can be that covers the start of another.
  private let reach: Int

  /// A file that nests functions deeper than this is answered with the nearest ones only.
  private static let deepestReach = 256

  init(_ table: FunctionTable) {
    self.table = table
    var entries: [FunctionTable.Entry] = []
    entries.reserveCapacity(min(table.symbolCount, 4096))
    var isSorted = true
    table.forEach { entry in
      if let last = entries.last, last.address > entry.address { isSorted = false }
      entries.append(entry)
    }
    if !isSorted { entries.sort { $0.address < $1.address } }
    var kept = 0
    var reach = 0
    var furthest: (end: UInt64, index: Int) = (0, 0)
    for index in entries.indices {
      let entry = entries[index]
      if kept > 0, entries[kept - 1].address == entry.address {
        if table.isBetter(entry, than: entries[kept - 1]) { entries[kept - 1] = entry }
      } else {
        entries[kept] = entry
        kept += 1
      }
    }
    entries.removeSubrange(kept...)
    for (index, entry) in entries.enumerated() {
      if entry.address < furthest.end { reach = max(reach, index - furthest.index) }
      let (end, overflow) = entry.address.addingReportingOverflow(UInt64(entry.size))
      if overflow || end > furthest.end { furthest = (overflow ? .max : end, index) }
    }
    // Growing left up to twice the memory needed.
    self.entries = entries.capacity > entries.count * 5 / 4 ? Array(entries[...]) : entries
    self.reach = min(reach, Self.deepestReach)
  }

  var count: Int { entries.count }
  var byteCount: Int { entries.capacity * MemoryLayout<FunctionTable.Entry>.stride }

  /// The function that covers an address.
  func entry(at address: UInt64) -> FunctionTable.Entry? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = low + (high - low) / 2
      if entries[middle].address <= address { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return nil }
    let nearest = low - 1
    for index in stride(from: nearest, through: max(0, nearest - reach), by: -1)
    where address - entries[index].address < UInt64(entries[index].size) {
      return entries[index]
    }
    return table.unsized(entries[nearest], mayReach: address) ? entries[nearest] : nil
  }
}
