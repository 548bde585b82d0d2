/// Prints instructions as `llvm-objdump -d --mcpu=v4` does, so that the two can be compared.
///
/// What is no instruction is `<unknown>`. Atomics are read more strictly than LLVM does: an immediate
/// with undefined bits is `<unknown>` here, as it is an error to the kernel.
public struct Disassembler: Sendable {
  /// One printed instruction.
  public struct Line: Sendable, Hashable {
    /// The index of the instruction; a wide load has two, and its line names the first.
    public var index: Int
    /// The instruction: `r1 = *(u64 *)(r10 - 0x8)`.
    public var text: String
    /// The index a jump goes to, which may be outside the program; nil for anything but a jump.
    public var target: Int?
  }

  /// Creates a disassembler.
  public init() {}

  /// Prints every instruction, in order.
  public func lines(_ instructions: [Instruction]) -> [Line] {
    var lines: [Line] = []
    lines.reserveCapacity(instructions.count)
    var index = 0
    while index < instructions.count {
      let instruction = instructions[index]
      let next = index + 1 < instructions.count ? instructions[index + 1] : nil
      let text = text(instruction, next: next)
      lines.append(
        Line(
          index: index, text: text ?? Self.unknown,
          target: text == nil ? nil : instruction.jumpDistance.map { index + 1 + $0 }))
      index += instruction.isWideLoad && text != nil ? 2 : 1
    }
    return lines
  }

  /// Prints one instruction; `next` is the second half of a wide load, and unused otherwise.
  public func text(of instruction: Instruction, next: Instruction? = nil) -> String {
    text(instruction, next: next) ?? Self.unknown
  }

  private static let unknown = "<unknown>"

  private func text(_ instruction: Instruction, next: Instruction?) -> String? {
    switch instruction.opcode & 7 {
    case 0: load(instruction, next: next)
    case 1: loadMemory(instruction)
    case 2: storeImmediate(instruction)
    case 3: storeRegister(instruction)
    case 4: arithmetic(instruction, width: .word)
    case 5: jump(instruction, width: .double)
    case 6: jump(instruction, width: .word)
    default: arithmetic(instruction, width: .double)
    }
  }
}

// MARK: - The parts of a line

extension Disassembler {
  /// The part of a register that an instruction works on.
  enum Width {
    case word
    case double

    var prefix: String { self == .word ? "w" : "r" }
  }

  /// A register's name; nil for a number that LLVM has no register for.
  func register(_ number: UInt8, _ width: Width = .double) -> String? {
    number <= 11 ? "\(width.prefix)\(number)" : nil
  }

  /// A number in hexadecimal with its sign in front: `-0x7`.
  func hexadecimal<Value: FixedWidthInteger>(_ value: Value) -> String {
    (value < 0 ? "-0x" : "0x") + String(value.magnitude, radix: 16)
  }

  /// A base register and an offset: `r10 - 0x8`.
  func address(_ base: UInt8, _ offset: Int16) -> String? {
    register(base).map {
      "\($0) \(offset < 0 ? "-" : "+") 0x" + String(offset.magnitude, radix: 16)
    }
  }

  /// The C type of a memory access, by the size bits of its opcode.
  func type(_ opcode: UInt8, signed: Bool = false) -> String {
    let bits =
      switch opcode & 0x18 {
      case 0x00: "32"
      case 0x08: "16"
      case 0x10: "8"
      default: "64"
      }
    return (signed ? "s" : "u") + bits
  }

  /// The registers that an access of this size uses: only 64-bit ones take the whole register.
  func width(_ opcode: UInt8) -> Width { opcode & 0x18 == 0x18 ? .double : .word }
}
