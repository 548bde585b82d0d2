/// Opcodes after 0x0f, and instructions with a VEX or EVEX prefix.
extension InstructionDecoder {
  mutating func twoByte(_ opcode: UInt8) -> MachineInstruction.Effect? {
    switch opcode {
    case 0x0b: return .end
    case 0x05...0x09, 0x0e, 0x30...0x37, 0x77, 0xa2, 0xaa, 0xc8...0xcc, 0xce, 0xcf:
      return MachineInstruction.Effect.none
    case 0xcd: return written(MachineInstruction.framePointer, extended: extendsBase)
    case 0xa0, 0xa8: return .push(isFramePointer: false)
    case 0xa1, 0xa9: return .pop(isFramePointer: false)
    case 0x80...0x8f: return signed(4).map { .branch($0) }
    case 0x38: return byte().flatMap { _ in operand() }.map { written(middle: $0) }
    case 0x3a:
      guard byte() != nil, let operand = operand(), signed(1) != nil else { return nil }
      return writtenBoth(operand)
    case 0x0f, 0x70...0x73, 0xc2, 0xc4, 0xc6:
      return operand().flatMap { _ in signed(1) }.map { _ in .none }
    case 0xc5:
      return operand().flatMap { operand in signed(1).map { _ in written(middle: operand) } }
    case 0xa4, 0xac: return withImmediate(1)
    case 0xba:
      guard let operand = operand(), signed(1) != nil else { return nil }
      return operand.middle == 4 ? MachineInstruction.Effect.none : written(operand)
    case 0x02, 0x03, 0x2c, 0x2d, 0x40...0x4f, 0x50, 0xaf, 0xb6...0xb8, 0xbc...0xbf, 0xd7:
      return operand().map { written(middle: $0) }
    case 0x7e, 0x90...0x9f, 0xa5, 0xab, 0xad, 0xb0, 0xb1, 0xb3, 0xbb, 0xc7:
      return operand().map { written($0) }
    case 0xc0, 0xc1: return operand().map { writtenBoth($0) }
    default: return operand().map { _ in .none }
    }
  }

  /// With a VEX or EVEX prefix.
  mutating func vector(_ prefix: UInt8) -> MachineInstruction.Effect? {
    guard let first = byte() else { return nil }
    extendsRegister = first & 0x80 == 0
    var map: UInt8 = 1
    var source = ~first >> 3 & 15
    if prefix != 0xc5 {
      guard let second = byte() else { return nil }
      extendsIndex = first & 0x40 == 0
      extendsBase = first & 0x20 == 0
      map = first & (prefix == 0x62 ? 7 : 0x1f)
      source = ~second >> 3 & 15
      if prefix == 0x62, byte() == nil { return nil }
    }
    guard let opcode = byte() else { return nil }
    if map == 1, opcode == 0x77 { return MachineInstruction.Effect.none }
    guard let operand = operand() else { return nil }
    let hasImmediate: Bool
    switch (map, opcode) {
    case (1, 0x70...0x73), (1, 0xc2), (1, 0xc4...0xc6), (3, _): hasImmediate = true
    default: hasImmediate = false
    }
    if hasImmediate, signed(1) == nil { return nil }
    // Few of them write a general register.
    if map >= 2, opcode >= 0xf0, source == MachineInstruction.framePointer {
      return .setFramePointer
    }
    switch (map, opcode) {
    case (1, 0x2c), (1, 0x2d), (1, 0x50), (1, 0xc5), (1, 0xd7), (2, 0xf0...), (3, 0xf0...):
      return written(middle: operand)
    case (1, 0x7e), (3, 0x14...0x17): return written(operand)
    default: return MachineInstruction.Effect.none
    }
  }
}
