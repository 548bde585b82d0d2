extension ELFFile {
  /// A function found by name: where to put a uprobe.
  public struct Function: Sendable, Hashable {
    /// The plain name.
    public var name: String
    /// The version, when the symbol has one.
    public var version: SymbolVersions.Version?
    /// Its address, before any load bias.
    public var address: UInt64
    /// Its size in bytes; 0 when unknown.
    public var size: UInt64
    /// Who sees it, see ``SymbolBinding``.
    public var binding: UInt8
    /// True when the address is that of a resolver (`STT_GNU_IFUNC`) and not of the function.
    public var isIndirect: Bool

    /// How the linker would write it: `name`, `name@VERSION` or `name@@VERSION`.
    public var fullName: String {
      guard let version else { return name }
      return name + (version.isDefault ? "@@" : "@") + version.name
    }
  }

  /// Every function of that name which the file defines, one for each address, by address.
  ///
  /// `name` may carry a version: `name@VERSION` takes that version, `name@@VERSION` takes it only if
  /// it is the default. Without one, every version counts.
  public func functions(named name: String) throws(EBPFError) -> [Function] {
    let wanted = VersionedName(name)
    var found: [UInt64: Function] = [:]
    func add(_ function: Function) {
      // The dynamic table knows versions, the full one does not always: keep what says more.
      if let known = found[function.address],
        known.version != nil || (function.version == nil && known.binding >= function.binding)
      {
        return
      }
      found[function.address] = function
    }
    if let table = try dynamicSymbolTable {
      let versions = try symbolVersions
      try table.forEachSymbol { (symbol) throws(EBPFError) in
        guard symbol.isFunction, !symbol.isUndefined, table.isNamed(symbol, wanted.name) else {
          return
        }
        let version = try versions?.version(ofSymbolAt: symbol.index)
        if wanted.accepts(version) { add(Function(wanted.name, version, symbol)) }
      }
    }
    if let table = try symbolTable {
      try table.forEachSymbol { (symbol) throws(EBPFError) in
        guard symbol.isFunction, !symbol.isUndefined,
          let version = table.versionInName(symbol, after: wanted.name),
          wanted.accepts(version.version)
        else { return }
        add(Function(wanted.name, version.version, symbol))
      }
    }
    return found.values.sorted { $0.address < $1.address }
  }

  /// The one function of that name, with or without a version as in ``functions(named:)``.
  ///
  /// Of several, a default or unversioned symbol is preferred to an old version, then a global to a
  /// weak to a local one. If there is still more than one address, the name is ambiguous and the
  /// error lists them.
  public func function(named name: String) throws(EBPFError) -> Function {
    let all = try functions(named: name)
    guard let best = all.map(\.rank).min() else {
      throw EBPFError(
        .notFound, "the file defines no function '\(name)'",
        context: [.symbol(name)],
        hint: try symbolTable == nil
          ? "the file is stripped: only its dynamic symbols are left"
          : "check the spelling; C++ and Swift functions go by their mangled names")
    }
    let candidates = all.filter { $0.rank == best }
    guard candidates.count == 1, let only = candidates.first else {
      let places = candidates.prefix(8).map {
        "\($0.fullName) at 0x" + String($0.address, radix: 16)
      }
      throw EBPFError(
        .invalidArgument,
        "'\(name)' is ambiguous: \(candidates.count) functions have that name: "
          + places.joined(separator: ", ") + (candidates.count > 8 ? ", …" : ""),
        context: [.symbol(name)], hint: "give the version, or the address instead of the name")
    }
    return only
  }
}

extension ELFFile.Function {
  init(_ name: String, _ version: SymbolVersions.Version?, _ symbol: ELFFile.Symbol) {
    self.name = name
    self.version = version
    address = symbol.value
    size = symbol.size
    binding = symbol.binding
    isIndirect = symbol.type == ELFFile.SymbolType.indirectFunction
  }

  /// The lower, the better.
  fileprivate var rank: Int {
    let strength =
      switch binding {
      case ELFFile.SymbolBinding.global, ELFFile.SymbolBinding.unique: 0
      case ELFFile.SymbolBinding.weak: 1
      default: 2
      }
    return (version.map { $0.isDefault ? 0 : 4 } ?? 0) + strength
  }
}

extension SymbolTable {
  /// In the full table a version is part of the name. Nil when a symbol's name is not `prefix` with
  /// or without one.
  fileprivate func versionInName(
    _ symbol: ELFFile.Symbol, after prefix: String
  ) -> VersionedName? {
    let start = Int(symbol.nameOffset)
    guard strings.holds(prefix, at: start, before: UInt8(ascii: "@")) else { return nil }
    let rest = start + prefix.utf8.count
    guard let length = strings.distanceToZero(from: rest, limit: 1024) else { return nil }
    let span = strings.span
    let version = String(
      decoding: (rest..<rest + length).map { span.byte(at: $0) }, as: UTF8.self)
    return VersionedName(prefix + version)
  }
}

/// `name`, `name@VERSION` or `name@@VERSION`, taken apart.
private struct VersionedName {
  let name: String
  let version: SymbolVersions.Version?
  private let isDefaultRequired: Bool

  init(_ text: String) {
    guard let at = text.firstIndex(of: "@"), at != text.startIndex else {
      name = text
      version = nil
      isDefaultRequired = false
      return
    }
    name = String(text[..<at])
    let rest = text[text.index(after: at)...]
    isDefaultRequired = rest.first == "@"
    version = SymbolVersions.Version(
      name: String(isDefaultRequired ? rest.dropFirst() : rest), isDefault: isDefaultRequired)
  }

  func accepts(_ other: SymbolVersions.Version?) -> Bool {
    guard let version else { return true }
    return other?.name == version.name && (!isDefaultRequired || other?.isDefault == true)
  }
}
