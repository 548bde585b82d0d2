// Writes a relocation's result into an instruction.

extension COREResult {
  /// The number of the helper that a poisoned instruction calls: 0xbad2310, "bad relo". No kernel has
  /// it, so that the verifier stops there if the instruction can be reached. libbpf uses the same.
  public static let poisonHelper: Int32 = 0xbad2310

  /// Patches the instruction at `index`, or poisons it; returns true if it poisoned it.
  func patch(_ instructions: inout [Instruction], at index: Int) throws(EBPFError) -> Bool {
    guard instructions.indices.contains(index) else {
      throw EBPFError(
        .malformed, "a CO-RE record for instruction \(index) of \(instructions.count)")
    }
    if isPoisoned {
      try poison(&instructions, at: index)
      return true
    }
    switch instructions[index].opcode & 7 {
    case 4, 7:  // BPF_ALU, BPF_ALU64
      guard instructions[index].opcode & 8 == 0 else {
        throw unexpected(instructions[index], "an arithmetic instruction without an immediate")
      }
      let found = UInt64(bitPattern: Int64(instructions[index].immediate))
      guard accepts(found) != nil else { throw wrongValue(found) }
      instructions[index].immediate = Int32(truncatingIfNeeded: targetValue)
    case 1, 2, 3:  // BPF_LDX, BPF_ST, BPF_STX
      return try patchAccess(&instructions, at: index)
    case 0:  // BPF_LD
      try patchWideLoad(&instructions, at: index)
    default:
      throw unexpected(instructions[index], "not an instruction that a CO-RE relocation can patch")
    }
    return false
  }

  private func patchAccess(
    _ instructions: inout [Instruction], at index: Int
  ) throws(EBPFError) -> Bool {
    let instruction = instructions[index]
    let found = UInt64(bitPattern: Int64(instruction.offset))
    guard !validates || found == localValue else { throw wrongValue(found) }
    guard let offset = Int16(exactly: targetValue) else {
      throw EBPFError(
        .unsupported, "the field is at \(targetValue), but a load reaches only 32767 bytes",
        hint: "read it with bpf_probe_read_kernel or bpf_core_read")
    }
    if hasSizeMismatch {
      try poison(&instructions, at: index)
      return true
    }
    instructions[index].offset = offset
    guard targetSize != localSize else { return false }
    let size = Self.accessSize(of: instruction)
    guard size == localSize else {
      throw unexpected(
        instruction, "a memory access of \(size) bytes, where the field has \(localSize)")
    }
    guard let code = Self.sizeCode(of: targetSize) else {
      throw unexpected(
        instruction, "the kernel's field has \(targetSize) bytes, more than one access reads")
    }
    instructions[index].opcode = (instruction.opcode & 0xe7) | code
    return false
  }

  private func patchWideLoad(
    _ instructions: inout [Instruction], at index: Int
  ) throws(EBPFError) {
    let first = instructions[index]
    guard first.isWideLoad, first.source == 0, first.offset == 0, index + 1 < instructions.count,
      instructions[index + 1].opcode == 0, instructions[index + 1].registers == 0,
      instructions[index + 1].offset == 0
    else { throw unexpected(first, "not a 64-bit load of a plain number") }
    let low = UInt64(UInt32(bitPattern: first.immediate))
    let high = UInt64(UInt32(bitPattern: instructions[index + 1].immediate))
    guard let value = accepts(high << 32 | low) else { throw wrongValue(high << 32 | low) }
    instructions[index].immediate = Int32(truncatingIfNeeded: value)
    instructions[index + 1].immediate = Int32(truncatingIfNeeded: value >> 32)
  }

  /// The value to write in place of `found`; nil when `found` is not what the object's types say.
  ///
  /// A 32-bit enumerator with its top bit set is extended with ones by some compilers and with zeros
  /// by others; the new value is extended as the old one was.
  private func accepts(_ found: UInt64) -> UInt64? {
    if !validates || found == localValue { return targetValue }
    guard isUnsignedWord, found == localValue & 0xffff_ffff else { return nil }
    return targetValue & 0xffff_ffff
  }

  private func poison(_ instructions: inout [Instruction], at index: Int) throws(EBPFError) {
    let call = Instruction(opcode: 0x85, immediate: Self.poisonHelper)
    if instructions[index].isWideLoad {
      guard index + 1 < instructions.count else {
        throw unexpected(instructions[index], "the second half of a 64-bit load is missing")
      }
      instructions[index + 1] = call
    }
    instructions[index] = call
  }

  private func unexpected(_ instruction: Instruction, _ what: String) -> EBPFError {
    EBPFError(
      .malformed,
      "a CO-RE record for an instruction with opcode 0x"
        + "\(String(instruction.opcode, radix: 16)): \(what)")
  }

  private func wrongValue(_ found: UInt64) -> EBPFError {
    EBPFError(
      .malformed, "a CO-RE record expects \(localValue) in its instruction, which has \(found)",
      hint: "the object was changed after it was compiled; compile it again")
  }

  private static func accessSize(of instruction: Instruction) -> UInt32 {
    switch instruction.opcode & 0x18 {
    case 0x00: 4
    case 0x08: 2
    case 0x10: 1
    default: 8
    }
  }

  private static func sizeCode(of size: UInt32) -> UInt8? {
    switch size {
    case 4: 0x00
    case 2: 0x08
    case 1: 0x10
    case 8: 0x18
    default: nil
    }
  }
}
