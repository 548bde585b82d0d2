extension ELFFile {
  /// One symbol: numbers only; the name is ``SymbolTable/name(of:)``.
  public struct Symbol: Sendable, Hashable, BitwiseCopyable {
    /// Its place in the table.
    public let index: Int
    /// Where its name begins in the table's strings; 0 for none.
    public let nameOffset: UInt32
    /// Type and binding, as in the file (`st_info`).
    public let info: UInt8
    /// Visibility and processor bits, as in the file (`st_other`).
    public let other: UInt8
    /// The section index as in the file (`st_shndx`).
    public let rawSectionIndex: UInt16
    /// The section index from the extension table, used when ``rawSectionIndex`` is `SHN_XINDEX`.
    public let extendedSectionIndex: UInt32
    /// An address in linked files, an offset in the section in relocatable ones.
    public let value: UInt64
    /// The size in bytes; 0 when unknown.
    public let size: UInt64

    /// Where a symbol is.
    public enum Placement: Sendable, Hashable {
      /// Defined somewhere else (`SHN_UNDEF`).
      case undefined
      /// In the section of that index.
      case section(Int)
      /// A number, no place (`SHN_ABS`).
      case absolute
      /// A common block that a linker places (`SHN_COMMON`).
      case common
      /// A reserved index with a meaning of its processor or system.
      case reserved(UInt16)
    }

    @inlinable
    init(
      index: Int, nameOffset: UInt32, info: UInt8, other: UInt8, rawSectionIndex: UInt16,
      extendedSectionIndex: UInt32, value: UInt64, size: UInt64
    ) {
      self.index = index
      self.nameOffset = nameOffset
      self.info = info
      self.other = other
      self.rawSectionIndex = rawSectionIndex
      self.extendedSectionIndex = extendedSectionIndex
      self.value = value
      self.size = size
    }

    /// The kind of symbol, see ``SymbolType``.
    @inlinable public var type: UInt8 { info & 0xf }
    /// Who sees it, see ``SymbolBinding``.
    @inlinable public var binding: UInt8 { info >> 4 }
    /// See ``SymbolVisibility``.
    @inlinable public var visibility: UInt8 { other & 3 }

    /// Where the symbol is; the index in `.section` is not checked against the file.
    public var placement: Placement {
      switch rawSectionIndex {
      case 0: .undefined
      case 0xfff1: .absolute
      case 0xfff2: .common
      case 0xffff: extendedSectionIndex == 0 ? .undefined : .section(Int(extendedSectionIndex))
      case 0xff00...: .reserved(rawSectionIndex)
      default: .section(Int(rawSectionIndex))
      }
    }

    /// The index of the section it is in; nil for an undefined, absolute, common or reserved one.
    public var sectionIndex: Int? {
      if case .section(let index) = placement { return index }
      return nil
    }

    /// True when the symbol is defined somewhere else.
    @inlinable public var isUndefined: Bool { rawSectionIndex == 0 }

    /// True for code: a function, or the resolver of an indirect function.
    @inlinable public var isFunction: Bool {
      type == SymbolType.function || type == SymbolType.indirectFunction
    }
  }
}
