/// The `.BTF.ext` section: what ties instructions to BTF, for each ELF section with code.
///
/// Offsets are bytes from the start of the ELF section (`struct btf_ext_header`,
/// `Documentation/bpf/btf.rst`, section 4).
public struct BTFExt: Sendable {
  /// Which function begins where.
  public let functions: [Section<FunctionRecord>]
  /// Which source line begins where.
  public let lines: [Section<LineRecord>]
  /// Which instructions depend on the kernel's types.
  public let relocations: [Section<RelocationRecord>]

  /// Reads the section; names come from the object's BTF.
  ///
  /// Records longer than known are read up to what is known, shorter ones are an error.
  public init(parsing bytes: Bytes, btf: BTF) throws(EBPFError) {
    var reader = ByteReader(bytes, order: btf.order)
    let magic = try reader.read(UInt16.self)
    guard magic == BTFHeader.magic else {
      throw EBPFError(
        .malformed,
        "not .BTF.ext: the first two bytes are 0x\(String(magic, radix: 16)), not 0xeb9f",
        context: [.offset(UInt64(clamping: bytes.origin))],
        hint: "it must have the byte order of the .BTF section")
    }
    let version = try reader.read(UInt8.self)
    guard version == 1 else {
      throw EBPFError(
        .unsupported, ".BTF.ext version \(version); only version 1 is known",
        context: [.offset(UInt64(clamping: bytes.origin + 2))])
    }
    try reader.skip(1)
    let length = try reader.read(UInt32.self)
    guard length >= 24, Int(length) <= bytes.count else {
      throw EBPFError(
        .malformed,
        "the .BTF.ext header says it is \(length) bytes long, but at least 24 are needed and "
          + "\(bytes.count) are there", context: [.offset(UInt64(clamping: bytes.origin + 4))])
    }
    let body = try bytes.slice(at: Int(length), count: bytes.count - Int(length))
    func part(_ reader: inout ByteReader, _ name: String) throws(EBPFError) -> Bytes {
      let (offset, count) = (try reader.read(UInt32.self), try reader.read(UInt32.self))
      return try EBPFError.at(.other("part", name)) { () throws(EBPFError) in
        try body.slice(at: UInt64(offset), count: UInt64(count))
      }
    }
    var names: [SectionName] = []
    functions = try Self.sections(part(&reader, "function information"), btf, minimum: 8, &names)
    lines = try Self.sections(part(&reader, "line information"), btf, minimum: 16, &names)
    relocations =
      length >= 32
      ? try Self.sections(part(&reader, "CO-RE records"), btf, minimum: 16, &names) : []
  }

  /// A section's name and where it is in the strings.
  private struct SectionName {
    let offset: UInt32
    let text: String
  }

  /// Reads one part; `names` are those of the part before, which mostly lists the same sections.
  private static func sections<Record: BTFExtRecord>(
    _ bytes: Bytes, _ btf: BTF, minimum: UInt32, _ names: inout [SectionName]
  ) throws(EBPFError) -> [Section<Record>] {
    guard bytes.count > 0 else { return [] }
    var reader = ByteReader(bytes, order: btf.order)
    let size = try reader.read(UInt32.self)
    guard size >= minimum, size % 4 == 0 else {
      throw EBPFError(
        .malformed, "a .BTF.ext record of \(size) bytes; at least \(minimum) are needed",
        context: [.offset(UInt64(clamping: bytes.origin))])
    }
    var sections: [Section<Record>] = []
    // Names that share bytes must not multiply the file.
    var budget = btf.strings.count + (1 << 16)
    while reader.remaining > 0 {
      let start = UInt64(clamping: bytes.origin + reader.position)
      let offset = try reader.read(UInt32.self)
      let place = sections.count
      let name: String
      if place < names.count, names[place].offset == offset {
        name = names[place].text
      } else {
        name = try btf.shortString(at: offset)
        budget -= name.utf8.count
        guard budget >= 0 else {
          throw EBPFError(
            .malformed, "the names of the .BTF.ext sections overlap", context: [.offset(start)])
        }
        names.removeSubrange(min(place, names.count)...)
        names.append(SectionName(offset: offset, text: name))
      }
      let count = try reader.read(UInt32.self)
      // Both factors are below 2³².
      let length = UInt64(count) * UInt64(size)
      guard count > 0, length <= UInt64(reader.remaining) else {
        throw EBPFError(
          .malformed,
          "\(count) .BTF.ext records of \(size) bytes, but \(reader.remaining) bytes remain",
          context: [.section(name), .offset(start)])
      }
      let part = try reader.read(count: Int(length))
      sections.append(
        Section(name: name, records: Self.records(part, size: Int(size), order: btf.order)))
    }
    return sections
  }

