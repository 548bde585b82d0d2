/// What a kernel's BTF verifier knows; each came with its own kernel version.
public struct BTFFeatures: OptionSet, Sendable, Hashable {
  /// The set's bits.
  public let rawValue: UInt32
  /// A set from its bits.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `FUNC` and `FUNC_PROTO` (5.0).
  public static let functions = BTFFeatures(rawValue: 1 << 0)
  /// `FUNC` with global linkage (5.6).
  public static let globalFunctions = BTFFeatures(rawValue: 1 << 1)
  /// `VAR` and `DATASEC` (5.2).
  public static let dataSections = BTFFeatures(rawValue: 1 << 2)
  /// `DATASEC` names that begin with `?` (6.9).
  public static let optionalSectionNames = BTFFeatures(rawValue: 1 << 3)
  /// `FLOAT` (5.13).
  public static let floats = BTFFeatures(rawValue: 1 << 4)
  /// `DECL_TAG` (5.16).
  public static let declarationTags = BTFFeatures(rawValue: 1 << 5)
  /// `TYPE_TAG` (5.17).
  public static let typeTags = BTFFeatures(rawValue: 1 << 6)
  /// `ENUM64`, and signed enumerations (6.0).
  public static let enumeration64 = BTFFeatures(rawValue: 1 << 7)
  /// The layout section (7.1).
  public static let layout = BTFFeatures(rawValue: 1 << 8)

  /// A kernel that knows all of them.
  public static let all = BTFFeatures(rawValue: (1 << 9) - 1)
}

/// Rewrites an object's BTF for a kernel that does not know all of it.
///
/// Each unknown kind becomes a known one of the same size in the blob, so that ids stay: the rules are
/// libbpf's (`bpf_object__sanitize_btf`).
public struct BTFSanitizer: Sendable {
  private let features: BTFFeatures

  /// Rewrites for kernels with these features.
  public init(features: BTFFeatures) { self.features = features }

  /// The blob as the kernel can take it; the same bytes when it can take all of it.
  public func sanitize(_ btf: BTF) throws(EBPFError) -> [UInt8] {
    if features == .all { return btf.bytes.array }
    var rewriter = try BTFRewriter(btf)
    // Wide values need a type for the members that stand for them; it goes last.
    var placeholder: UInt32?
    if !features.contains(.enumeration64),
      rewriter.types.contains(where: { $0.kind == .enumeration64 })
    {
      placeholder = rewriter.add(.int, name: "enum64_placeholder", sizeOrType: 1, words: [8])
    }
    for index in rewriter.types.indices {
      try sanitize(index, &rewriter, placeholder)
    }
    return rewriter.build()
  }

  private func sanitize(
    _ index: Int, _ rewriter: inout BTFRewriter, _ placeholder: UInt32?
  ) throws(EBPFError) {
    var type = rewriter.types[index]
    switch type.kind {
    case .variable where !features.contains(.dataSections),
      .declarationTag where !features.contains(.declarationTags):
      // One byte: a larger one could be larger than what refers to it.
      type.info = UInt32(BTFKind.int.rawValue) << 24
      type.sizeOrType = 1
      type.words = [8]
    case .dataSection where !features.contains(.dataSections):
      try makeStructure(of: &type, &rewriter)
    case .dataSection where !features.contains(.optionalSectionNames):
      let name = try rewriter.name(of: type)
      if name.hasPrefix("?") { type.nameOffset = rewriter.builder.string("_" + name.dropFirst()) }
    case .functionPrototype where !features.contains(.functions):
      // Parameters turn into enumerators, which must have names.
      type.kind = .enumeration
      type.sizeOrType = 4
      for word in stride(from: 0, to: type.words.count, by: 2) where type.words[word] == 0 {
        type.words[word] = rewriter.builder.string("parameter")
      }
    case .function where !features.contains(.functions):
      type.info = UInt32(BTFKind.typedef.rawValue) << 24
    case .function where !features.contains(.globalFunctions):
      type.count = Int(BTFLinkage.static.rawValue)
    case .float where !features.contains(.floats):
      type.kind = .structure
      type.nameOffset = 0
    case .typeTag where !features.contains(.typeTags):
      type.info = UInt32(BTFKind.const.rawValue) << 24
      type.nameOffset = 0
    case .enumeration where !features.contains(.enumeration64):
      type.kindFlag = false
    case .enumeration64:
      guard let placeholder else { return }
      type.kind = .union
      type.kindFlag = false
      for word in stride(from: 0, to: type.words.count, by: 3) {
        type.words[word + 1] = placeholder
        type.words[word + 2] = 0
      }
    default:
      return
    }
    rewriter.types[index] = type
  }

  private func makeStructure(
    of type: inout BTFRewriter.RawType, _ rewriter: inout BTFRewriter
  ) throws(EBPFError) {
    let name = try rewriter.name(of: type).map { $0 == "." || $0 == "?" ? "_" : $0 }
    type.nameOffset = rewriter.builder.string(String(name))
    type.kind = .structure
    for word in stride(from: 0, to: type.words.count, by: 3) {
      let variable = try rewriter.btf.type(type.words[word])
      let (bits, overflow) = type.words[word + 1].multipliedReportingOverflow(by: 8)
      guard !overflow else {
        throw EBPFError(
          .malformed, "a variable more than 512 MiB into its section",
          context: [.type(variable.id)])
      }
      type.words[word] = variable.nameOffset
      type.words[word + 1] = variable.id
      type.words[word + 2] = bits
    }
  }
}
