/// The fixed header at the start of an ELF file, with its extensions resolved.
///
/// Every table it describes has been proved to lie inside the file.
struct ELFHeader {
  let layout: ELFLayout
  let type: UInt16
  let machine: UInt16
  let entry: UInt64
  let flags: UInt32
  let segmentTable: ELFTable
  let sectionTable: ELFTable
  let nameSectionIndex: UInt32

  init(_ bytes: Bytes) throws(EBPFError) {
    let layout = try ELFLayout(bytes)
    let half = layout.is64Bit ? 52 : 40
    func field(_ offset: Int) throws(EBPFError) -> UInt16 {
      try bytes.load(at: offset, order: layout.order)
    }
    type = try field(16)
    machine = try field(18)
    entry = try layout.word(bytes, at: 24)
    flags = try bytes.load(at: half - 4, order: layout.order)
    let segmentOffset = try layout.word(bytes, at: layout.is64Bit ? 32 : 28)
    let sectionOffset = try layout.word(bytes, at: layout.is64Bit ? 40 : 32)
    var segmentCount = UInt64(try field(half + 4))
    var sectionCount = UInt64(try field(half + 8))
    var names = UInt32(try field(half + 10))
    self.layout = layout

    // Counts that do not fit are in the first section header (gABI, "Section Header Table Index").
    if sectionOffset != 0 {
      let first = try ELFTable(
        "section header", at: sectionOffset, count: 1, entrySize: try field(half + 6),
        expecting: layout.sectionHeaderSize, in: bytes)
      if sectionCount == 0 {
        sectionCount = try layout.word(bytes, at: first.offset + (layout.is64Bit ? 32 : 20))
      }
      if names == 0xffff {
        names = try bytes.load(
          at: first.offset + (layout.is64Bit ? 40 : 24), order: layout.order)
      }
      if segmentCount == 0xffff {
        segmentCount = UInt64(
          try bytes.load(
            at: first.offset + (layout.is64Bit ? 44 : 28), as: UInt32.self, order: layout.order))
      }
      sectionTable = try ELFTable(
        "section header", at: sectionOffset, count: sectionCount, entrySize: try field(half + 6),
        expecting: layout.sectionHeaderSize, in: bytes)
    } else {
      sectionTable = ELFTable.empty
    }
    if segmentOffset != 0, segmentCount != 0 {
      segmentTable = try ELFTable(
        "program header", at: segmentOffset, count: segmentCount, entrySize: try field(half + 2),
        expecting: layout.segmentHeaderSize, in: bytes)
    } else {
      segmentTable = ELFTable.empty
    }
    nameSectionIndex = names
  }
}

/// Word size and byte order: what decides where every field of an ELF file is.
struct ELFLayout: Sendable {
  let is64Bit: Bool
  let order: ByteOrder

  init(_ bytes: Bytes) throws(EBPFError) {
    guard bytes.count >= 16, try bytes.load(at: 0, as: UInt32.self) == 0x464c_457f else {
      throw EBPFError(
        .malformed, "not an ELF file: it does not begin with 7f 45 4c 46",
        context: [.offset(UInt64(clamping: bytes.origin))],
        hint: "pass an object file made by clang -target bpf, an executable or a library")
    }
    let wordSize = try bytes.load(at: 4, as: UInt8.self)
    let encoding = try bytes.load(at: 5, as: UInt8.self)
    let version = try bytes.load(at: 6, as: UInt8.self)
    guard wordSize == 1 || wordSize == 2, encoding == 1 || encoding == 2, version == 1 else {
      throw EBPFError(
        .malformed,
        "unknown kind of ELF file: class \(wordSize), byte order \(encoding), version \(version)",
        context: [.offset(UInt64(clamping: bytes.origin &+ 4))],
        hint: "class and byte order are 1 or 2, the version is 1; the file is damaged")
    }
    is64Bit = wordSize == 2
    order = encoding == 1 ? .little : .big
    let size = is64Bit ? 64 : 52
    guard bytes.count >= size else {
      throw EBPFError(
        .malformed, "the ELF header is \(size) bytes, the file \(bytes.count)",
        context: [.offset(UInt64(clamping: bytes.origin))],
        hint: "the file may have been copied only in part")
    }
  }

  var sectionHeaderSize: Int { is64Bit ? 64 : 40 }
  var segmentHeaderSize: Int { is64Bit ? 56 : 32 }
  var symbolSize: Int { is64Bit ? 24 : 16 }
  var wordSize: Int { is64Bit ? 8 : 4 }

  /// An address, offset or size: 8 bytes in a 64-bit file, 4 in a 32-bit one.
  func word(_ bytes: Bytes, at offset: Int) throws(EBPFError) -> UInt64 {
    if is64Bit { return try bytes.load(at: offset, order: order) }
    return UInt64(try bytes.load(at: offset, as: UInt32.self, order: order))
  }
}

/// A table of equal entries that lies inside the file.
struct ELFTable {
  let offset: Int
  let count: Int
  let entrySize: Int

  static let empty = ELFTable(offset: 0, count: 0, entrySize: 0)

  private init(offset: Int, count: Int, entrySize: Int) {
    self.offset = offset
    self.count = count
    self.entrySize = entrySize
  }

  init(
    _ what: String, at offset: UInt64, count: UInt64, entrySize: UInt16, expecting size: Int,
    in bytes: Bytes
  ) throws(EBPFError) {
    let place = EBPFError.Context.offset(offset.addingReportingOverflow(UInt64(bytes.origin)).0)
    guard Int(entrySize) == size else {
      throw EBPFError(
        .malformed, "a \(what) is \(size) bytes, but the file says \(entrySize)",
        context: [place], hint: "the ELF header is damaged; build or copy the file again")
    }
    let (length, tooMany) = count.multipliedReportingOverflow(by: UInt64(size))
    let (end, tooFar) = offset.addingReportingOverflow(length)
    guard !tooMany, !tooFar, end <= UInt64(bytes.count) else {
      throw EBPFError(
        .malformed,
        "the \(what) table (\(count) entries of \(size) bytes) ends after the file's \(bytes.count) bytes",
        context: [place], hint: "the file may have been copied only in part")
    }
    self.init(offset: Int(offset), count: Int(count), entrySize: size)
  }

  /// The offset of entry `index`, which the caller took from `0 ..< count`.
  func offset(of index: Int) -> Int { offset + index * entrySize }
}