  /// The records of one ELF section: `bytes` holds a whole number of them, `size` bytes each.
  private static func records<Record: BTFExtRecord>(
    _ bytes: Bytes, size: Int, order: ByteOrder
  ) -> [Record] {
    let span = bytes.span
    var records: [Record] = []
    records.reserveCapacity(bytes.count / size)
    var offset = 0
    while let record = Record(in: span, at: offset, order: order) {
      records.append(record)
      offset += size
    }
    return records
  }
}

// MARK: - Records

/// A record of one of the three parts of `.BTF.ext`.
public protocol BTFExtRecord: Sendable, Hashable {
  /// Where it applies: bytes from the start of the ELF section.
  var byteOffset: UInt32 { get }
  /// Reads the fields in their order in C; nil when the bytes end before the record does.
  init?(in bytes: RawSpan, at offset: Int, order: ByteOrder)
}

extension BTFExt {
  /// The records of one ELF section, in the file's order.
  public struct Section<Record: Sendable>: Sendable {
    /// The ELF section's name.
    public let name: String
    /// Its records.
    public let records: [Record]
  }

  /// A function's start (`struct bpf_func_info`).
  public struct FunctionRecord: BTFExtRecord {
    /// Bytes from the start of the ELF section.
    public let byteOffset: UInt32
    /// The `FUNC` type.
    public let typeID: UInt32
    /// Reads the fields.
    public init?(in bytes: RawSpan, at offset: Int, order: ByteOrder) {
      guard
        let byteOffset: UInt32 = bytes.integer(at: offset, order: order),
        let typeID: UInt32 = bytes.integer(at: offset + 4, order: order)
      else { return nil }
      self.byteOffset = byteOffset
      self.typeID = typeID
    }
  }

  /// A source line's start (`struct bpf_line_info`).
  public struct LineRecord: BTFExtRecord {
    /// Bytes from the start of the ELF section.
    public let byteOffset: UInt32
    /// The file's name, as an offset into the BTF strings.
    public let fileNameOffset: UInt32
    /// The line's text, as an offset into the BTF strings.
    public let textOffset: UInt32
    /// Line in bits 10–31, column in bits 0–9.
    public let lineAndColumn: UInt32
    /// Reads the fields.
    public init?(in bytes: RawSpan, at offset: Int, order: ByteOrder) {
      guard
        let byteOffset: UInt32 = bytes.integer(at: offset, order: order),
        let fileNameOffset: UInt32 = bytes.integer(at: offset + 4, order: order),
        let textOffset: UInt32 = bytes.integer(at: offset + 8, order: order),
        let lineAndColumn: UInt32 = bytes.integer(at: offset + 12, order: order)
      else { return nil }
      self.byteOffset = byteOffset
      self.fileNameOffset = fileNameOffset
      self.textOffset = textOffset
      self.lineAndColumn = lineAndColumn
    }
  }

  /// A CO-RE record (`struct bpf_core_relo`).
  public struct RelocationRecord: BTFExtRecord {
    /// Bytes from the start of the ELF section.
    public let byteOffset: UInt32
    /// The root type.
    public let typeID: UInt32
    /// The access string, as an offset into the BTF strings.
    public let accessOffset: UInt32
    /// `enum bpf_core_relo_kind`; see ``CORERecord/Kind``.
    public let kind: UInt32
    /// Reads the fields.
    public init?(in bytes: RawSpan, at offset: Int, order: ByteOrder) {
      guard
        let byteOffset: UInt32 = bytes.integer(at: offset, order: order),
        let typeID: UInt32 = bytes.integer(at: offset + 4, order: order),
        let accessOffset: UInt32 = bytes.integer(at: offset + 8, order: order),
        let kind: UInt32 = bytes.integer(at: offset + 12, order: order)
      else { return nil }
      self.byteOffset = byteOffset
      self.typeID = typeID
      self.accessOffset = accessOffset
      self.kind = kind
    }
  }
}

extension BTFExt.Section: Equatable where Record: Equatable {}
extension BTFExt.Section: Hashable where Record: Hashable {}
