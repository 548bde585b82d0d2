internal import Synchronization

// Look-up by name.

extension BTF {
  /// A name without its CO-RE flavour: `task_struct___old` is `task_struct`.
  static func essentialName(_ name: String) -> String {
    String(decoding: name.utf8.prefix(BTFNameIndex.scan(name).essentialLength), as: UTF8.self)
  }

  /// The lowest id of a type with this name and kind, the base's first; nil if there is none.
  public func firstID(named name: String, kind: BTFKind) throws(EBPFError) -> UInt32? {
    if let base, let id = try base.firstID(named: name, kind: kind) { return id }
    let index = kind == .function ? functionIndex : typeIndex
    return try first(in: index, named: name, isExact: true) { type in type.kind == kind }?.id
  }

  /// The same for several names at once; a few are found in one pass, without building the indexes.
  package func firstIDs(
    of wanted: [(name: String, kind: BTFKind)]
  ) throws(EBPFError) -> [UInt32?] {
    var ids: [UInt32?] = []
    guard base == nil, wanted.count <= BTFNameSearch.limit else {
      for one in wanted { ids.append(try firstID(named: one.name, kind: one.kind)) }
      return ids
    }
    let kinds = Set(wanted.map(\.kind))
    let found = BTFNameSearch.types(named: wanted.map(\.name), in: self) { kinds.contains($0) }
    for (one, types) in zip(wanted, found) {
      var id: UInt32?
      for type in types where id == nil && type.kind == one.kind {
        if try name(of: type) == one.name { id = type.id }
      }
      ids.append(id)
    }
    return ids
  }

  /// The ids of all types with this name, lowest first: every kind that can be named except `FUNC`.
  public func ids(named name: String) throws(EBPFError) -> [UInt32] {
    var found = try base?.ids(named: name) ?? []
    _ = try first(in: typeIndex, named: name, isExact: true) { type in
      found.append(type.id)
      return false
    }
    return found
  }

  /// The types of this blob itself, not its base's, that have the same essential name: the candidates
  /// of a CO-RE relocation, not yet filtered by kind. Lowest id first.
  func candidates(essentialName name: String) throws(EBPFError) -> [BTFType] {
    var found: [BTFType] = []
    _ = try first(in: typeIndex, named: name, isExact: false) { type in
      found.append(type)
      return false
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

  /// The first type of this blob's index that is accepted among those with this name, or with a name
  /// that is the same without its flavour.
  private func first(
    in index: BTFNameIndex, named name: String, isExact: Bool, where accepts: (BTFType) -> Bool
  ) throws(EBPFError) -> BTFType? {
    let text = name.utf8Span.span
    let wanted = BTFNameIndex.scan(name)
    guard wanted.length > 0, wanted.length == text.count else { return nil }
    for id in index.candidates(wanted.essentialHash) {
      let type = try type(id)
      let (strings, start) = try place(ofString: type.nameOffset)
      let span = strings.span
      let compared = isExact ? wanted.length : wanted.essentialLength
      guard Self.hasPrefix(span, at: start, text, count: compared) else { continue }
      // Every string of a blob ends with a zero byte.
      guard
        isExact
          ? span.byte(at: start + compared) == 0
          : BTFNameIndex.scan(span, from: start).essentialLength == compared
      else { continue }
      if accepts(type) { return type }
    }
    return nil
  }

  private static func hasPrefix(
    _ bytes: RawSpan, at start: Int, _ text: Span<UInt8>, count: Int
  ) -> Bool {
    guard count < bytes.byteCount - start else { return false }
    for index in 0..<count where bytes.byte(at: start + index) != text[index] {
      return false
    }
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
