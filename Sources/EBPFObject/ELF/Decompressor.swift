/// How to expand a compressed section: given by whoever has a zlib, since this module has none.
public struct Decompressor: Sendable {
  /// Expands a zlib stream (RFC 1950) to at most the given number of bytes.
  public let inflate: @Sendable (Bytes, Int) throws(EBPFError) -> Bytes

  /// Creates a decompressor; `inflate` must throw rather than produce more bytes than it is told.
  public init(inflate: @escaping @Sendable (Bytes, Int) throws(EBPFError) -> Bytes) {
    self.inflate = inflate
  }
}

extension ELFFile {
  /// The bytes of a section, expanded when it is compressed (`SHF_COMPRESSED`, or a `.zdebug` name).
  ///
  /// A section that would expand to more than 16 times the file is refused as `tooLarge`. zstd
  /// sections are `unsupported`.
  public func contents(
    of section: Section, using decompressor: Decompressor
  ) throws(EBPFError) -> Bytes {
    try EBPFError.at(.section(section.name)) { () throws(EBPFError) -> Bytes in
      let raw = try rawContents(of: section)
      guard let stream = try compressedStream(of: section, raw) else { return raw }
      let limit = UInt64(clamping: bytes.count).multipliedReportingOverflow(by: 16)
      guard stream.size <= (limit.overflow ? UInt64.max : limit.partialValue),
        let size = Int(exactly: stream.size)
      else {
        throw EBPFError(
          .tooLarge,
          "the section says that it expands to \(stream.size) bytes, the file has \(bytes.count)",
          context: [.offset(section.offset)],
          hint: "more than 16 times the file is refused; the section is damaged")
      }
      let expanded = try decompressor.inflate(stream.bytes, size)
      guard expanded.count == size else {
        throw EBPFError(
          .malformed,
          "the section expanded to \(expanded.count) bytes, but says that it has \(size)",
          context: [.offset(section.offset)], hint: "the file may have been copied only in part")
      }
      return expanded
    }
  }

  private func compressedStream(
    of section: Section, _ raw: Bytes
  ) throws(EBPFError) -> (bytes: Bytes, size: UInt64)? {
    if section.isCompressed {
      // Elf64_Chdr: type, reserved, size, alignment; Elf32_Chdr has no reserved word.
      let type: UInt32 = try raw.load(at: 0, order: order)
      let size = try layout.word(raw, at: layout.is64Bit ? 8 : 4)
      let header = layout.is64Bit ? 24 : 12
      guard type == 1 else {
        throw EBPFError(
          .unsupported,
          type == 2
            ? "the section is compressed with zstd, and this library has zlib only"
            : "the section is compressed with unknown method \(type)",
          context: [.offset(section.offset)],
          hint: "objcopy --decompress-debug-sections makes a file without compression")
      }
      return (try raw.slice(at: header, count: raw.count - min(header, raw.count)), size)
    }
    // GNU's older way: a name in .zdebug and "ZLIB" with a big-endian size in front.
    guard section.name.hasPrefix(".zdebug"), raw.count >= 12,
      try raw.load(at: 0, as: UInt32.self, order: .big) == 0x5a4c_4942
    else { return nil }
    let size: UInt64 = try raw.load(at: 4, order: .big)
    return (try raw.slice(at: 12, count: raw.count - 12), size)
  }
}
