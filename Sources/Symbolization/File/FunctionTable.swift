import EBPFObject
import EBPFSystem

/// The functions in a symbol table, read in place.
struct FunctionTable: Sendable {
  /// A function: where it is and which symbol names it.
  struct Entry: Sendable {
    var address: UInt64
    /// 0 when unknown; at most 4 GiB.
    var size: UInt32
    var symbol: UInt32
  }

  private let table: SymbolTable
  /// For each section, the first address after it when it holds code; 0 otherwise.
  private let codeEnds: [UInt64]

  init(_ file: ELFFile, _ table: SymbolTable) {
    self.table = table
    codeEnds = file.sections.map { section in
      guard section.isExecutable else { return 0 }
      let (end, overflow) = section.address.addingReportingOverflow(section.size)
      return overflow ? .max : end
    }
  }

  /// At most this many symbols are looked at.
  private var count: Int { min(table.count, Int(UInt32.max)) }

  /// 3 MiB of a 64-bit symbol table.
  private static let symbolsBetweenReleases = 1 << 17

  /// The number of symbols, functions or not.
  var symbolCount: Int { count }

  /// Calls `body` with every function, in the order of the table.
  func forEach(_ body: (Entry) -> Void) {
    table.forEachSymbol { symbol in
      // What was gone through need not stay in memory.
      if symbol.index % Self.symbolsBetweenReleases == 0 { table.nameBytes.releasePages() }
      if let entry = entry(symbol) { body(entry) }
    }
  }

  /// The entry of a symbol that names code in this file.
  private func entry(_ symbol: ELFFile.Symbol) -> Entry? {
    guard symbol.nameOffset != 0, !symbol.isUndefined, symbol.index <= Int(UInt32.max) else {
      return nil
    }
    switch symbol.type {
    case ELFFile.SymbolType.function, ELFFile.SymbolType.indirectFunction: break
    case ELFFile.SymbolType.none:
      // A label of assembly code; Arm's `$x` marks where code begins and names nothing.
      guard codeEnd(symbol) > symbol.value,
        table.nameBytes.span.integer(at: Int(symbol.nameOffset), as: UInt8.self) != 0x24
      else { return nil }
    default: return nil
    }
    return Entry(
      address: symbol.value, size: UInt32(clamping: symbol.size), symbol: UInt32(symbol.index))
  }

  private func codeEnd(_ symbol: ELFFile.Symbol) -> UInt64 {
    guard let section = symbol.sectionIndex, section < codeEnds.count else { return 0 }
    return codeEnds[section]
  }

  private func symbol(_ entry: Entry) -> ELFFile.Symbol? {
    // The entry was made from this table, so that the symbol is there.
    do throws(EBPFError) { return try table.symbol(at: Int(entry.symbol)) } catch { return nil }
  }

  // MARK: - Names

  var nameBytes: Bytes { table.nameBytes }

  func nameOffset(_ entry: Entry) -> Int { symbol(entry).map { Int($0.nameOffset) } ?? 0 }

  func isNamed(_ entry: Entry, _ name: String) -> Bool {
    symbol(entry).map { table.isNamed($0, name) } ?? false
  }

  /// The longest name handed out; what is longer is cut.
  static let longestName = 65_536

  func name(_ entry: Entry) -> String { nameBytes.name(at: nameOffset(entry)) }

  // MARK: - The rule

  /// True when `a` names their common address better than `b`.
  func isBetter(_ a: Entry, than b: Entry) -> Bool {
    guard let first = symbol(a), let second = symbol(b) else { return false }
    if (a.size == 0) != (b.size == 0) { return a.size != 0 }
    if first.isFunction != second.isFunction { return first.isFunction }
    let ranks = (bindingRank(first), bindingRank(second))
    if ranks.0 != ranks.1 { return ranks.0 < ranks.1 }
    let underscores = (underscores(first), self.underscores(second))
    if underscores.0 != underscores.1 { return underscores.0 < underscores.1 }
    let lengths = (nameLength(first), nameLength(second))
    if lengths.0 != lengths.1 { return lengths.0 > lengths.1 }
    return a.symbol < b.symbol
  }

