import EBPFObject

/// One pass over `/proc/kallsyms`: `address kind name [module]`, a line each, fed in any pieces. Only
/// the names of functions are kept of the text.
struct KernelSymbolsParser: ~Copyable {
  /// What was fed and not parsed yet: the beginning of a line.
  private var text: [UInt8] = []
  /// The bytes parsed before `text`.
  private var parsed = 0
  private var entries: [KernelSymbols.Entry] = []
  /// The zero-terminated names.
  private(set) var names: [UInt8] = []
  private(set) var modules = [""]
  /// The lines that name a function.
  private(set) var functions = 0
  /// True when a function had an address other than zero.
  private(set) var sawAddress = false

  private var moduleIndices: [ArraySlice<UInt8>: UInt16] = [:]
  private var lastModule: [UInt8] = []
  private var lastModuleIndex: UInt16 = 0
  private var isSorted = true

  /// Room for the functions of large kernels, with their modules: what is not written to takes no
  /// memory, while an array that grows is there twice.
  private static let room = (entries: 1 << 18, nameBytes: 8 << 20)

  init() {
    entries.reserveCapacity(Self.room.entries)
    names.reserveCapacity(Self.room.nameBytes)
  }

  /// The longest line; a symbol's name has at most 511 bytes (`KSYM_NAME_LEN`).
  private static let longestLine = 65_536

  /// Parses the lines that are complete with this piece.
  mutating func feed(_ piece: ArraySlice<UInt8>) throws(EBPFError) {
    text += piece
    guard let end = text.lastIndex(of: 0x0a) else {
      guard text.count <= Self.longestLine else { throw malformed(at: 0) }
      return
    }
    var position = 0
    while position <= end { position = try line(from: position) }
    text.removeSubrange(..<min(position, text.count))
    parsed += position
  }

  /// Parses the last line, which may lack its end.
  mutating func finish() throws(EBPFError) {
    if !text.isEmpty { _ = try line(from: 0) }
    text = []
  }

  /// Reads the line at `start`; the start of the next line.
  private mutating func line(from start: Int) throws(EBPFError) -> Int {
    let end = text.count
    var position = start
    var address: UInt64 = 0
    while position < end, let digit = text[position].hexadecimalValue {
      address = address << 4 | UInt64(digit)
      position += 1
    }
    guard position > start, position - start <= 16, end - position > 3, text[position] == 0x20,
      text[position + 2] == 0x20
    else { throw malformed(at: start) }
    let kind = text[position + 1]
    let name = position + 3
    position = name
    while position < end, text[position] != 0x0a, text[position] != 0x09 { position += 1 }
    let nameEnd = position
    while position < end, text[position] != 0x0a { position += 1 }
    let lineEnd = position

    switch kind {
    case 0x54: try append(address, rank: 0, name..<nameEnd, until: lineEnd)  // T
    case 0x74: try append(address, rank: 64, name..<nameEnd, until: lineEnd)  // t
    case 0x57, 0x77: try append(address, rank: 128, name..<nameEnd, until: lineEnd)  // W w
    default: appendBoundary(address)
    }
    return lineEnd + 1
  }

  private mutating func append(
    _ address: UInt64, rank: UInt8, _ name: Range<Int>, until lineEnd: Int
  ) throws(EBPFError) {
    let module = try moduleIndex(of: name.upperBound..<lineEnd)
    functions += 1
    if address != 0 { sawAddress = true }
    var underscores = 0
    while underscores < min(name.count, 63), text[name.lowerBound + underscores] == 0x5f {
      underscores += 1
    }
    guard let start = UInt32(exactly: names.count) else {
      throw EBPFError(
        .tooLarge, "the kernel symbols' names take more than 4 GiB",
        context: [.file("/proc/kallsyms")])
    }
    names += text[name]
    names.append(0)
    if let last = entries.last, last.address > address { isSorted = false }
    entries.append(
      KernelSymbols.Entry(
        address: address, name: start, module: module, rank: rank + UInt8(underscores)))
  }

  /// Data begins at `address`. Only the first of a run matters.
  private mutating func appendBoundary(_ address: UInt64) {
    guard let last = entries.last, last.rank != KernelSymbols.Entry.boundary else { return }
    if last.address > address { isSorted = false }
    entries.append(
      KernelSymbols.Entry(
        address: address, name: 0, module: last.module, rank: KernelSymbols.Entry.boundary))
  }

  /// The index of the module named in `\t[name]`, or 0 where nothing is.
  private mutating func moduleIndex(of rest: Range<Int>) throws(EBPFError) -> UInt16 {
    guard rest.count > 3, text[rest.lowerBound + 1] == 0x5b, text[rest.upperBound - 1] == 0x5d
    else { return 0 }
    let name = text[(rest.lowerBound + 2)..<(rest.upperBound - 1)]
    if name.elementsEqual(lastModule) { return lastModuleIndex }
    if let known = moduleIndices[name] {
      lastModuleIndex = known
    } else {
      guard let index = UInt16(exactly: modules.count) else {
        throw EBPFError(
          .tooLarge, "more than \(UInt16.max) modules", context: [.file("/proc/kallsyms")])
      }
      modules.append(String(decoding: name, as: UTF8.self))
      lastModuleIndex = index
      moduleIndices[ArraySlice(Array(name))] = index
    }
    lastModule = Array(name)
    return lastModuleIndex
  }

  /// The entries by address, one for each address.
  mutating func sortedEntries() -> [KernelSymbols.Entry] {
    if !isSorted {
      // Names are in the order of the lines, which keeps the sort stable.
      entries.sort { ($0.address, $0.name) < ($1.address, $1.name) }
    }
    var kept = 0
    for index in entries.indices {
      if kept > 0, entries[kept - 1].address == entries[index].address {
        if entries[index].rank <= entries[kept - 1].rank { entries[kept - 1] = entries[index] }
      } else {
        entries[kept] = entries[index]
        kept += 1
      }
    }
    entries.removeSubrange(kept...)
    return entries
  }

  private func malformed(at offset: Int) -> EBPFError {
    let line = text[offset...].prefix { $0 != 0x0a }.prefix(80)
    return EBPFError(
      .malformed,
      "wanted 'address kind name [module]', found '\(String(decoding: line, as: UTF8.self))'",
      context: [.file("/proc/kallsyms"), .offset(UInt64(parsed + offset))])
  }
}

extension UInt8 {
  /// The value of a hexadecimal digit in ASCII, or nil.
  var hexadecimalValue: UInt8? {
    switch self {
    case 0x30...0x39: self - 0x30
    case 0x61...0x66: self - 0x61 + 10
    case 0x41...0x46: self - 0x41 + 10
    default: nil
    }
  }
}
