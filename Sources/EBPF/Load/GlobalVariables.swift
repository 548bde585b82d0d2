internal import EBPFSystem

extension ObjectFile {
  /// Gives a variable its initial value: of `const volatile` ones the final one, which the verifier
  /// then knows, so that what it switches off costs nothing.
  public mutating func setVariable(
    _ name: String, to value: some BitwiseCopyable & Sendable
  ) throws(EBPFError) {
    let variable = try globals.variable(named: name, holding: type(of: value))
    guard let index = maps.firstIndex(where: { $0.name == variable.mapName }) else {
      throw EBPFError(
        .notFound, "the map of variable '\(name)' was taken out of the object",
        context: [.map(variable.mapName)])
    }
    let size = Int(maps[index].valueSize)
    // `.bss` has no bytes until it gets some; its size is only a claim of the file.
    guard size <= 64 << 20 else {
      throw EBPFError(
        .tooLarge, "the section of '\(name)' has \(size) bytes; set the variable after loading",
        context: [.map(variable.mapName)])
    }
    if maps[index].contents.isEmpty {
      maps[index].contents = [UInt8](repeating: 0, count: size)
    }
    let start = Int(variable.offset)
    let bytes = BitwiseBytes.read(value) { BitwiseBytes.array($0) }
    guard start <= maps[index].contents.count, bytes.count <= maps[index].contents.count - start
    else {
      throw EBPFError(
        .malformed, "variable '\(name)' lies outside of its section", context: [.symbol(name)])
    }
    maps[index].contents.replaceSubrange(start..<start + bytes.count, with: bytes)
  }
}

extension LoadedObject {
  /// Writes a variable of the running programs, in place: they see it at once, and the variables
  /// beside it are not touched.
  public func setVariable(
    _ name: String, to value: some BitwiseCopyable & Sendable
  ) throws(EBPFError) {
    let variable = try globals.variable(named: name, holding: type(of: value))
    try mapped(variable, writable: true).store(value, at: Int(variable.offset))
  }

  /// Reads a variable of the running programs.
  public func variable<Value: BitwiseCopyable & Sendable>(
    _ name: String, as type: Value.Type = Value.self
  ) throws(EBPFError) -> Value {
    let variable = try globals.variable(named: name, holding: Value.self)
    return try mapped(variable, writable: false).load(at: Int(variable.offset))
  }

  private func mapped(
    _ variable: GlobalVariable, writable: Bool
  ) throws(EBPFError) -> MappedRegion {
    let map = try map(variable.mapName)
    let page = CurrentProcess.pageSize
    guard Int(variable.offset) + Int(variable.size) <= map.valueSize else {
      throw EBPFError(
        .malformed, "variable '\(variable.name)' lies outside of its section",
        context: [.map(map.name)])
    }
    do throws(Errno) {
      return try map.kernel.mapMemory(
        map.fileDescriptor, offset: 0, count: (map.valueSize + page - 1) / page * page,
        writable: writable)
    } catch {
      let isFrozen = writable && (error == .notPermitted || error == .accessDenied)
      throw EBPFError(
        isFrozen ? .invalidState : .unsupported,
        isFrozen
          ? "'\(variable.name)' is constant since the object was loaded"
          : "the variables of map '\(map.name)' cannot be reached in memory",
        context: [.map(map.name)], systemCall: error.failure(of: "mmap"),
        hint: isFrozen
          ? "set it before: ObjectFile.setVariable(_:to:)"
          : "a section whose variables are all static is not shared; use LoadedObject.map(_:)")
    }
  }
}

extension [GlobalVariable] {
  func variable<Value>(
    named name: String, holding type: Value.Type
  ) throws(EBPFError) -> GlobalVariable {
    guard let variable = first(where: { $0.name == name }) else {
      throw EBPFError(
        .notFound, "the object has no variable '\(name)'",
        hint: NearNames.hint(for: name, in: map(\.name))
          ?? "variables are known by their BTF: compile with -g")
    }
    guard MemoryLayout<Value>.size == Int(variable.size) else {
      throw EBPFError(
        .layoutMismatch,
        "\(type) has \(MemoryLayout<Value>.size) bytes, but '\(name)' has \(variable.size)",
        context: [.symbol(name)])
    }
    return variable
  }
}
