extension ELFFile {
  /// Where a stripped file says its debug file is (`.gnu_debuglink`).
  public struct DebugLink: Sendable, Hashable {
    /// The debug file's name, without a directory.
    public var fileName: String
    /// The CRC-32 of the whole debug file (polynomial 0xedb88320, as zlib's `crc32`).
    public var checksum: UInt32
  }

  /// The link to a separate debug file; nil when there is none.
  public var debugLink: DebugLink? {
    get throws(EBPFError) {
      guard let section = section(named: ".gnu_debuglink") else { return nil }
      return try EBPFError.at(.section(section.name)) { () throws(EBPFError) -> DebugLink in
        let content = try contents(of: section)
        let name = try content.string(at: 0)
        let length = content.distanceToZero(from: 0) ?? 0
        let checksum = UInt64(length + 1).roundedUp(to: 4)
        return DebugLink(
          fileName: name, checksum: try content.load(at: Int(checksum), order: order))
      }
    }
  }

  /// True when the file carries a compressed symbol table of its own (`.gnu_debugdata`, xz).
  public var hasMiniDebugInformation: Bool { section(named: ".gnu_debugdata") != nil }

  /// True for a program built by Go: a uretprobe there corrupts the stacks it moves.
  public var isGoProgram: Bool {
    section(named: ".go.buildinfo") != nil || goLineTable != nil
  }

  /// Go's function table (`.gopclntab`), which stripping leaves in place.
  public var goLineTable: Section? {
    section(named: ".gopclntab") ?? section(named: ".data.rel.ro.gopclntab")
  }
}
