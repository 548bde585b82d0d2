/// Finds the types of a few names in one pass, without the index: for a caller that asks once.
///
/// The pass looks at eight bytes of each name, where an index has to read all names to their ends.
struct BTFNameSearch {
  /// More names are not worth a pass without the index.
  static let limit = 64

  /// A name by its first bytes.
  private struct Wanted {
    let name: [UInt8]
    let mask: UInt64
    let prefix: UInt64
    let place: Int
  }

  private var wanted: [Wanted] = []
  /// The first two bytes of all wanted names, one bit for each pair.
  private var beginnings = [UInt64](repeating: 0, count: 1 << 10)
  private var found: [[BTFType]]

  private init(_ names: [String]) {
    found = [[BTFType]](repeating: [], count: names.count)
    for (place, name) in names.enumerated() {
      let essential = Array(name.utf8.prefix(BTFNameIndex.scan(name).essentialLength))
      guard !essential.isEmpty else { continue }
      var prefix: UInt64 = 0
      for (index, byte) in essential.prefix(8).enumerated() {
        prefix |= UInt64(byte) << UInt64(8 * index)
      }
      let mask = UInt64.max >> UInt64(8 * (8 - min(8, essential.count)))
      wanted.append(Wanted(name: essential, mask: mask, prefix: prefix, place: place))
      // After a name of one byte comes its end or a flavour.
      let pairs = essential.count > 1 ? [prefix & 0xffff] : [prefix, prefix | 0x5f00]
      for pair in pairs { beginnings[Int(pair >> 6)] |= 1 << (pair & 63) }
    }
  }

  /// For each name the types of `blob` itself, lowest id first, that have it as essential name and a
  /// kind for which `includes` holds.
  static func types(
    named names: [String], in blob: BTF, includes: (BTFKind) -> Bool
  ) -> [[BTFType]] {
    var search = BTFNameSearch(names)
    search.run(blob, BTFKind.flags(includes))
    return search.found
  }

  private mutating func run(_ blob: BTF, _ kinds: [Bool]) {
    let (typeBytes, stringBytes) = (blob.types, blob.strings)
    let (types, strings) = (typeBytes.span, stringBytes.span)
    let (order, firstString, stringEnd) = (blob.order, blob.firstStringOffset, blob.stringEnd)
    for (index, offset) in blob.offsets.enumerated() {
      let offset = Int(offset)
      guard let info = types.integer(at: offset + 4, as: UInt32.self, order: order),
        kinds[Int(info >> 24 & 0x7f)],
        let name = types.integer(at: offset, as: UInt32.self, order: order), name != 0
      else { continue }
      if name >= firstString, name < stringEnd {
        let start = Int(name - firstString)
        guard mayBeWanted(Self.word(strings, at: start)) else { continue }
      }
      guard let size = types.integer(at: offset + 8, as: UInt32.self, order: order),
        let place = blob.locate(string: name)
      else { continue }
      let type = BTFType(
        id: blob.firstID + UInt32(index), nameOffset: name, info: info, sizeOrType: size,
        dataOffset: offset + 12)
      compare(type, place.bytes.span, place.start)
    }
  }

  private func mayBeWanted(_ word: UInt64) -> Bool {
    let pair = word & 0xffff
    return beginnings[Int(pair >> 6)] >> (pair & 63) & 1 != 0
  }

  private mutating func compare(_ type: BTFType, _ strings: RawSpan, _ start: Int) {
    let word = Self.word(strings, at: start)
    for wanted in wanted where word & wanted.mask == wanted.prefix {
      let scanned = BTFNameIndex.scan(strings, from: start)
      guard scanned.essentialLength == wanted.name.count else { continue }
      var isEqual = true
      for index in wanted.name.indices
      where strings.byte(at: start + index) != wanted.name[index] { isEqual = false }
      if isEqual { found[wanted.place].append(type) }
    }
  }

  /// The eight bytes from `start`, the first one lowest; zeros after the last.
  private static func word(_ bytes: RawSpan, at start: Int) -> UInt64 {
    if let word = bytes.integer(at: start, as: UInt64.self) { return word }
    var word: UInt64 = 0
    for index in 0..<min(8, max(0, bytes.byteCount - start)) {
      word |= UInt64(bytes.byte(at: start + index)) << UInt64(8 * index)
    }
    return word
  }
}
