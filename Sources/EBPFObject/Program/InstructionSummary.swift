/// What a program's instructions call and need, gathered in one pass over them.
struct InstructionSummary {
  /// The numbers of the helpers that are called, ascending.
  let helpers: [Int32]
  /// What is used beyond the first instruction set.
  let features: InstructionFeatures

  init(_ instructions: [Instruction]) {
    var features: InstructionFeatures = []
    // Every helper there is has a bit; other numbers are not expected.
    var known: (low: UInt64, middle: UInt64, high: UInt64, top: UInt64) = (0, 0, 0, 0)
    var unknown: Set<Int32> = []
    let span = instructions.span
    var index = 0
    while index < span.count {
      let instruction = span[index]
      index += instruction.isWideLoad ? 2 : 1
      if instruction.isCall {
        guard instruction.source == 0 else { continue }
        let bit = UInt64(1) << UInt64(instruction.immediate & 63)
        switch instruction.immediate {
        case 0..<64: known.low |= bit
        case 64..<128: known.middle |= bit
        case 128..<192: known.high |= bit
        case 192..<256: known.top |= bit
        default: unknown.insert(instruction.immediate)
        }
      } else if !instruction.isPlain {
        features.formUnion(instruction.features)
      }
    }
    var helpers: [Int32] = []
    for (first, bits) in [(0, known.low), (64, known.middle), (128, known.high), (192, known.top)] {
      var bits = bits
      while bits != 0 {
        helpers.append(Int32(first + bits.trailingZeroBitCount))
        bits &= bits - 1
      }
    }
    if !unknown.isEmpty {
      helpers += unknown
      helpers.sort()
    }
    self.helpers = helpers
    self.features = features
  }
}

/// Parts of the instruction set that came after the first.
///
/// Sources: `Documentation/bpf/standardization/instruction-set.rst` and the releases in which the
/// verifier learnt each.
struct InstructionFeatures: OptionSet {
  let rawValue: UInt16

  static let version2 = InstructionFeatures(rawValue: 1 << 0)
  static let jumps32 = InstructionFeatures(rawValue: 1 << 1)
  static let loops = InstructionFeatures(rawValue: 1 << 2)
  static let atomics = InstructionFeatures(rawValue: 1 << 3)
  static let functionAddresses = InstructionFeatures(rawValue: 1 << 4)
  static let version4 = InstructionFeatures(rawValue: 1 << 5)
  static let arenaCasts = InstructionFeatures(rawValue: 1 << 6)
  static let mayGoto = InstructionFeatures(rawValue: 1 << 7)
  static let acquireRelease = InstructionFeatures(rawValue: 1 << 8)

  /// The first kernel that has each, and what to say of it.
  static let all: [(feature: InstructionFeatures, version: KernelVersion, reason: String)] = [
    (
      .version2, KernelVersion(4, 14),
      "unsigned and signed less-than jumps are used (-mcpu=v2)"
    ),
    (.jumps32, KernelVersion(5, 1), "32-bit jumps are used (-mcpu=v3)"),
    (.loops, KernelVersion(5, 3), "loops are used"),
    (.atomics, KernelVersion(5, 12), "atomic operations beyond addition are used"),
    (.functionAddresses, KernelVersion(5, 13), "a function's address is taken (callbacks)"),
    (.version4, KernelVersion(6, 6), "instructions of version 4 are used (-mcpu=v4)"),
    (
      .arenaCasts, KernelVersion(6, 9), "addresses are cast between address spaces (arena)"
    ),
    (.mayGoto, KernelVersion(6, 9), "may_goto is used"),
    (.acquireRelease, KernelVersion(6, 15), "load-acquire or store-release is used"),
  ]
}

extension Instruction {
  /// True for 64-bit arithmetic of the first set: most instructions.
  fileprivate var isPlain: Bool { opcode & 7 == 7 && offset == 0 && opcode != 0xd7 }

  /// What this instruction needs beyond the first instruction set.
  fileprivate var features: InstructionFeatures {
    let (operation, usesRegister) = (opcode & 0xf0, opcode & 0x08 != 0)
    switch opcode & 0x07 {
    case 0x00:
      return isWideLoad && source == Pseudo.function ? .functionAddresses : []
    case 0x01:
      return opcode & 0xe0 == 0x80 ? .version4 : []
    case 0x03 where opcode & 0xe0 == 0xc0:
      switch immediate {
      case 0: return []
      case 0x100, 0x110: return .acquireRelease
      default: return .atomics
      }
    case 0x04, 0x07:
      if operation == 0xb0, usesRegister, opcode & 0x07 == 0x07, offset == 1 { return .arenaCasts }
      let isSigned =
        offset != 0 && (operation == 0x30 || operation == 0x90 || operation == 0xb0)
      return isSigned || opcode == 0xd7 ? .version4 : []
    case 0x05, 0x06:
      if opcode == 0x06 { return .version4 }
      if opcode == 0xe5 { return .mayGoto }
      if operation == 0x80 || operation == 0x90 { return [] }
      if offset < 0 { return .loops }
      if opcode & 0x07 == 0x06 { return .jumps32 }
      return operation >= 0xa0 ? .version2 : []
    default: return []
    }
  }
}
