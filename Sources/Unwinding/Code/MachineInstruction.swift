internal import EBPFObject

/// One x86-64 instruction: how long it is, and what it does to the stack and frame pointers.
///
/// Lengths follow the opcode maps of Intel's manual, volume 2, appendix A; of most instructions
/// nothing else is known.
struct MachineInstruction: Hashable {
  /// What matters for unwinding. Distances are in bytes.
  enum Effect: Hashable {
    case none
    case push(isFramePointer: Bool)
    case pop(isFramePointer: Bool)
    /// The stack pointer is moved up.
    case moveStack(Int64)
    /// The stack pointer gets a value that is not known.
    case setStack
    /// The frame pointer becomes the stack pointer plus a distance.
    case setFramePointerToStack(Int64)
    /// The stack pointer becomes the frame pointer plus a distance.
    case setStackToFramePointer(Int64)
    /// The frame pointer is stored at a distance from the stack pointer.
    case storeFramePointer(Int64)
    case leave
    /// The frame pointer gets a value that is not known.
    case setFramePointer
    /// The frame pointer becomes 0: the mark of the outermost frame.
    case clearFramePointer
    /// To a distance from the next instruction, always or perhaps.
    case jump(Int64)
    case branch(Int64)
    case call(Int64)
    /// The address at a distance from the next instruction goes into a register.
    case address(Int64)
    /// To where a register or a table says.
    case jumpAnywhere
    /// Nothing comes after it.
    case end
  }

  let length: Int
  let effect: Effect

  static let longest = 15
  static let stackPointer: UInt8 = 4
  static let framePointer: UInt8 = 5
}

extension MachineInstruction {
  /// Reads the instruction at a place; nil when it is none, or is not all there.
  init?(_ code: RawSpan, at position: Int) {
    var decoder = InstructionDecoder(code, at: position)
    guard let effect = decoder.decode(), decoder.position - position <= Self.longest else {
      return nil
    }
    length = decoder.position - position
    self.effect = effect
  }
}

/// Reads one instruction, byte by byte.
struct InstructionDecoder: ~Escapable {
  private let code: RawSpan
  private(set) var position: Int
  private var hasWideOperand = false
  private var hasHalfOperand = false
  private var hasShortAddress = false
  private var extendsRegister = false
  private var extendsBase = false
  private var extendsIndex = false

  @_lifetime(copy code)
  init(_ code: RawSpan, at position: Int) {
    self.code = code
    self.position = position
  }

  /// The operand after the opcode.
  private struct Operand {
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

  private mutating func byte() -> UInt8? {
    guard let value = code.integer(at: position, as: UInt8.self) else { return nil }
    position += 1
    return value
  }

  private mutating func signed(_ size: Int) -> Int64? {
    defer { position += size }
    switch size {
    case 1: return code.integer(at: position, as: Int8.self).map(Int64.init)
    case 2: return code.integer(at: position, as: Int16.self).map(Int64.init)
    case 4: return code.integer(at: position, as: Int32.self).map(Int64.init)
    default: return code.integer(at: position, as: Int64.self)
    }
  }

  /// The size of an immediate operand that is never 8 bytes.
  private var immediateSize: Int { hasHalfOperand ? 2 : 4 }

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

  private mutating func afterPrefixes(_ opcode: UInt8) -> MachineInstruction.Effect? {
    switch opcode {
    case 0x0f: return byte().flatMap { twoByte($0) }
    case 0xc4, 0xc5, 0x62: return vector(opcode)
    default: return oneByte(opcode)
    }
  }

  private mutating func operand() -> Operand? {
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

  // MARK: - One byte

  private mutating func oneByte(_ opcode: UInt8) -> MachineInstruction.Effect? {
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

  private mutating func arithmetic(_ opcode: UInt8) -> MachineInstruction.Effect? {
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
  private func isCleared(_ operand: Operand) -> Bool {
    isFramePointer(operand) && operand.middle == MachineInstruction.framePointer
      && !extendsRegister
  }

  private mutating func immediateArithmetic(size: Int) -> MachineInstruction.Effect? {
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

  private mutating func move(_ opcode: UInt8) -> MachineInstruction.Effect? {
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
  private mutating func address() -> MachineInstruction.Effect? {
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

  private mutating func withImmediate(_ size: Int) -> MachineInstruction.Effect? {
    guard let operand = operand(), signed(size) != nil else { return nil }
    return written(operand)
  }

  private mutating func group3(_ opcode: UInt8) -> MachineInstruction.Effect? {
    guard let operand = operand() else { return nil }
    switch operand.middle {
    case 0, 1: return signed(opcode == 0xf6 ? 1 : immediateSize).map { _ in .none }
    case 2, 3: return written(operand)
    default: return MachineInstruction.Effect.none
    }
  }

  private mutating func group5() -> MachineInstruction.Effect? {
    guard let operand = operand() else { return nil }
    switch operand.middle {
    case 0, 1: return written(operand)
    case 4, 5: return .jumpAnywhere
    case 6: return .push(isFramePointer: isFramePointer(operand))
    case 7: return nil
    default: return MachineInstruction.Effect.none
    }
  }

  // MARK: - More bytes

  private mutating func twoByte(_ opcode: UInt8) -> MachineInstruction.Effect? {
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
  private mutating func vector(_ prefix: UInt8) -> MachineInstruction.Effect? {
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

  // MARK: - What is written

  private func isFramePointer(_ operand: Operand) -> Bool {
    operand.isRegister && operand.base == MachineInstruction.framePointer
  }

  private func written(_ register: UInt8, extended: Bool) -> MachineInstruction.Effect {
    guard !extended else { return .none }
    switch register {
    case MachineInstruction.stackPointer: return .setStack
    case MachineInstruction.framePointer: return .setFramePointer
    default: return .none
    }
  }

  private func written(_ operand: Operand) -> MachineInstruction.Effect {
    guard operand.isRegister, let base = operand.base else { return .none }
    return written(base, extended: false)
  }

  private func written(middle operand: Operand) -> MachineInstruction.Effect {
    written(operand.middle, extended: extendsRegister)
  }

  private func writtenBoth(_ operand: Operand) -> MachineInstruction.Effect {
    let effect = written(operand)
    return effect == .none ? written(middle: operand) : effect
  }
}
