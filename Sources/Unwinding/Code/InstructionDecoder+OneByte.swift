/// Opcodes of one byte: table A-2 of the manual.
extension InstructionDecoder {
  mutating func oneByte(_ opcode: UInt8) -> MachineInstruction.Effect? {
    switch opcode {
    case 0x00...0x3f: return arithmetic(opcode)
    case 0x50...0x57:
      return .push(isFramePointer: opcode & 7 == MachineInstruction.framePointer && !extendsBase)
    case 0x58...0x5f:
      if opcode & 7 == MachineInstruction.stackPointer, !extendsBase { return .setStack }
      return .pop(isFramePointer: opcode & 7 == MachineInstruction.framePointer && !extendsBase)
    case 0x63: return operand().map { written(middle: $0) }
    case 0x68: return signed(immediateSize).map { _ in .push(isFramePointer: false) }
    case 0x6a: return signed(1).map { _ in .push(isFramePointer: false) }
    case 0x69, 0x6b:
      guard let operand = operand(), signed(opcode == 0x6b ? 1 : immediateSize) != nil else {
        return nil
      }
      return written(middle: operand)
    case 0x70...0x7f, 0xe0...0xe3: return signed(1).map { .branch($0) }
    case 0x80, 0x81, 0x83: return immediateArithmetic(size: opcode == 0x81 ? immediateSize : 1)
    case 0x84, 0x85: return operand().map { _ in .none }
    case 0x86, 0x87: return operand().map { writtenBoth($0) }
    case 0x88...0x8c, 0x8e: return move(opcode)
    case 0x8d: return address()
    case 0x8f: return operand().map { .pop(isFramePointer: isFramePointer($0)) }
    case 0x9c: return .push(isFramePointer: false)
    case 0x9d: return .pop(isFramePointer: false)
    case 0x6c...0x6f, 0x90...0x99, 0x9b, 0x9e, 0x9f, 0xa4...0xa7, 0xaa...0xaf, 0xd7, 0xec...0xef,
      0xf1, 0xf5, 0xf8...0xfd:
      return MachineInstruction.Effect.none
    case 0xa0...0xa3: return signed(hasShortAddress ? 4 : 8).map { _ in .none }
    case 0xa8, 0xb0...0xb7, 0xcd, 0xe4...0xe7: return signed(1).map { _ in .none }
    case 0xa9: return signed(immediateSize).map { _ in .none }
    case 0xb8...0xbf:
      guard signed(hasWideOperand ? 8 : immediateSize) != nil else { return nil }
      return written(opcode & 7, extended: extendsBase)
    case 0xc0, 0xc1, 0xc6: return withImmediate(1)
    case 0xc7: return withImmediate(immediateSize)
    case 0xc2, 0xca: return signed(2).map { _ in .end }
    case 0xc3, 0xcb, 0xcc, 0xcf, 0xf4: return .end
    case 0xc8: return signed(2).flatMap { _ in signed(1) }.map { _ in .setStack }
    case 0xc9: return .leave
    case 0xd0...0xd3: return operand().map { written($0) }
    case 0xd8...0xdf: return operand().map { _ in .none }
    case 0xe8: return signed(4).map { .call($0) }
    case 0xe9: return signed(4).map { .jump($0) }
    case 0xeb: return signed(1).map { .jump($0) }
    case 0xf6, 0xf7: return group3(opcode)
    case 0xfe: return operand().map { written($0) }
    case 0xff: return group5()
    default: return nil
    }
  }

  mutating func arithmetic(_ opcode: UInt8) -> MachineInstruction.Effect? {
    let isComparison = opcode >= 0x38
    switch opcode & 7 {
    case 0, 1:
      guard let operand = operand() else { return nil }
      if isComparison { return MachineInstruction.Effect.none }
      if opcode == 0x31, isCleared(operand) { return .clearFramePointer }
      return written(operand)
    case 2, 3:
      guard let operand = operand() else { return nil }
      if isComparison { return MachineInstruction.Effect.none }
      if opcode == 0x33, isCleared(operand) { return .clearFramePointer }
      return written(middle: operand)
    case 4: return signed(1).map { _ in .none }
    case 5: return signed(immediateSize).map { _ in .none }
    default: return nil
    }
  }

  /// `xor ebp, ebp`.
  func isCleared(_ operand: Operand) -> Bool {
    isFramePointer(operand) && operand.middle == MachineInstruction.framePointer
      && !extendsRegister
  }

  mutating func immediateArithmetic(size: Int) -> MachineInstruction.Effect? {
    guard let operand = operand(), let value = signed(size) else { return nil }
    if operand.middle == 7 { return MachineInstruction.Effect.none }
    guard operand.isRegister, operand.base == MachineInstruction.stackPointer, hasWideOperand else {
      return written(operand)
    }
    switch operand.middle {
    case 0: return .moveStack(value)
    case 5: return .moveStack(-value)
    default: return .setStack
    }
  }

  mutating func move(_ opcode: UInt8) -> MachineInstruction.Effect? {
    guard let operand = operand() else { return nil }
    let stack = MachineInstruction.stackPointer
    let pointer = MachineInstruction.framePointer
    guard opcode == 0x89 || opcode == 0x8b, hasWideOperand, !extendsRegister else {
      return opcode == 0x8b || opcode == 0x8a ? written(middle: operand) : written(operand)
    }
    if operand.isRegister, let base = operand.base {
      let (from, to) = opcode == 0x89 ? (operand.middle, base) : (base, operand.middle)
      if from == stack, to == pointer { return .setFramePointerToStack(0) }
      if from == pointer, to == stack { return .setStackToFramePointer(0) }
    }
    if opcode == 0x89, !operand.isRegister, operand.middle == pointer, operand.base == stack {
      return .storeFramePointer(operand.distance)
    }
    return opcode == 0x8b ? written(middle: operand) : written(operand)
  }

  /// `lea`.
  mutating func address() -> MachineInstruction.Effect? {
    guard let operand = operand(), !operand.isRegister else { return nil }
    if operand.isRelative {
      let effect = written(middle: operand)
      return effect == .none ? .address(operand.distance) : effect
    }
    guard hasWideOperand, !extendsRegister else { return written(middle: operand) }
    switch (operand.middle, operand.base) {
    case (MachineInstruction.stackPointer, MachineInstruction.stackPointer):
      return .moveStack(operand.distance)
    case (MachineInstruction.stackPointer, MachineInstruction.framePointer):
      return .setStackToFramePointer(operand.distance)
    case (MachineInstruction.framePointer, MachineInstruction.stackPointer):
      return .setFramePointerToStack(operand.distance)
    default: return written(middle: operand)
    }
  }

  mutating func withImmediate(_ size: Int) -> MachineInstruction.Effect? {
    guard let operand = operand(), signed(size) != nil else { return nil }
    return written(operand)
  }

  mutating func group3(_ opcode: UInt8) -> MachineInstruction.Effect? {
    guard let operand = operand() else { return nil }
    switch operand.middle {
    case 0, 1: return signed(opcode == 0xf6 ? 1 : immediateSize).map { _ in .none }
    case 2, 3: return written(operand)
    default: return MachineInstruction.Effect.none
    }
  }

  mutating func group5() -> MachineInstruction.Effect? {
    guard let operand = operand() else { return nil }
    switch operand.middle {
    case 0, 1: return written(operand)
    case 4, 5: return .jumpAnywhere
    case 6: return .push(isFramePointer: isFramePointer(operand))
    case 7: return nil
    default: return MachineInstruction.Effect.none
    }
  }
}
