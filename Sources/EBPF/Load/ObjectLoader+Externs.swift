internal import EBPFSystem

/// What the kernel's symbols and functions came to.
struct ResolvedExterns {
  /// Where a kernel variable or function is.
  enum Symbol {
    /// By its address; 0 for a weak one that is missing.
    case address(UInt64)
    /// By its id in the kernel's BTF, or in the module's with this index in ``modules``.
    case type(UInt32, module: Int?)
  }
  var symbols: [String: Symbol] = [:]
  /// Open BTF of the modules that symbols are in.
  var modules: [SharedDescriptor] = []
  /// Their ids, in the same order.
  var moduleIDs: [UInt32] = []
}

extension ObjectLoader {
  mutating func resolveExterns() throws(EBPFError) {
    try resolveConfiguration()
    try resolveSymbols()
  }

  // MARK: .kconfig

  private mutating func resolveConfiguration() throws(EBPFError) {
    guard !object.configuration.isEmpty else { return }
    guard let index = maps.firstIndex(where: { $0.role == .kernelConfiguration }) else {
      throw EBPFError(.malformed, "the object has configuration variables but no map for them")
    }
    // Whatever the object claims: no option's value comes near this.
    guard maps[index].valueSize <= 1 << 20 else {
      throw EBPFError(
        .tooLarge, "the configuration variables together have \(maps[index].valueSize) bytes",
        context: [.map(maps[index].name)])
    }
    if maps[index].contents.isEmpty {
      maps[index].contents = [UInt8](repeating: 0, count: Int(maps[index].valueSize))
    }
    var source = ConfigurationSource(features: features)
    for variable in object.configuration {
      do throws(EBPFError) {
        guard let bytes = try source.bytes(of: variable) else { continue }
        let start = Int(variable.offset)
        let room = maps[index].contents.count
        guard start <= room, bytes.count <= room - start else {
          throw EBPFError(
            .malformed, "the variable is outside of its map, which has \(room) bytes")
        }
        maps[index].contents.replaceSubrange(start..<start + bytes.count, with: bytes)
      } catch { throw error.within(.symbol(variable.name)) }
    }
  }

  // MARK: .ksyms

  private mutating func resolveSymbols() throws(EBPFError) {
    let used = Set(programs.flatMap(\.references).compactMap(\.target.kernelSymbol))
    let wanted = object.kernelSymbols.filter { used.contains($0.name) }
    let untyped = wanted.filter { !$0.isFunction && $0.typeID == 0 }
    if !untyped.isEmpty {
      let addresses = try KernelSymbolNames.addresses(of: Set(untyped.map(\.name)))
      for symbol in untyped {
        guard let address = addresses[symbol.name] else {
          try setMissing(symbol, "/proc/kallsyms")
          continue
        }
        externs.symbols[symbol.name] = .address(address)
      }
    }
    for symbol in wanted where symbol.isFunction || symbol.typeID != 0 {
      // `name___flavour` lets a program declare one function in two shapes, as types do.
      let name = Self.essential(symbol.name)
      guard let target = try types.find(name, symbol.isFunction ? .function : .variable) else {
        try setMissing(symbol, "the kernel's BTF")
        continue
      }
      let module = try target.module.map { (module) throws(EBPFError) in try index(of: module) }
      externs.symbols[symbol.name] = .type(target.typeID, module: module)
    }
  }

  private mutating func setMissing(_ symbol: KernelSymbol, _ place: String) throws(EBPFError) {
    guard symbol.isWeak else {
      throw EBPFError(
        .unresolved,
        "the kernel has no \(symbol.isFunction ? "function" : "variable") '\(symbol.name)'",
        context: [.symbol(symbol.name), .other("looked in", place)],
        hint: "declare it __weak and test its address, if the program can do without it")
    }
    externs.symbols[symbol.name] = .address(0)
  }

  private mutating func index(of module: KernelTypes.Module) throws(EBPFError) -> Int {
    if let known = externs.moduleIDs.firstIndex(of: module.id) { return known }
    externs.modules.append(SharedDescriptor(try types.open(module)))
    externs.moduleIDs.append(module.id)
    return externs.modules.count - 1
  }

  static func essential(_ name: String) -> String {
    let bytes = Array(name.utf8)
    var index = bytes.count - 4
    while index > 0 {
      if bytes[index..<index + 3].allSatisfy({ $0 == 0x5f }), bytes[index - 1] != 0x5f,
        bytes[index + 3] != 0x5f
      {
        return String(decoding: bytes[..<index], as: UTF8.self)
      }
      index -= 1
    }
    return name
  }
}

extension ProgramSpec.Reference.Target {
  /// The kernel variable or function referred to.
  var kernelSymbol: String? {
    switch self {
    case .kernelVariable(let name, _, _), .kernelFunction(let name, _, _): name
    default: nil
    }
  }
}

/// Turns configuration values into the bytes of the variables declared for them.
struct ConfigurationSource {
  let features: KernelFeatures
  private var configuration: Result<KernelConfiguration, EBPFError>?

  init(features: KernelFeatures) { self.features = features }

