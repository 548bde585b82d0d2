/// One 8-byte eBPF instruction, as the kernel takes it.
///
/// Fields and names follow the instruction set standard (RFC 9669, kernel document
/// `Documentation/bpf/standardization/instruction-set.rst`). A 64-bit immediate load takes two.
public struct Instruction: Sendable, Hashable, BitwiseCopyable {
  /// Class in bits 0–2; the rest depends on the class.
  public var opcode: UInt8
  /// Destination register in bits 0–3, source register in bits 4–7 (little-endian layout).
  public var registers: UInt8
  /// Signed offset: of a jump in instructions, of a memory access in bytes.
  public var offset: Int16
  /// Signed 32-bit immediate.
  public var immediate: Int32

  /// Creates an instruction from its fields.
  public init(
    opcode: UInt8, destination: UInt8 = 0, source: UInt8 = 0, offset: Int16 = 0,
    immediate: Int32 = 0
  ) {
    self.opcode = opcode
    registers = (destination & 0xf) | (source << 4)
    self.offset = offset
    self.immediate = immediate
  }

  /// The destination register, 0–10.
  public var destination: UInt8 {
    get { registers & 0xf }
    set { registers = (registers & 0xf0) | (newValue & 0xf) }
  }

  /// The source register, 0–10, or a pseudo value such as ``Pseudo/mapFD``.
  public var source: UInt8 {
    get { registers >> 4 }
    set { registers = (registers & 0xf) | (newValue << 4) }
  }

  /// True for the first half of a 64-bit immediate load (`BPF_LD | BPF_IMM | BPF_DW`).
  public var isWideLoad: Bool { opcode == Self.wideLoad }

  /// True for a call of any kind (`BPF_JMP | BPF_CALL`).
  public var isCall: Bool { opcode == Self.call }

  static let wideLoad: UInt8 = 0x18
  static let call: UInt8 = 0x85

  /// The meanings of ``source`` in wide loads and calls (`BPF_PSEUDO_*`, `linux/bpf.h`).
  public enum Pseudo {
    /// Wide load: the immediate is a map's descriptor.
    public static let mapFD: UInt8 = 1
    /// Wide load: the address of a map's value; the second immediate is the offset in it.
    public static let mapValue: UInt8 = 2
    /// Wide load: a kernel variable, by BTF id (`.ksyms`).
    public static let btfID: UInt8 = 3
    /// Wide load: the address of a function of this program, for callbacks.
    public static let function: UInt8 = 4
    /// Call: a function of this program; the immediate is relative to the next instruction.
    public static let call: UInt8 = 1
    /// Call: a kernel function, by BTF id.
    public static let kernelFunction: UInt8 = 2
  }
}
