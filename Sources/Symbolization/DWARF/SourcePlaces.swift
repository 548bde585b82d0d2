internal import EBPFObject

/// A line of a source file.
struct SourceLine: Sendable, Hashable {
  /// Its path, as the compiler saw it.
  var file: String
  /// From 1 on.
  var line: Int
}

/// A function whose code stands in that of its caller.
struct InlinedFunction: Sendable, Hashable {
  /// The linker's name for it, or the source's when it has none.
  var name: String
  /// What of it is at the address: a call of the function before, or the code itself.
  var source: SourceLine?
}

/// Where an address is in the sources.
struct SourcePlace: Sendable, Hashable {
  /// The functions that were inlined there, the innermost first; the one that has the code is not among
  /// them.
  var inlined: [InlinedFunction] = []
  /// The line of the function that has the code.
  var source: SourceLine?
  /// There is more that could not be read: it makes no sense, or is more than may be read.
  var isPartial = false
}

/// Where addresses are in the sources, by `.debug_info` and `.debug_line`: unit by unit, only those that
/// hold addresses that were asked for.
///
/// Nothing is read before the first question; then the headers and first entries of all units, which
/// say where their code is. What cannot be read is left out, and the places it may be about say so.
struct SourcePlaces: Sendable {
  private var sections: DWARFSections
  private var units: [DWARFUnit]?
  /// Where units have code, by address.
  private var code: [Code] = []
  /// Not all units could be found.
  private var lacksUnits = false
  /// Bytes of entries that may still be read.
  private var budget = SourcePlaces.mostBytes
  /// The forms of the units read last.
  private var forms: [UInt64: DWARFAbbreviations] = [:]

  private struct Code {
    let start: UInt64
    let end: UInt64
    let unit: Int
  }

  /// Reading a unit's entries takes about a second for each 100 MB.
  static let mostBytes = 128 << 20
  private static let mostUnits = 1 << 18
  private static let deepestOrigin = 16
  private static let deepestInlining = 256

  /// Nil for a file without debug information.
  init?(_ file: ELFFile) throws(EBPFError) {
    guard let sections = try DWARFSections(file) else { return nil }
    self.sections = sections
  }

  var wasCutShort: Bool { sections.wasCutShort }
  func releasePages() { sections.releasePages() }
  /// Drops what had to be expanded, until the next question.
  mutating func releaseExpanded() { sections.releaseExpanded() }

  /// The memory that is kept.
  var cost: Int {
    sections.expandedSize + code.count * 24 + (units?.count ?? 0) * MemoryLayout<DWARFUnit>.stride
  }

  /// Where each address is.
  mutating func places(at addresses: [UInt64]) -> [SourcePlace] {
    do throws(EBPFError) { try sections.expand() } catch { lacksUnits = true }
    if units == nil { findUnits() }
    let units = units ?? []
    var wanted: [Int: [Int]] = [:]
    var found = [SourcePlace](repeating: SourcePlace(), count: addresses.count)
    for (index, address) in addresses.enumerated() {
      if let unit = unit(holding: address) {
        wanted[unit, default: []].append(index)
      } else {
        found[index].isPartial = lacksUnits
      }
    }
    var names: [UInt64: String] = [:]
    for (unit, indices) in wanted {
      let sorted = indices.sorted { addresses[$0] < addresses[$1] }
      let places = sorted.map { addresses[$0] }
      var lines = UnitLines(units[unit], sections, &budget)
      let innermost = lines.places(at: places)
      var isPartial = units[unit].end - units[unit].firstEntry > budget
      do throws(MalformedDWARF) {
        let chains = isPartial ? [] : try chains(at: places, in: units[unit])
        for (place, index) in sorted.enumerated() {
          var source = innermost[place]
          for inlined in isPartial ? [] : chains[place].reversed() {
            let name: String
            if let known = names[inlined.entry] {
              name = known
            } else {
              name = try self.name(of: inlined.entry) ?? ""
              names[inlined.entry] = name
            }
            if !name.isEmpty {
              found[index].inlined.append(
                InlinedFunction(name: name, source: lines.source(source)))
            }
            source = inlined.call
          }
          found[index].source = lines.source(source)
        }
      } catch { isPartial = true }
      if isPartial || lines.isUnread { for index in indices { found[index].isPartial = true } }
      sections.releasePages()
    }
    return found
  }

  // MARK: - Units

  private mutating func findUnits() {
    var units: [DWARFUnit] = []
    do throws(MalformedDWARF) {
      var cursor = try DWARFCursor(sections.information, at: 0)
      while !cursor.isAtEnd, units.count < Self.mostUnits {
        var unit = try DWARFUnit(&cursor)
        if unit.hasCode {
          do throws(MalformedDWARF) { try readFirstEntry(of: &unit, units.count) } catch {
            lacksUnits = true
          }
        }
        units.append(unit)
        if units.count % 1024 == 0 { sections.releasePages() }
      }
      lacksUnits = lacksUnits || !cursor.isAtEnd
    } catch { lacksUnits = true }
    code.sort { ($0.start, $0.end) < ($1.start, $1.end) }
    sections.releasePages()
    self.units = units
  }

