extension ObjectFile {
  /// The object's BTF as the kernel accepts it: the same types with what only a linker knows.
  ///
  /// Compilers leave the sizes of data sections and the offsets of global variables to the linker;
  /// externs have no place of their own, and the kernel knows no extern linkage. All of it is patched
  /// in place, so ids and string offsets stay. nil for an object without BTF.
  public func kernelBTF() throws(EBPFError) -> [UInt8]? {
    guard let btf else { return nil }
    var patch = BTFPatch(btf)
    for id in btf.firstID..<btf.typeCount {
      let type = try btf.type(id)
      switch type.kind {
      case .dataSection:
        try fill(type, btf, &patch)
      case .variable where try btf.variableLinkage(of: type) == .extern:
        patch.setWord(3, of: type, to: BTFLinkage.global.rawValue)
      case .function where type.functionLinkage == .extern:
        try define(type, btf, &patch)
      default: break
      }
    }
    for id in functionsToMarkStatic {
      patch.setCount(of: try btf.type(id), to: BTFLinkage.static.rawValue)
    }
    return patch.bytes
  }

  private func fill(_ type: BTFType, _ btf: BTF, _ patch: inout BTFPatch) throws(EBPFError) {
    // Already done by a static linker.
    guard type.sizeOrType == 0 else { return }
    let name = try btf.shortName(of: type)
    let variables = try btf.variables(of: type)
    var entries = variables.indices.map { index in
      let entry = variables[index]
      return (typeID: entry.typeID, offset: entry.offset, size: entry.size)
    }
    switch name {
    case ".ksyms":
      try replace(type, count: entries.count, btf, &patch)
      return
    case ".kconfig":
      let places = Dictionary(configuration.map { ($0.name, $0) }) { first, _ in first }
      var end: UInt32 = 0
      for index in entries.indices {
        let variable = try btf.shortName(of: try btf.type(entries[index].typeID))
        guard let place = places[variable] else { continue }
        entries[index].offset = place.offset
        entries[index].size = place.size
        end = max(end, place.offset + place.size)
      }
      patch.setWord(2, of: type, to: end)
    default:
      guard let size = sectionSizes[name] else { return }
      for index in entries.indices {
        let variable = try btf.type(entries[index].typeID)
        guard variable.kind == .variable, try btf.variableLinkage(of: variable) == .global,
          let offset = variableOffsets[name]?[try btf.shortName(of: variable)]
        else { continue }
        entries[index].offset = offset
      }
      patch.setWord(2, of: type, to: size)
    }
    entries.sort { $0.offset < $1.offset }
    for (index, entry) in entries.enumerated() {
      patch.setRecord(index, of: type, to: (entry.typeID, entry.offset, entry.size))
    }
  }

  /// Turns `.ksyms`, which lists functions that the kernel takes for no variables, into a struct of
  /// as many integers; nothing refers to it.
  private func replace(
    _ type: BTFType, count: Int, _ btf: BTF, _ patch: inout BTFPatch
  ) throws(EBPFError) {
    guard let integer = try Self.integer(in: btf), UInt64(count) * 4 <= UInt64(UInt32.max) else {
      throw EBPFError(
        .unsupported, "the BTF has no 4-byte integer to stand for kernel symbols",
        context: [.section(".ksyms"), .type(type.id)])
    }
    patch.setWord(0, of: type, to: 0)
    patch.setKind(of: type, to: .structure)
    patch.setWord(2, of: type, to: UInt32(count) * 4)
    for (index, entry) in try btf.variables(of: type).enumerated() {
      patch.setRecord(index, of: type, to: (0, integer, UInt32(index) * 32))
      let symbol = try btf.type(entry.typeID)
      if symbol.kind == .variable { patch.setWord(2, of: symbol, to: integer) }
    }
  }

  private static func integer(in btf: BTF) throws(EBPFError) -> UInt32? {
    for id in btf.firstID..<btf.typeCount {
      let type = try btf.type(id)
      if type.kind == .int, type.size == 4 { return id }
    }
    return nil
  }

  /// Makes an extern function a global one; its parameters then need names.
  private func define(_ type: BTFType, _ btf: BTF, _ patch: inout BTFPatch) throws(EBPFError) {
    patch.setCount(of: type, to: BTFLinkage.global.rawValue)
    let prototype = try btf.type(type.referencedID)
    guard prototype.kind == .functionPrototype else { return }
    for (index, parameter) in try btf.parameters(of: prototype).enumerated()
    where parameter.typeID != 0 && parameter.nameOffset == 0 {
      patch.setParameterName(index, of: prototype, to: type.nameOffset)
    }
  }
}

/// A copy of a BTF blob in which single words are changed.
private struct BTFPatch {
  private(set) var bytes: [UInt8]
  private let btf: BTF

  init(_ btf: BTF) {
    self.btf = btf
    bytes = btf.bytes.array
  }

  /// Word 0 is the name, 1 the kind and count, 2 the size or type, 3 the first that follows.
  mutating func setWord(_ index: Int, of type: BTFType, to value: UInt32) {
    set(value, at: start(of: type) + index * 4)
  }

  mutating func setCount(of type: BTFType, to count: UInt32) {
    setWord(1, of: type, to: word(1, of: type) & 0xff00_0000 | count & 0xff_ffff)
  }

  mutating func setKind(of type: BTFType, to kind: BTFKind) {
    setWord(1, of: type, to: word(1, of: type) & 0x80ff_ffff | UInt32(kind.rawValue) << 24)
  }

  mutating func setRecord(_ index: Int, of type: BTFType, to words: (UInt32, UInt32, UInt32)) {
    let start = start(of: type) + 12 + index * 12
    set(words.0, at: start)
    set(words.1, at: start + 4)
    set(words.2, at: start + 8)
  }

  mutating func setParameterName(_ index: Int, of type: BTFType, to nameOffset: UInt32) {
    set(nameOffset, at: start(of: type) + 12 + index * 8)
  }

  private func start(of type: BTFType) -> Int {
    Int(clamping: btf.fileOffset(of: type)) - btf.bytes.origin
  }

  private func word(_ index: Int, of type: BTFType) -> UInt32 {
    let offset = start(of: type) + index * 4
    var value: UInt32 = 0
    for byte in 0..<4 where bytes.indices.contains(offset + byte) {
      value |= UInt32(bytes[offset + byte]) << shift(byte)
    }
    return value
  }

  private mutating func set(_ value: UInt32, at offset: Int) {
    for byte in 0..<4 where bytes.indices.contains(offset + byte) {
      bytes[offset + byte] = UInt8(truncatingIfNeeded: value >> shift(byte))
    }
  }

  private func shift(_ byte: Int) -> UInt32 { UInt32(btf.order == .little ? byte : 3 - byte) * 8 }
}
