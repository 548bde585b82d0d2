internal import EBPFObject

/// Reads one instruction, byte by byte.
struct InstructionDecoder: ~Escapable {
  private let code: RawSpan
  private(set) var position: Int
  var hasWideOperand = false
  var hasHalfOperand = false
  var hasShortAddress = false
  var extendsRegister = false
  var extendsBase = false
  var extendsIndex = false

  @_lifetime(copy code)
  init(_ code: RawSpan, at position: Int) {
    self.code = code
    self.position = position
  }

  /// The operand after the opcode.
  struct Operand {
    /// A register and not memory.
    var isRegister: Bool
    /// The middle field: a register, or more of the opcode.
    var middle: UInt8
    /// The register that is the operand, or that the address begins with.
    var base: UInt8?
    var distance: Int64
    /// An address relative to the next instruction.
    var isRelative = false
  }

  mutating func byte() -> UInt8? {
    guard let value = code.integer(at: position, as: UInt8.self) else { return nil }
    position += 1
    return value
  }

  mutating func signed(_ size: Int) -> Int64? {
    defer { position += size }
    switch size {
    case 1: return code.integer(at: position, as: Int8.self).map(Int64.init)
    case 2: return code.integer(at: position, as: Int16.self).map(Int64.init)
    case 4: return code.integer(at: position, as: Int32.self).map(Int64.init)
    default: return code.integer(at: position, as: Int64.self)
    }
  }

  /// The size of an immediate operand that is never 8 bytes.
  var immediateSize: Int { hasHalfOperand ? 2 : 4 }

  mutating func decode() -> MachineInstruction.Effect? {
    while let opcode = byte() {
      switch opcode {
      case 0x66: hasHalfOperand = true
      case 0x67: hasShortAddress = true
      case 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0xf0, 0xf2, 0xf3: continue
      case 0x40...0x4f:
        hasWideOperand = opcode & 8 != 0
        extendsRegister = opcode & 4 != 0
        extendsIndex = opcode & 2 != 0
        extendsBase = opcode & 1 != 0
        return byte().flatMap { afterPrefixes($0) }
      default: return afterPrefixes(opcode)
      }
    }
    return nil
  }

  mutating func afterPrefixes(_ opcode: UInt8) -> MachineInstruction.Effect? {
    switch opcode {
    case 0x0f: return byte().flatMap { twoByte($0) }
    case 0xc4, 0xc5, 0x62: return vector(opcode)
    default: return oneByte(opcode)
    }
  }

  mutating func operand() -> Operand? {
    guard let mode = byte() else { return nil }
    var base = mode & 7
    let kind = mode >> 6
    var operand = Operand(
      isRegister: kind == 3, middle: mode >> 3 & 7, base: extendsBase ? nil : base, distance: 0)
    if kind == 3 { return operand }
    var size = kind == 1 ? 1 : kind == 2 ? 4 : 0
    var hasIndex = false
    if base == 4 {
      guard let scale = byte() else { return nil }
      base = scale & 7
      hasIndex = scale >> 3 & 7 != 4 || extendsIndex
      operand.base = extendsBase ? nil : base
    }
    if kind == 0, base == 5 {
      size = 4
      operand.isRelative = mode & 7 == 5
      operand.base = nil
    }
    if hasIndex { operand.base = nil }
    if size > 0 {
      guard let distance = signed(size) else { return nil }
      operand.distance = distance
    }
    return operand
  }

  // MARK: - What is written

  func isFramePointer(_ operand: Operand) -> Bool {
    operand.isRegister && operand.base == MachineInstruction.framePointer
  }

  func written(_ register: UInt8, extended: Bool) -> MachineInstruction.Effect {
    guard !extended else { return .none }
    switch register {
    case MachineInstruction.stackPointer: return .setStack
    case MachineInstruction.framePointer: return .setFramePointer
    default: return .none
    }
  }

  func written(_ operand: Operand) -> MachineInstruction.Effect {
    guard operand.isRegister, let base = operand.base else { return .none }
    return written(base, extended: false)
  }

  func written(middle operand: Operand) -> MachineInstruction.Effect {
    written(operand.middle, extended: extendsRegister)
  }

  func writtenBoth(_ operand: Operand) -> MachineInstruction.Effect {
    let effect = written(operand)
    return effect == .none ? written(middle: operand) : effect
  }
}
