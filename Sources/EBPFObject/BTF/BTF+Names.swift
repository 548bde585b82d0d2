internal import Synchronization

// Look-up by name.

extension BTF {
  /// A name without its CO-RE flavour: `task_struct___old` is `task_struct`.
  static func essentialName(_ name: String) -> String {
    String(decoding: name.utf8.prefix(BTFNameIndex.scan(name).essentialLength), as: UTF8.self)
  }

  /// The lowest id of a type with this name and kind, the base's first; nil if there is none.
  public func firstID(named name: String, kind: BTFKind) throws(EBPFError) -> UInt32? {
    var found: UInt32?
    try search(name, inFunctions: kind == .function) { (type, scanned, length) in
      guard type.kind == kind, scanned.length == length else { return true }
      found = type.id
      return false
    }
    return found
  }

  /// The ids of all types with this name, lowest first: every kind that can be named except `FUNC`.
  public func ids(named name: String) throws(EBPFError) -> [UInt32] {
    var found: [UInt32] = []
    try search(name, inFunctions: false) { (type, scanned, length) in
      if scanned.length == length { found.append(type.id) }
      return true
    }
    return found
  }

  /// The types of this blob itself, not its base's, that have the same essential name: the candidates
  /// of a CO-RE relocation, not yet filtered by kind. Lowest id first.
  func candidates(essentialName name: String) throws(EBPFError) -> [BTFType] {
    var found: [BTFType] = []
    try search(name, inFunctions: false, essential: true) { (type, _, _) in
      found.append(type)
      return true
    }
    return found
  }

  /// The same for several names at once; a few are found without building the index.
  func candidates(essentialNames names: [String]) throws(EBPFError) -> [[BTFType]] {
    guard names.count > BTFNameSearch.limit || typeNames.load() != nil else {
      return BTFNameSearch.types(named: names, in: self, includes: Self.isCandidate)
    }
    var found: [[BTFType]] = []
    for name in names { found.append(try candidates(essentialName: name)) }
    return found
  }

  private static func isCandidate(_ kind: BTFKind) -> Bool {
    kind != .function && kind != .functionPrototype && kind != .pointer
  }

  /// Calls `visit` for the types whose essential name is that of `name`; until it returns false.
  private func search(
    _ name: String, inFunctions: Bool, essential: Bool = false,
    _ visit: (BTFType, BTFScannedName, Int) -> Bool
  ) throws(EBPFError) {
    guard !name.isEmpty else { return }
    let wanted = BTFNameIndex.scan(name)
    let text = name.utf8Span.span
    var chain: [BTF] = [self]
    if !essential {
      while let base = chain[chain.count - 1].base { chain.append(base) }
    }
    for blob in chain.reversed() {
      let index = inFunctions ? blob.functionIndex : blob.typeIndex
      for id in index.candidates(wanted.essentialHash) {
        let type = try blob.type(id)
        let (strings, start) = try blob.place(ofString: type.nameOffset)
        let compared = essential ? wanted.essentialLength : wanted.length
        guard Self.hasPrefix(strings.span, at: start, text, count: compared) else { continue }
        let scanned = BTFNameIndex.scan(strings.span, from: start)
        guard scanned.essentialLength == wanted.essentialLength else { continue }
        guard visit(type, scanned, wanted.length) else { return }
      }
    }
  }

  private static func hasPrefix(
    _ bytes: RawSpan, at start: Int, _ text: Span<UInt8>, count: Int
  ) -> Bool {
    guard count <= bytes.byteCount - start else { return false }
    for index in 0..<count where bytes.byte(at: start + index) != text[index] { return false }
    return true
  }

  private var typeIndex: BTFNameIndex {
    if let index = typeNames.load() { return index }
    return typeNames.storeIfNil(BTFNameIndex(self, includes: Self.isCandidate))
  }

  private var functionIndex: BTFNameIndex {
    if let index = functionNames.load() { return index }
    return functionNames.storeIfNil(BTFNameIndex(self) { kind in kind == .function })
  }
}
