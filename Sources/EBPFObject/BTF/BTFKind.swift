/// What a BTF type is (`BTF_KIND_*` in `linux/btf.h`).
///
/// Kernels add kinds: one that has no member here is sized by the blob's layout section, if it has one.
public struct BTFKind: RawRepresentable, Sendable, Hashable {
  /// The number in bits 24–30 of a type's info word.
  public let rawValue: UInt8

  /// Wraps a kind's number.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// `void`, the type with id 0; no type in a blob has this kind.
  public static let void = BTFKind(rawValue: 0)
  /// `BTF_KIND_INT`.
  public static let int = BTFKind(rawValue: 1)
  /// `BTF_KIND_PTR`.
  public static let pointer = BTFKind(rawValue: 2)
  /// `BTF_KIND_ARRAY`.
  public static let array = BTFKind(rawValue: 3)
  /// `BTF_KIND_STRUCT`.
  public static let structure = BTFKind(rawValue: 4)
  /// `BTF_KIND_UNION`.
  public static let union = BTFKind(rawValue: 5)
  /// `BTF_KIND_ENUM`: values of up to 32 bits.
  public static let enumeration = BTFKind(rawValue: 6)
  /// `BTF_KIND_FWD`: a struct or union that is only declared.
  public static let forward = BTFKind(rawValue: 7)
  /// `BTF_KIND_TYPEDEF`.
  public static let typedef = BTFKind(rawValue: 8)
  /// `BTF_KIND_VOLATILE`.
  public static let volatile = BTFKind(rawValue: 9)
  /// `BTF_KIND_CONST`.
  public static let const = BTFKind(rawValue: 10)
  /// `BTF_KIND_RESTRICT`.
  public static let restrict = BTFKind(rawValue: 11)
  /// `BTF_KIND_FUNC`: a function's name and linkage.
  public static let function = BTFKind(rawValue: 12)
  /// `BTF_KIND_FUNC_PROTO`: a function's parameters and result.
  public static let functionPrototype = BTFKind(rawValue: 13)
  /// `BTF_KIND_VAR`.
  public static let variable = BTFKind(rawValue: 14)
  /// `BTF_KIND_DATASEC`: the variables of one ELF section.
  public static let dataSection = BTFKind(rawValue: 15)
  /// `BTF_KIND_FLOAT`.
  public static let float = BTFKind(rawValue: 16)
  /// `BTF_KIND_DECL_TAG`: `__attribute__((btf_decl_tag))`.
  public static let declarationTag = BTFKind(rawValue: 17)
  /// `BTF_KIND_TYPE_TAG`: `__attribute__((btf_type_tag))`.
  public static let typeTag = BTFKind(rawValue: 18)
  /// `BTF_KIND_ENUM64`.
  public static let enumeration64 = BTFKind(rawValue: 19)

  /// True for a struct or union.
  public var isComposite: Bool { self == .structure || self == .union }
  /// True for an enumeration of either width.
  public var isEnumeration: Bool { self == .enumeration || self == .enumeration64 }
  /// True for `const`, `volatile`, `restrict` and type tags.
  public var isModifier: Bool {
    self == .const || self == .volatile || self == .restrict || self == .typeTag
  }
  /// True for kinds whose third word is a type id; for the others it is a size, or nothing.
  public var refersToType: Bool {
    isModifier || self == .pointer || self == .typedef || self == .function
      || self == .functionPrototype || self == .variable || self == .declarationTag
  }

  /// The kernel's word for it, as `bpftool btf dump` prints it.
  public var kernelName: String {
    let names = Self.kernelNames
    return Int(rawValue) < names.count ? names[Int(rawValue)] : "UNKNOWN"
  }

  private static let kernelNames = [
    "UNKNOWN", "INT", "PTR", "ARRAY", "STRUCT", "UNION", "ENUM", "FWD", "TYPEDEF", "VOLATILE",
    "CONST", "RESTRICT", "FUNC", "FUNC_PROTO", "VAR", "DATASEC", "FLOAT", "DECL_TAG", "TYPE_TAG",
    "ENUM64",
  ]
}

extension BTFKind {
  /// For each number that a kind can have, whether `includes` holds.
  static func flags(_ includes: (BTFKind) -> Bool) -> [Bool] {
    (0..<128).map { includes(BTFKind(rawValue: $0)) }
  }
}

extension BTFKind: CustomStringConvertible {
  /// ``kernelName``, or the number of a kind without one.
  public var description: String {
    rawValue < 20 ? kernelName : "kind \(rawValue)"
  }
}

/// How many bytes follow the three words of a type, by kind.
struct BTFKindLayout: Sendable {
  /// Marks a kind whose size is unknown; a real size fits in 8 bits.
  static let unknown: UInt16 = .max

  /// Bytes after the three words, once.
  private(set) var fixed: [UInt16]
  /// Bytes for each of the type's `count` elements.
  private(set) var element: [UInt16]

  /// The sizes of kinds 1–19 (`Documentation/bpf/btf.rst`, section 2.2).
  init() {
    fixed = [UInt16](repeating: Self.unknown, count: 128)
    element = [UInt16](repeating: 0, count: 128)
    for kind in 1...19 { fixed[kind] = 0 }
    for kind: BTFKind in [.int, .variable, .declarationTag] { fixed[Int(kind.rawValue)] = 4 }
    fixed[Int(BTFKind.array.rawValue)] = 12
    for kind: BTFKind in [.structure, .union, .dataSection, .enumeration64] {
      element[Int(kind.rawValue)] = 12
    }
    for kind: BTFKind in [.enumeration, .functionPrototype] { element[Int(kind.rawValue)] = 8 }
  }

  /// Takes the sizes of kinds that have none yet from a blob's layout section: `struct btf_layout`,
  /// 4 bytes for each kind from 0 on (kernel 7.1).
  mutating func add(layoutSection: Bytes) throws(EBPFError) {
    for kind in 20..<128 {
      let offset = kind * 4
      guard offset + 4 <= layoutSection.count else { return }
      fixed[kind] = UInt16(try layoutSection.load(at: offset, as: UInt8.self))
      element[kind] = UInt16(try layoutSection.load(at: offset + 1, as: UInt8.self))
    }
  }
}