  private mutating func readFirstEntry(
    of unit: inout DWARFUnit, _ index: Int
  ) throws(MalformedDWARF) {
    let forms = try abbreviations(of: unit)
    var cursor = try DWARFCursor(
      sections.information, at: UInt64(unit.firstEntry), to: unit.end)
    guard let entry = try DWARFEntry(&cursor, unit, forms) else { return }
    unit.addressBase = entry.addressBase ?? unit.addressBase
    unit.stringOffsetsBase = entry.stringOffsetsBase ?? unit.stringOffsetsBase
    unit.rangeListsBase = entry.rangeListsBase ?? unit.rangeListsBase
    unit.lineProgram = entry.lineProgram
    unit.directory = entry.directory
    unit.lowAddress = try sections.address(entry.low, in: unit) ?? 0
    let ranges = try sections.ranges(
      low: entry.low, high: entry.high, list: entry.ranges, in: unit)
    for range in ranges {
      code.append(Code(start: range.lowerBound, end: range.upperBound, unit: index))
    }
  }

  /// The forms of a unit; those of the last few are kept, which many units share.
  private mutating func abbreviations(
    of unit: DWARFUnit
  ) throws(MalformedDWARF) -> DWARFAbbreviations {
    if let known = forms[unit.abbreviations] { return known }
    if forms.count >= 8 { forms.removeAll() }
    let read = try DWARFAbbreviations(sections.abbreviations, at: unit.abbreviations)
    forms[unit.abbreviations] = read
    return read
  }

  private func unit(holding address: UInt64) -> Int? {
    var low = 0
    var high = code.count
    while low < high {
      let middle = (low + high) / 2
      if code[middle].start <= address { low = middle + 1 } else { high = middle }
    }
    // Ranges of units do not overlap in what linkers make; a few are looked through all the same.
    for index in stride(from: low - 1, through: max(0, low - 8), by: -1)
    where address < code[index].end {
      return code[index].unit
    }
    return nil
  }

  // MARK: - Entries

  /// A function that was inlined, and where it is called.
  private struct Inlined {
    let entry: UInt64
    let call: LineProgram.Place?
  }

  /// For each address, in order, the inlined entries that hold it, the outermost first.
  private mutating func chains(
    at addresses: [UInt64], in unit: DWARFUnit
  ) throws(MalformedDWARF) -> [[Inlined]] {
    var chains = [[Inlined]](repeating: [], count: addresses.count)
    let forms = try abbreviations(of: unit)
    var cursor = try DWARFCursor(
      sections.information, at: UInt64(unit.firstEntry), to: unit.end)
    let first = cursor.position
    defer { budget -= cursor.position - first }
    var depth = 0
    while !cursor.isAtEnd {
      let place = UInt64(cursor.position)
      guard let entry = try DWARFEntry(&cursor, unit, forms) else {
        depth -= 1
        if depth <= 0 { break }
        continue
      }
      if entry.hasChildren { depth += 1 }
      let isInlined = entry.tag == DWARFEntry.Tag.inlinedSubroutine
      guard isInlined || entry.tag == DWARFEntry.Tag.subprogram else { continue }
      let ranges = try sections.ranges(
        low: entry.low, high: entry.high, list: entry.ranges, in: unit)
      var holdsAny = false
      for range in ranges {
        var index = addresses.firstIndex(from: range.lowerBound)
        while index < addresses.count, addresses[index] < range.upperBound {
          holdsAny = true
          if !isInlined {
            chains[index].removeAll()
          } else if chains[index].count < Self.deepestInlining {
            chains[index].append(
              Inlined(
                entry: place,
                call: entry.callLine == 0
                  ? nil : LineProgram.Place(file: entry.callFile, line: entry.callLine)))
          }
          index += 1
        }
      }
      // What is inside of one that holds none of them does not, either.
      if !holdsAny, entry.hasChildren, isInlined || !ranges.isEmpty, let sibling = entry.sibling,
        sibling > place, sibling <= UInt64(unit.end)
      {
        cursor = try DWARFCursor(sections.information, at: sibling, to: unit.end)
        depth -= 1
      }
    }
    return chains
  }

  // MARK: - Names

  /// The name of the function that an entry is about, here or where it refers to.
  private mutating func name(of place: UInt64) throws(MalformedDWARF) -> String? {
    var place = place
    var plain: String?
    for _ in 0..<Self.deepestOrigin {
      guard let unit = unit(at: place) else { throw MalformedDWARF() }
      let forms = try abbreviations(of: unit)
      var cursor = try DWARFCursor(sections.information, at: place, to: unit.end)
      guard let entry = try DWARFEntry(&cursor, unit, forms) else { throw MalformedDWARF() }
      if let name = try sections.text(entry.linkageName, in: unit), !name.isEmpty { return name }
      if plain == nil { plain = try sections.text(entry.name, in: unit) }
      guard let origin = entry.origin else { return plain }
      place = origin
    }
    return plain
  }

  /// The unit that has an entry.
  private func unit(at place: UInt64) -> DWARFUnit? {
    guard let units else { return nil }
    var low = 0
    var high = units.count
    while low < high {
      let middle = (low + high) / 2
      if units[middle].start <= place { low = middle + 1 } else { high = middle }
    }
    guard low > 0, place < UInt64(units[low - 1].end), place >= UInt64(units[low - 1].firstEntry)
    else { return nil }
    return units[low - 1]
  }
}
