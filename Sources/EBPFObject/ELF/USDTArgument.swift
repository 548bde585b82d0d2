/// Where one argument of a USDT probe is when the probe is hit, as the assembler wrote it:
/// `-4@-20(%rbp)`, `8@$3`, `8@(%rdx,%rax,8)`.
public struct USDTArgument: Sendable, Hashable {
  /// A place in the interrupted program's registers and memory.
  public enum Place: Sendable, Hashable {
    /// A number.
    case constant(Int64)
    /// The register at an offset of the kernel's `struct pt_regs`.
    case register(Int16)
    /// Memory at a register's value plus a distance.
    case memory(register: Int16, distance: Int64)
    /// Memory at a register's value, plus another's shifted left, plus a distance.
    case indexed(register: Int16, index: Int16, shift: UInt8, distance: Int64)
  }

  /// Its size in bytes: 1, 2, 4 or 8.
  public var size: Int
  /// Whether it is extended with its sign.
  public var isSigned: Bool
  /// Where it is.
  public var place: Place
}

extension USDTProbe {
  /// The probe's arguments, in order, on a machine (``ELFFile/machine``).
  ///
  /// Throws `unsupported` for a place that a BPF program cannot reach, such as a vector register or a
  /// variable's own address.
  public func parsedArguments(machine: UInt16) throws(EBPFError) -> [USDTArgument] {
    try EBPFError.at(.other("probe", "\(provider):\(name)")) { () throws(EBPFError) in
      var parser = USDTArgumentParser(arguments, machine: machine)
      return try parser.parse()
    }
  }
}

/// Reads the argument text of one probe.
private struct USDTArgumentParser {
  private let words: [Substring]
  private let machine: UInt16

  init(_ text: String, machine: UInt16) {
    // AArch64 has blanks inside of brackets: `8@[sp, 24]`.
    var words: [Substring] = []
    var start = text.startIndex
    var isOpen = false
    for index in text.indices {
      switch text[index] {
      case "[": isOpen = true
      case "]": isOpen = false
      case " " where !isOpen:
        words.append(text[start..<index])
        start = text.index(after: index)
      default: break
      }
    }
    words.append(text[start...])
    self.words = words.filter { !$0.isEmpty }
    self.machine = machine
  }

  mutating func parse() throws(EBPFError) -> [USDTArgument] {
    var arguments: [USDTArgument] = []
    for word in words { arguments.append(try argument(word)) }
    return arguments
  }

  private func argument(_ word: Substring) throws(EBPFError) -> USDTArgument {
    guard let at = word.firstIndex(of: "@"), let size = Int(word[..<at]),
      [1, 2, 4, 8].contains(abs(size))
    else { throw unreachable(word) }
    let text = word[word.index(after: at)...]
    let place =
      switch machine {
      case ELFFile.Machine.x86_64: x86(text)
      case ELFFile.Machine.aarch64: arm64(text)
      default: USDTArgument.Place?.none
      }
    guard let place else { throw unreachable(word) }
    return USDTArgument(size: abs(size), isSigned: size < 0, place: place)
  }

  private func unreachable(_ word: Substring) -> EBPFError {
    EBPFError(
      .unsupported, "the argument '\(word)' is where a BPF program cannot read it",
      context: [.section(".note.stapsdt")],
      hint: "numbers, general registers and memory at them can be read; attach a uprobe instead")
  }

  // MARK: x86-64: `$3`, `%eax`, `-8(%rbp)`, `16(%rdx,%rax,8)`

  private func x86(_ text: Substring) -> USDTArgument.Place? {
    if text.hasPrefix("$") { return number(text.dropFirst()).map { .constant($0) } }
    if text.hasPrefix("%") { return register(text).map { .register($0) } }
    guard let open = text.firstIndex(of: "("), text.last == ")",
      let distance = open == text.startIndex ? 0 : number(text[..<open])
    else { return nil }
    let inside = text[text.index(after: open)...].dropLast()
    let parts = inside.split(separator: ",", omittingEmptySubsequences: false)
    guard let base = parts.first.flatMap({ register($0) }) else { return nil }
    if parts.count == 1 { return .memory(register: base, distance: distance) }
    guard parts.count <= 3, let index = register(parts[1]),
      let shift = ["1": 0, "2": 1, "4": 2, "8": 3][parts.count == 3 ? String(parts[2]) : "1"]
    else { return nil }
    return .indexed(register: base, index: index, shift: UInt8(shift), distance: distance)
  }

  /// In the order of `struct pt_regs`, 8 bytes each; `orig_rax`, `rip`, `cs` and `eflags` are between
  /// `rdi` and `rsp`.
  private static let x86Registers: [(offset: Int16, names: [Substring])] = [
    (0, ["r15", "r15d", "r15w", "r15b"]), (8, ["r14", "r14d", "r14w", "r14b"]),
    (16, ["r13", "r13d", "r13w", "r13b"]), (24, ["r12", "r12d", "r12w", "r12b"]),
    (32, ["rbp", "ebp", "bp", "bpl"]), (40, ["rbx", "ebx", "bx", "bl"]),
    (48, ["r11", "r11d", "r11w", "r11b"]), (56, ["r10", "r10d", "r10w", "r10b"]),
    (64, ["r9", "r9d", "r9w", "r9b"]), (72, ["r8", "r8d", "r8w", "r8b"]),
    (80, ["rax", "eax", "ax", "al"]), (88, ["rcx", "ecx", "cx", "cl"]),
    (96, ["rdx", "edx", "dx", "dl"]), (104, ["rsi", "esi", "si", "sil"]),
    (112, ["rdi", "edi", "di", "dil"]), (152, ["rsp", "esp", "sp", "spl"]),
  ]

  private func register(_ text: Substring) -> Int16? {
    guard text.hasPrefix("%") else { return nil }
    return Self.x86Registers.first { $0.names.contains(text.dropFirst()) }?.offset
  }

  // MARK: AArch64: `3`, `x0`, `[sp]`, `[x29, -8]`

  private func arm64(_ text: Substring) -> USDTArgument.Place? {
    if text.hasPrefix("["), text.last == "]" {
      let parts = text.dropFirst().dropLast().split(separator: ",").map { $0.filter { $0 != " " } }
      guard let base = parts.first.flatMap({ arm64Register($0[...]) }), parts.count <= 2 else {
        return nil
      }
      guard parts.count == 2 else { return .memory(register: base, distance: 0) }
      return number(parts[1][...]).map { .memory(register: base, distance: $0) }
    }
    if let register = arm64Register(text) { return .register(register) }
    return number(text).map { .constant($0) }
  }

  /// `struct user_pt_regs`: `x0` to `x30`, then `sp`.
  private func arm64Register(_ text: Substring) -> Int16? {
    if text == "sp" { return 31 * 8 }
    guard text.hasPrefix("x") || text.hasPrefix("w"), let number = Int16(text.dropFirst()),
      (0...30).contains(number)
    else { return nil }
    return number * 8
  }

  private func number(_ text: Substring) -> Int64? {
    let isNegative = text.hasPrefix("-")
    let digits = text.drop { $0 == "-" || $0 == "+" || $0 == "#" }
    let isHexadecimal = digits.hasPrefix("0x")
    guard
      let value = UInt64(
        isHexadecimal ? digits.dropFirst(2) : digits, radix: isHexadecimal ? 16 : 10)
    else { return nil }
    let bits = Int64(bitPattern: value)
    return isNegative ? 0 &- bits : bits
  }
}
