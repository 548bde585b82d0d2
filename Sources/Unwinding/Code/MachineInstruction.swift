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
