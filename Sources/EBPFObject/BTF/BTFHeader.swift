/// The header of a `.BTF` section or blob (`struct btf_header`).
struct BTFHeader: Sendable {
  /// `BTF_MAGIC`.
  static let magic: UInt16 = 0xeb9f
  /// The header's size before kernel 7.1.
  static let minimumLength: UInt32 = 24
  /// The header's size with the layout section's place, since kernel 7.1.
  static let lengthWithLayout: UInt32 = 32

  let order: ByteOrder
  let length: UInt32
  let types: Bytes
  let strings: Bytes
  /// Empty when the blob has no layout section.
  let layout: Bytes

  /// Reads a header; bytes of it that this version does not know, and bytes after the sections, are
  /// left alone.
  init(_ bytes: Bytes) throws(EBPFError) {
    order = try Self.order(of: bytes)
    var reader = ByteReader(bytes, order: order)
    try reader.skip(2)
    let version = try reader.read(UInt8.self)
    guard version == 1 else {
      throw EBPFError(
        .unsupported, "BTF version \(version); only version 1 is known",
        context: [.offset(UInt64(clamping: bytes.origin + 2))])
    }
    try reader.skip(1)
    let length = try reader.read(UInt32.self)
    self.length = length
    guard length >= Self.minimumLength, Int(length) <= bytes.count else {
      throw EBPFError(
        .malformed,
        "the BTF header says it is \(length) bytes long, but at least \(Self.minimumLength) are "
          + "needed and \(bytes.count) are there",
        context: [.offset(UInt64(clamping: bytes.origin + 4))])
    }
    let (typeOffset, typeLength) = (try reader.read(UInt32.self), try reader.read(UInt32.self))
    let (stringOffset, stringLength) = (try reader.read(UInt32.self), try reader.read(UInt32.self))
    guard typeOffset % 4 == 0 else {
      throw EBPFError(
        .malformed, "the BTF type section starts at \(typeOffset), which is not a multiple of 4",
        context: [.offset(UInt64(clamping: bytes.origin + 8))])
    }
    func section(
      _ name: String, _ offset: UInt32, _ count: UInt32
    ) throws(EBPFError) -> Bytes {
      let body = try bytes.slice(at: UInt64(length), count: UInt64(bytes.count) - UInt64(length))
      return try EBPFError.at(.other("part", "BTF \(name) section")) { () throws(EBPFError) in
        try body.slice(at: UInt64(offset), count: UInt64(count))
      }
    }
    types = try section("type", typeOffset, typeLength)
    strings = try section("string", stringOffset, stringLength)
    if length >= Self.lengthWithLayout {
      let (offset, count) = (try reader.read(UInt32.self), try reader.read(UInt32.self))
      layout = try section("layout", offset, count)
    } else {
      layout = try bytes.slice(at: 0, count: 0)
    }
  }

  private static func order(of bytes: Bytes) throws(EBPFError) -> ByteOrder {
    let found = try bytes.load(at: 0, as: UInt16.self)
    if found == magic { return .little }
    if found == magic.byteSwapped { return .big }
    throw EBPFError(
      .malformed,
      "not BTF: the first two bytes are 0x\(String(found, radix: 16)), not 0xeb9f",
      context: [.offset(UInt64(clamping: bytes.origin))],
      hint: "expected a .BTF section or a blob such as /sys/kernel/btf/vmlinux")
  }
}
