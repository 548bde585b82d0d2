import EBPFObject

/// Go's own table of functions, `.gopclntab`, which stripping leaves in place.
///
/// Read where it is, by binary search. The four layouts that Go has had are those of
/// `src/debug/gosym/pclntab.go` and `src/runtime/symtab.go`: Go 1.2, 1.16, 1.18 and 1.20.
struct GoLineTable: Sendable {
  /// Which Go wrote the table.
  enum Version: UInt32, Sendable, CaseIterable {
    case go12 = 0xffff_fffb
    case go116 = 0xffff_fffa
    case go118 = 0xffff_fff0
    case go120 = 0xffff_fff1
  }

  let version: Version
  private let bytes: Bytes
  private let order: ByteOrder
  private let pointerSize: Int
  /// Where code begins, for the layouts that count from there.
  private let textStart: UInt64
  private let count: Int
  /// Where function names are, and where entries refer to.
  private let names: Int
  private let functionTable: Int
  private let functionData: Int
  private let entrySize: Int

  /// Reads the header; nil when the file has no table.
  init?(_ file: ELFFile) throws(EBPFError) {
    guard let section = file.goLineTable else { return nil }
    let bytes = try file.contents(of: section)
    let text = file.section(named: ".text")
    let table = try EBPFError.at(.section(section.name)) { () throws(EBPFError) in
      try Self(bytes, order: file.order, text: text?.address ?? 0)
    }
    self = table
  }

  /// Reads the header of a table. `text` is the address of `.text`.
  init(_ bytes: Bytes, order: ByteOrder, text: UInt64) throws(EBPFError) {
    let magic: UInt32 = try bytes.load(at: 0, order: order)
    guard let version = Version(rawValue: magic) else {
      throw EBPFError(
        .unsupported,
        "the table is of a Go that came later: its first word is "
          + "0x\(String(magic, radix: 16))", context: [.offset(0)])
    }
    let pointerSize = Int(try bytes.load(at: 7, as: UInt8.self))
    guard pointerSize == 4 || pointerSize == 8 else {
      throw EBPFError(
        .malformed, "pointers of \(pointerSize) bytes", context: [.offset(7)])
    }
    func word(_ index: Int) throws(EBPFError) -> UInt64 {
      let place = 8 + index * pointerSize
      return pointerSize == 8
        ? try bytes.load(at: place, as: UInt64.self, order: order)
        : UInt64(try bytes.load(at: place, as: UInt32.self, order: order))
    }
    func offset(_ index: Int) throws(EBPFError) -> Int {
      let value = try word(index)
      guard let offset = Int(exactly: value), offset <= bytes.count else {
        throw EBPFError(
          .malformed, "a part of the table begins at \(value), but it has \(bytes.count) bytes",
          context: [.offset(UInt64(8 + index * pointerSize))])
      }
      return offset
    }
    var textStart: UInt64 = 0
    switch version {
    case .go12:
      (names, functionData) = (0, 0)
      functionTable = 8 + pointerSize
      entrySize = 2 * pointerSize
    case .go116:
      (names, functionData) = (try offset(2), try offset(6))
      functionTable = functionData
      entrySize = 2 * pointerSize
    case .go118, .go120:
      textStart = try word(2)
      (names, functionData) = (try offset(3), try offset(7))
      functionTable = functionData
      entrySize = 8
    }
    let stated = try word(0)
    let room = max(0, bytes.count - functionTable) / entrySize
    // Each function takes an entry, and the end of the last one half of another.
    guard let count = Int(exactly: stated), count <= room else {
      throw EBPFError(
        .malformed, "\(stated) functions in a table with room for \(room)", context: [.offset(8)])
    }
    self.version = version
    self.bytes = bytes
    self.order = order
    self.pointerSize = pointerSize
    // A position-independent program has the address in a relocation only.
    self.textStart = textStart == 0 ? text : textStart
    self.count = count
  }

  /// Entries are two 32-bit numbers, relative to the start of code.
  private var hasShortEntries: Bool { version == .go118 || version == .go120 }

  /// The first address of an entry; the one behind the last entry is where code ends.
  private func start(_ index: Int) -> UInt64? {
    let place = functionTable + index * entrySize
    let span = bytes.span
    guard hasShortEntries else { return word(at: place) }
    return span.integer(at: place, as: UInt32.self, order: order).map { textStart &+ UInt64($0) }
  }

  private func word(at place: Int) -> UInt64? {
    let span = bytes.span
    return pointerSize == 8
      ? span.integer(at: place, as: UInt64.self, order: order)
      : span.integer(at: place, as: UInt32.self, order: order).map(UInt64.init)
  }

  /// The function that contains an address of the file.
  func function(at address: UInt64) -> ELFSymbols.Function? {
    var low = 0
    var high = count
    while low < high {
      let middle = low + (high - low) / 2
      guard let start = start(middle) else { return nil }
      if start <= address { low = middle + 1 } else { high = middle }
    }
    guard low > 0, let first = start(low - 1), first <= address, let end = start(low),
      address < end, let text = name(low - 1)
    else { return nil }
    return ELFSymbols.Function(name: text, address: first, size: end - first)
  }

  private func name(_ index: Int) -> String? {
    let place = functionTable + index * entrySize + entrySize / 2
    let span = bytes.span
    let data =
      hasShortEntries
      ? span.integer(at: place, as: UInt32.self, order: order).map(UInt64.init) : word(at: place)
    // A description begins with the function's address, then where its name is.
    guard let data, let offset = Int(exactly: data), offset <= bytes.count else { return nil }
    let field = functionData + offset + (hasShortEntries ? 4 : pointerSize)
    guard let nameOffset = span.integer(at: field, as: Int32.self, order: order), nameOffset >= 0
    else { return nil }
    let name = bytes.name(at: names + Int(nameOffset))
    return name.isEmpty ? nil : name
  }
}
