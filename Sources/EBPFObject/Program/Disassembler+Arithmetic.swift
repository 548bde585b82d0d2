extension Disassembler {
  /// Arithmetic, moves and byte swaps (classes `BPF_ALU` and `BPF_ALU64`).
  func arithmetic(_ instruction: Instruction, width: Width) -> String? {
    guard let destination = register(instruction.destination, width) else { return nil }
    let usesRegister = instruction.opcode & 8 != 0
    switch instruction.opcode & 0xf0 {
    case 0x80: return usesRegister ? nil : "\(destination) = -\(destination)"
    case 0xb0:
      return usesRegister
        ? move(instruction, to: destination, width)
        : instruction.offset == 0 ? "\(destination) = \(hexadecimal(instruction.immediate))" : nil
    case 0xd0: return swap(instruction, width: width)
    default: break
    }
    guard let sign = sign(instruction) else { return nil }
    if usesRegister {
      return register(instruction.source, width).map { "\(destination) \(sign) \($0)" }
    }
    return "\(destination) \(sign) \(hexadecimal(instruction.immediate))"
  }

  private func sign(_ instruction: Instruction) -> String? {
    let operation = instruction.opcode & 0xf0
    // Division and remainder are signed when the offset is 1; no other operation has an offset.
    if instruction.offset == 1 {
      return operation == 0x30 ? "s/=" : operation == 0x90 ? "s%=" : nil
    }
    guard instruction.offset == 0 else { return nil }
    return switch operation {
    case 0x00: "+="
    case 0x10: "-="
    case 0x20: "*="
    case 0x30: "/="
    case 0x40: "|="
    case 0x50: "&="
    case 0x60: "<<="
    case 0x70: ">>="
    case 0x90: "%="
    case 0xa0: "^="
    case 0xc0: "s>>="
    default: nil
    }
  }

  /// A move between registers: plain, sign-extending, or from one address space to another.
  private func move(
    _ instruction: Instruction, to destination: String, _ width: Width
  ) -> String? {
    guard let source = register(instruction.source, width) else { return nil }
    switch (instruction.offset, width) {
    case (0, _): return "\(destination) = \(source)"
    case (8, _), (16, _), (32, .double):
      return "\(destination) = (s\(instruction.offset))\(source)"
    case (1, .double):
      let spaces = UInt32(bitPattern: instruction.immediate)
      return "\(destination) = addr_space_cast(\(source), "
        + "\(hexadecimal(spaces >> 16)), \(hexadecimal(spaces & 0xffff)))"
    default: return nil
    }
  }

  /// To little- or big-endian (32-bit class), or unconditionally (64-bit class).
  private func swap(_ instruction: Instruction, width: Width) -> String? {
    guard let register = register(instruction.destination),
      instruction.immediate == 16 || instruction.immediate == 32 || instruction.immediate == 64
    else { return nil }
    let name: String
    switch (width, instruction.opcode & 8 != 0) {
    case (.word, false): name = "le"
    case (.word, true): name = "be"
    case (.double, false): name = "bswap"
    case (.double, true): return nil
    }
    return "\(register) = \(name)\(instruction.immediate) \(register)"
  }
}
