/// One type of a ``BTF`` blob: its three words, and where the rest of it is.
///
/// A small value; ask the blob it came from for members, parameters and the rest.
public struct BTFType: Sendable, Hashable {
  /// The id, unique in the blob and its base; 0 is `void`.
  public let id: UInt32
  /// The name's place in the strings; 0 for an anonymous type.
  public let nameOffset: UInt32
  /// What it is.
  public let kind: BTFKind
  /// `vlen`: the number of members, parameters, enumerators or variables; of a `FUNC`, its linkage.
  public let count: Int
  /// `kind_flag`: bitfield sizes in member offsets; a signed enumeration; a forward of a union.
  public let kindFlag: Bool
  /// The size in bytes, or the id of the type it refers to, by ``BTFKind/refersToType``.
  public let sizeOrType: UInt32
  /// Where what follows the three words starts in the type section.
  let dataOffset: Int

  /// `void`.
  static let void = BTFType(
    id: 0, nameOffset: 0, info: 0, sizeOrType: 0, dataOffset: 0)

  init(id: UInt32, nameOffset: UInt32, info: UInt32, sizeOrType: UInt32, dataOffset: Int) {
    self.id = id
    self.nameOffset = nameOffset
    self.sizeOrType = sizeOrType
    self.dataOffset = dataOffset
    kind = Self.kind(ofInfo: info)
    count = Int(info & 0xff_ffff)
    kindFlag = info >> 31 == 1
  }

  /// Bits 24–30, the widened encoding of kernel 7.1; in older blobs bits 29–30 are zero.
  static func kind(ofInfo info: UInt32) -> BTFKind {
    BTFKind(rawValue: UInt8(truncatingIfNeeded: info >> 24) & 0x7f)
  }

  /// The size in bytes of kinds that have one; 0 for the others. See ``BTF/size(of:)``.
  public var size: UInt32 { kind.refersToType ? 0 : sizeOrType }

  /// The type it refers to, for kinds that refer to one; 0 for the others.
  public var referencedID: UInt32 { kind.refersToType ? sizeOrType : 0 }

  /// True when it has no name.
  public var isAnonymous: Bool { nameOffset == 0 }

  /// The linkage of a `FUNC`, which its `vlen` holds.
  public var functionLinkage: BTFLinkage { BTFLinkage(rawValue: UInt32(truncatingIfNeeded: count)) }
}

/// Who can see a function or variable (`BTF_FUNC_*`, `BTF_VAR_*`).
public struct BTFLinkage: RawRepresentable, Sendable, Hashable {
  /// The kernel's number.
  public let rawValue: UInt32
  /// Wraps the kernel's number.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// Only its own file.
  public static let `static` = BTFLinkage(rawValue: 0)
  /// Defined here for everyone.
  public static let global = BTFLinkage(rawValue: 1)
  /// Defined elsewhere.
  public static let extern = BTFLinkage(rawValue: 2)
}

/// How an `INT` is encoded: the word that follows it.
public struct BTFInteger: Sendable, Hashable {
  /// The word: encoding in bits 24–27, offset in bits 16–23, bits in bits 0–7.
  public let word: UInt32
  /// `BTF_INT_SIGNED`.
  public var isSigned: Bool { word >> 24 & 1 != 0 }
  /// `BTF_INT_CHAR`.
  public var isCharacter: Bool { word >> 24 & 2 != 0 }
  /// `BTF_INT_BOOL`.
  public var isBoolean: Bool { word >> 24 & 4 != 0 }
  /// The four encoding bits.
  public var encoding: UInt32 { word >> 24 & 0xf }
  /// Where the bits start in its storage; 0 except in very old blobs.
  public var bitOffset: UInt32 { word >> 16 & 0xff }
  /// The number of bits.
  public var bitCount: UInt32 { word & 0xff }
}

/// What an `ARRAY` holds (`struct btf_array`).
public struct BTFArray: Sendable, Hashable {
  /// The element's type.
  public let elementID: UInt32
  /// The type of an index, as the compiler says.
  public let indexID: UInt32
  /// The number of elements; 0 for a flexible array.
  public let count: UInt32
}