  /// Nil leaves the variable zero.
  mutating func bytes(of variable: ConfigurationVariable) throws(EBPFError) -> [UInt8]? {
    let value: KernelConfiguration.Value?
    switch variable.name {
    case "LINUX_KERNEL_VERSION": value = .number(UInt64(try Self.versionCode()))
    case "LINUX_HAS_BPF_COOKIE":
      value = features.perfEventCookies.verdict == .yes ? .yes : .no
    case "LINUX_HAS_SYSCALL_WRAPPER":
      value = try hasSystemCallWrappers() ? .yes : .no
    case let name where name.hasPrefix("CONFIG_"): value = try lookUp(name, variable)
    default:
      guard variable.isWeak else {
        throw EBPFError(
          .unresolved, "'\(variable.name)' is neither a CONFIG_ option nor one of the LINUX_ values"
        )
      }
      return nil
    }
    guard let value else {
      guard variable.isWeak else {
        throw EBPFError(
          .unresolved, "the kernel's configuration has no option '\(variable.name)'",
          hint: "declare it __weak, if the program can do without it")
      }
      return nil
    }
    return try Self.encode(value, for: variable)
  }

  private mutating func lookUp(
    _ name: String, _ variable: ConfigurationVariable
  ) throws(EBPFError) -> KernelConfiguration.Value? {
    do throws(EBPFError) { return try running().value(of: name) } catch {
      guard variable.isWeak, error.code == .notFound else { throw error }
      return nil
    }
  }

  private mutating func running() throws(EBPFError) -> KernelConfiguration {
    if configuration == nil {
      do throws(EBPFError) { configuration = .success(try KernelConfiguration.running()) } catch {
        configuration = .failure(error)
      }
    }
    guard let configuration else { preconditionFailure("set just now") }
    return try configuration.get()
  }

  /// Since 4.17 x86 calls `__x64_sys_…`; other architectures followed.
  private mutating func hasSystemCallWrappers() throws(EBPFError) -> Bool {
    do throws(EBPFError) {
      if let value = try running().value(of: "CONFIG_ARCH_HAS_SYSCALL_WRAPPER") {
        return value == .yes
      }
      return false
    } catch {
      guard error.code == .notFound else { throw error }
      let names: Set = ["__x64_sys_bpf", "__arm64_sys_bpf", "__s390x_sys_bpf", "__riscv_sys_bpf"]
      return try !KernelSymbolNames.addresses(of: names).isEmpty
    }
  }

  /// `LINUX_VERSION_CODE` of the running kernel. Debian's and Ubuntu's releases hide the patch level;
  /// their build texts have it.
  static func versionCode() throws(EBPFError) -> UInt32 {
    var release: String
    do throws(Errno) {
      let names = try MachineNames.current()
      release = names.release
      let words = names.version.split(separator: " ")
      if let debian = words.firstIndex(of: "Debian"), words.indices.contains(debian + 1) {
        release = String(words[debian + 1])
      } else if FileSystem.exists("/proc/version_signature") {
        // `Ubuntu 5.15.0-25.25-generic 5.15.30`
        let signature = try SystemFile.text("/proc/version_signature", limit: 4096)
        release = signature.split(whereSeparator: \.isWhitespace).last.map(String.init) ?? release
      }
    } catch {
      throw EBPFError(
        .system, "the kernel does not say its version", systemCall: error.failure(of: "uname"))
    }
    let version = try KernelVersion(release: release)
    return UInt32(clamping: min(version.major, 65_535)) << 16
      | UInt32(clamping: min(version.minor, 255)) << 8 | UInt32(clamping: min(version.patch, 255))
  }

  static func encode(
    _ value: KernelConfiguration.Value, for variable: ConfigurationVariable
  ) throws(EBPFError) -> [UInt8] {
    func mismatch(_ wanted: String) -> EBPFError {
      EBPFError(
        .unresolved, "the kernel's value of '\(variable.name)' is \(value), which is not \(wanted)",
        hint: "declare the variable with the type the option has")
    }
    switch (variable.kind, value) {
    case (.boolean, .yes): return integer(1, variable.size)
    case (.boolean, .no): return integer(0, variable.size)
    case (.tristate, .no): return integer(0, variable.size)
    case (.tristate, .yes): return integer(1, variable.size)
    case (.tristate, .module): return integer(2, variable.size)
    case (.character, .yes): return [UInt8(ascii: "y")]
    case (.character, .module): return [UInt8(ascii: "m")]
    case (.character, .no): return [UInt8(ascii: "n")]
    case (.integer(let isSigned), .number(let number)):
      guard fits(number, variable.size, isSigned: isSigned) else {
        throw mismatch("a number of \(variable.size) bytes")
      }
      return integer(number, variable.size)
    case (.integer, .yes) where variable.name.hasPrefix("LINUX_"): return integer(1, variable.size)
    case (.integer, .no) where variable.name.hasPrefix("LINUX_"): return integer(0, variable.size)
    case (.string, .text(let text)):
      guard variable.size > 0 else { return [] }
      return Array(text.utf8.prefix(Int(variable.size) - 1)) + [0]
    case (.boolean, _): throw mismatch("y or n")
    case (.tristate, _): throw mismatch("y, m or n")
    case (.character, _): throw mismatch("y, m or n")
    case (.integer, _): throw mismatch("a number")
    case (.string, _): throw mismatch("a text")
    }
  }

  private static func fits(_ number: UInt64, _ size: UInt32, isSigned: Bool) -> Bool {
    guard size < 8 else { return true }
    let bits = UInt64(size) * 8
    guard bits > 0 else { return false }
    if !isSigned { return number >> bits == 0 }
    let signed = Int64(bitPattern: number)
    let limit = Int64(1) << Int64(bits - 1)
    return signed >= -limit && signed < limit
  }

  private static func integer(_ number: UInt64, _ size: UInt32) -> [UInt8] {
    (0..<min(Int(size), 8)).map { index in
      let place = ByteOrder.host == .little ? index : Int(size) - 1 - index
      return UInt8(truncatingIfNeeded: number >> UInt64(place * 8))
    }
  }
}
