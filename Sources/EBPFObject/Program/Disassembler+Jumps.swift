extension Disassembler {
  /// Jumps, calls and `exit` (classes `BPF_JMP` and `BPF_JMP32`).
  func jump(_ instruction: Instruction, width: Width) -> String? {
    switch instruction.opcode {
    case 0x05: return "goto \(distance(instruction.offset))"
    case 0x06: return "gotol \(distance(instruction.immediate))"
    case 0x85: return "call \(hexadecimal(instruction.immediate))"
    case 0x8d: return register(instruction.destination).map { "callx \($0)" }
    case 0x95: return instruction.immediate == 0 ? "exit" : nil
    case 0xe5: return "may_goto \(distance(instruction.offset))"
    default: break
    }
    guard let sign = condition(instruction.opcode),
      let left = register(instruction.destination, width)
    else { return nil }
    var right = hexadecimal(instruction.immediate)
    if instruction.opcode & 8 != 0 {
      guard let source = register(instruction.source, width) else { return nil }
      right = source
    }
    return "if \(left) \(sign) \(right) goto \(distance(instruction.offset))"
  }

  private func condition(_ opcode: UInt8) -> String? {
    switch opcode & 0xf0 {
    case 0x10: "=="
    case 0x20: ">"
    case 0x30: ">="
    case 0x40: "&"
    case 0x50: "!="
    case 0x60: "s>"
    case 0x70: "s>="
    case 0xa0: "<"
    case 0xb0: "<="
    case 0xc0: "s<"
    case 0xd0: "s<="
    default: nil
    }
  }

  private func distance<Value: FixedWidthInteger>(_ value: Value) -> String {
    (value < 0 ? "" : "+") + hexadecimal(value)
  }
}
