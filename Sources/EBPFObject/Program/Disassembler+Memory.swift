extension Disassembler {
  /// Wide loads and the old packet loads (class `BPF_LD`).
  func load(_ instruction: Instruction, next: Instruction?) -> String? {
    if instruction.isWideLoad { return wideLoad(instruction, next: next) }
    // Packet loads: absolute 0x20, indirect 0x40; never 64 bits wide.
    guard instruction.opcode & 0x18 != 0x18 else { return nil }
    let type = type(instruction.opcode)
    switch instruction.opcode & 0xe0 {
    case 0x20: return "r0 = *(\(type) *)skb[\(hexadecimal(instruction.immediate))]"
    case 0x40: return register(instruction.source).map { "r0 = *(\(type) *)skb[\($0)]" }
    default: return nil
    }
  }

  private func wideLoad(_ instruction: Instruction, next: Instruction?) -> String? {
    guard let next, instruction.offset == 0, let register = register(instruction.destination)
    else { return nil }
    let low = UInt32(bitPattern: instruction.immediate)
    guard instruction.source == 0 else {
      return "ld_pseudo\t\(register), \(hexadecimal(instruction.source)), \(hexadecimal(low))"
    }
    let value = UInt64(UInt32(bitPattern: next.immediate)) << 32 | UInt64(low)
    return "\(register) = \(hexadecimal(Int64(bitPattern: value))) ll"
  }

  /// Loads from memory (class `BPF_LDX`): plain 0x60, sign-extending 0x80.
  func loadMemory(_ instruction: Instruction) -> String? {
    let opcode = instruction.opcode
    let mode = opcode & 0xe0
    guard mode == 0x60 || (mode == 0x80 && opcode & 0x18 != 0x18),
      let address = address(instruction.source, instruction.offset),
      let destination = register(
        instruction.destination, mode == 0x60 ? width(opcode) : .double)
    else { return nil }
    return "\(destination) = *(\(type(opcode, signed: mode == 0x80)) *)(\(address))"
  }

  /// Stores of an immediate (class `BPF_ST`).
  func storeImmediate(_ instruction: Instruction) -> String? {
    guard instruction.opcode & 0xe0 == 0x60,
      let address = address(instruction.destination, instruction.offset)
    else { return nil }
    return "*(\(type(instruction.opcode)) *)(\(address)) = \(hexadecimal(instruction.immediate))"
  }

  /// Stores of a register, and atomics (class `BPF_STX`).
  func storeRegister(_ instruction: Instruction) -> String? {
    switch instruction.opcode & 0xe0 {
    case 0x60:
      guard let address = address(instruction.destination, instruction.offset),
        let source = register(instruction.source, width(instruction.opcode))
      else { return nil }
      return "*(\(type(instruction.opcode)) *)(\(address)) = \(source)"
    case 0xc0: return atomic(instruction)
    default: return nil
    }
  }

  private func atomic(_ instruction: Instruction) -> String? {
    let opcode = instruction.opcode
    let type = type(opcode)
    let width = width(opcode)
    let isWordOrDouble = opcode & 0x18 == 0x00 || opcode & 0x18 == 0x18
    guard let source = register(instruction.source, width),
      let address = address(instruction.destination, instruction.offset)
    else { return nil }
    switch instruction.immediate {
    case 0x100:
      guard let from = self.address(instruction.source, instruction.offset),
        let destination = register(instruction.destination, width)
      else { return nil }
      return "\(destination) = load_acquire((\(type) *)(\(from)))"
    case 0x110: return "store_release((\(type) *)(\(address)), \(source))"
    case _ where !isWordOrDouble: return nil
    case 0xe1: return "\(source) = xchg\(exchangeSuffix(width))(\(address), \(source))"
    case 0xf1:
      let zero = width.prefix + "0"
      return "\(zero) = cmpxchg\(exchangeSuffix(width))(\(address), \(zero), \(source))"
    default: break
    }
    let operation: (sign: String, name: String)
    switch instruction.immediate & ~1 {
    case 0x00: operation = ("+=", "add")
    case 0x40: operation = ("|=", "or")
    case 0x50: operation = ("&=", "and")
    case 0xa0: operation = ("^=", "xor")
    default: return nil
    }
    if instruction.immediate & 1 == 0 {
      return "lock *(\(type) *)(\(address)) \(operation.sign) \(source)"
    }
    return "\(source) = atomic_fetch_\(operation.name)((\(type) *)(\(address)), \(source))"
  }

  /// LLVM names the two exchanges by access and register size.
  private func exchangeSuffix(_ width: Width) -> String { width == .word ? "32_32" : "_64" }
}