  private func bindingRank(_ symbol: ELFFile.Symbol) -> Int {
    switch symbol.binding {
    case ELFFile.SymbolBinding.global, ELFFile.SymbolBinding.unique: 0
    case ELFFile.SymbolBinding.weak: 2
    default: 1
    }
  }

  private func underscores(_ symbol: ELFFile.Symbol) -> Int {
    let span = nameBytes.span
    var count = 0
    while count < 64,
      span.integer(at: Int(symbol.nameOffset) + count, as: UInt8.self) == 0x5f
    {
      count += 1
    }
    return count
  }

  private func nameLength(_ symbol: ELFFile.Symbol) -> Int {
    nameBytes.nameLength(at: Int(symbol.nameOffset), atMost: 4096)
  }

  /// True when an entry without a size may reach as far as `address`.
  func unsized(_ entry: Entry, mayReach address: UInt64) -> Bool {
    guard entry.size == 0, let symbol = symbol(entry) else { return false }
    return address == entry.address || address < codeEnd(symbol)
  }

  // MARK: - Without an index

  /// One pass over the table for a few addresses: no memory but the result.
  func scan(for addresses: [UInt64]) -> [Entry?] {
    let order = addresses.indices.sorted { addresses[$0] < addresses[$1] }
    let wanted = order.map { addresses[$0] }
    // Per address: the best entry that covers it, and the nearest that starts before it but after
    // the address before.
    var covering = [Entry?](repeating: nil, count: wanted.count)
    var nearest = covering
    forEach { entry in
      var low = 0
      var high = wanted.count
      while low < high {
        let middle = (low + high) / 2
        if wanted[middle] < entry.address { low = middle + 1 } else { high = middle }
      }
      guard low < wanted.count else { return }
      improve(&nearest[low], with: entry)
      while low < wanted.count, wanted[low] - entry.address < UInt64(entry.size) {
        improve(&covering[low], with: entry)
        low += 1
      }
    }
    var result = [Entry?](repeating: nil, count: addresses.count)
    var last: Entry?
    for (place, original) in order.enumerated() {
      last = nearest[place] ?? last
      if let entry = covering[place] {
        result[original] = entry
      } else if let last, unsized(last, mayReach: wanted[place]) {
        result[original] = last
      }
    }
    return result
  }

  private func improve(_ best: inout Entry?, with entry: Entry) {
    guard let known = best else {
      best = entry
      return
    }
    if entry.address > known.address
      || entry.address == known.address && isBetter(entry, than: known)
    {
      best = entry
    }
  }
}

extension Bytes {
  /// The length of the zero-terminated name at `offset`, no more than `limit`.
  func nameLength(at offset: Int, atMost limit: Int) -> Int {
    guard offset >= 0, offset < count else { return 0 }
    let span = span
    let end = offset + min(limit, count - offset)
    var position = offset
    while position < end, span.byte(at: position) != 0 { position += 1 }
    return position - offset
  }

  /// The zero-terminated name at `offset`; empty outside the table, cut when it is too long.
  func name(at offset: Int) -> String {
    let length = nameLength(at: offset, atMost: FunctionTable.longestName)
    do throws(EBPFError) { return try slice(at: max(0, offset), count: length).text } catch {
      return ""
    }
  }
}

extension NearNames {
  /// Weighs the zero-terminated name at `start`.
  mutating func consider(_ names: Bytes, from start: Int) {
    let length = names.nameLength(at: start, atMost: longestCandidate + 1)
    guard length <= longestCandidate else { return }
    do throws(EBPFError) {
      let name = try names.slice(at: start, count: length).array
      consider(name[...])
    } catch { return }
  }
}
