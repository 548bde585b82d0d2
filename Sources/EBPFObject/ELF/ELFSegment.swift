extension ELFFile {
  /// A program header: what the kernel or the dynamic linker maps.
  public struct Segment: Sendable, Hashable {
    /// The kind of segment, see ``SegmentType``.
    public let type: UInt32
    /// Access rights, see ``SegmentFlag``.
    public let flags: UInt32
    /// Where the content begins in the file.
    public let offset: UInt64
    /// The address at run time, before any load bias.
    public let virtualAddress: UInt64
    /// The physical address, where that matters.
    public let physicalAddress: UInt64
    /// The size in the file.
    public let fileSize: UInt64
    /// The size in memory; what exceeds ``fileSize`` is zeroed.
    public let memorySize: UInt64
    /// The required alignment.
    public let alignment: UInt64

    init(_ bytes: Bytes, at offset: Int, layout: ELFLayout) throws(EBPFError) {
      let word = layout.wordSize
      type = try bytes.load(at: offset, order: layout.order)
      // The flags moved between the two classes, for alignment.
      flags = try bytes.load(at: offset + (layout.is64Bit ? 4 : 24), order: layout.order)
      let first = offset + (layout.is64Bit ? 8 : 4)
      self.offset = try layout.word(bytes, at: first)
      virtualAddress = try layout.word(bytes, at: first + word)
      physicalAddress = try layout.word(bytes, at: first + 2 * word)
      fileSize = try layout.word(bytes, at: first + 3 * word)
      memorySize = try layout.word(bytes, at: first + 4 * word)
      alignment = try layout.word(bytes, at: offset + (layout.is64Bit ? 48 : 28))
    }

    /// True for mapped code (`PT_LOAD` with `PF_X`).
    public var isExecutable: Bool {
      type == SegmentType.load && flags & SegmentFlag.execute != 0
    }
  }

  /// Where the byte at an address is in the file, by the program headers.
  ///
  /// Nil when no mapped segment has that address in its file-backed part. With `executable`, only
  /// code segments count: a uprobe needs that, since the kernel maps code by file offset.
  public func fileOffset(ofAddress address: UInt64, executable: Bool = true) -> UInt64? {
    for segment in segments where segment.type == SegmentType.load {
      if executable, !segment.isExecutable { continue }
      guard address >= segment.virtualAddress,
        address - segment.virtualAddress < segment.fileSize
      else { continue }
      let (offset, overflow) = segment.offset.addingReportingOverflow(
        address - segment.virtualAddress)
      return overflow ? nil : offset
    }
    return nil
  }

  /// The address of the byte at a file offset, by the program headers; nil when it is not mapped.
  public func address(ofFileOffset offset: UInt64, executable: Bool = true) -> UInt64? {
    for segment in segments where segment.type == SegmentType.load {
      if executable, !segment.isExecutable { continue }
      guard offset >= segment.offset, offset - segment.offset < segment.fileSize else { continue }
      let (address, overflow) = segment.virtualAddress.addingReportingOverflow(
        offset - segment.offset)
      return overflow ? nil : address
    }
    return nil
  }
}
