extension Instruction {
  /// The size of an encoded instruction; a wide load takes two of them.
  public static let size = 8

  /// Reads the instructions of an object's code section.
  ///
  /// In a big-endian object not only the integers are swapped but the two registers also.
  public static func decode(_ bytes: Bytes, order: ByteOrder) throws(EBPFError) -> [Instruction] {
    guard bytes.count % size == 0 else {
      throw EBPFError(
        .malformed, "\(bytes.count) bytes of code are no whole number of 8-byte instructions",
        context: [.offset(UInt64(clamping: bytes.origin))],
        hint: "the section is damaged; compile the object again")
    }
    // The structure is the little-endian encoding.
    if order == .little, ByteOrder.host == .little { return bytes.values(of: Instruction.self) }
    var instructions: [Instruction] = []
    instructions.reserveCapacity(bytes.count / size)
    let span = bytes.span
    for index in 0..<bytes.count / size {
      guard let word: UInt64 = span.integer(at: index * size, order: order) else { break }
      instructions.append(Instruction(word: word, order: order))
    }
    return instructions
  }

  /// The bytes of a sequence of instructions, in the given order.
  public static func encode(_ instructions: [Instruction], order: ByteOrder = .host) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(instructions.count * size)
    for instruction in instructions {
      let word = instruction.word(order)
      for index in 0..<size {
        let shift = order == .little ? 8 * index : 56 - 8 * index
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
      }
    }
    return bytes
  }

  private init(word: UInt64, order: ByteOrder) {
    if order == .little {
      opcode = UInt8(truncatingIfNeeded: word)
      registers = UInt8(truncatingIfNeeded: word >> 8)
      offset = Int16(truncatingIfNeeded: word >> 16)
      immediate = Int32(truncatingIfNeeded: word >> 32)
    } else {
      opcode = UInt8(truncatingIfNeeded: word >> 56)
      let swapped = UInt8(truncatingIfNeeded: word >> 48)
      registers = swapped >> 4 | swapped << 4
      offset = Int16(truncatingIfNeeded: word >> 32)
      immediate = Int32(truncatingIfNeeded: word)
    }
  }

  private func word(_ order: ByteOrder) -> UInt64 {
    let offset = UInt64(UInt16(bitPattern: offset))
    let immediate = UInt64(UInt32(bitPattern: immediate))
    if order == .little {
      return UInt64(opcode) | UInt64(registers) << 8 | offset << 16 | immediate << 32
    }
    let swapped = UInt64(registers >> 4 | registers << 4)
    return UInt64(opcode) << 56 | swapped << 48 | offset << 32 | immediate
  }

  /// How far a jump goes, counted from the instruction after it; nil for anything but a jump.
  ///
  /// `gotol` keeps it in the immediate, all others in the offset. Calls and `exit` are no jumps.
  public var jumpDistance: Int? {
    switch opcode {
    case 0x06: return Int(immediate)
    case 0x85, 0x8d, 0x95: return nil
    default: return opcode & 7 == 5 || opcode & 7 == 6 ? Int(offset) : nil
    }
  }
}
