/// How to get from one frame to its caller, for the addresses from ``offset`` to the next row.
///
/// Eight bytes, read as they are by the kernel program that walks stacks:
///
/// | bits  | holds |
/// |-------|-------|
/// | 0–31  | the first address, relative to the table's base |
/// | 32–35 | ``Frame``: where the canonical frame address (CFA) is |
/// | 36–39 | ``FramePointer``: where the caller's frame pointer is |
/// | 40–47 | for the frame pointer: a signed number of 8-byte words |
/// | 48–63 | for the CFA: a signed number of 8-byte words |
///
/// The CFA is the value the stack pointer had before the call (DWARF 5, 6.4.1). The return address
/// is in the word below it.
public struct UnwindRow: Sendable, Hashable, BitwiseCopyable {
  /// The packed form.
  public let bits: UInt64

  /// Where the CFA is.
  public enum Frame: UInt8, Sendable, Hashable, CaseIterable {
    /// Nothing is known about these addresses.
    case unknown = 0
    /// At a distance from the stack pointer.
    case stackPointer = 1
    /// At a distance from the frame pointer.
    case framePointer = 2
    /// In the word at a distance from the frame pointer: a function that aligned its stack.
    case savedAtFramePointer = 3
    /// In the procedure linkage table: 8 or 16 bytes above the stack pointer, by the address.
    case linkageTable = 4
    /// A signal handler returns here: the interrupted registers are on the stack.
    case signal = 5
    /// The outermost frame: there is no caller.
    case outermost = 6
    /// The file says how, but in a way that a row cannot hold.
    case unsupported = 7
  }

  /// Where the caller's frame pointer is.
  public enum FramePointer: UInt8, Sendable, Hashable, CaseIterable {
    /// Still in the register.
    case unchanged = 0
    /// In the word at a distance from the CFA.
    case savedAtFrame = 1
    /// In the word at a distance from the frame pointer.
    case savedAtFramePointer = 2
    /// Nobody knows: it must not be used any more.
    case lost = 3
  }

  /// A row from its packed form.
  public init(bits: UInt64) { self.bits = bits }

  init(
    offset: UInt32, frame: Frame, frameWords: Int16 = 0, framePointer: FramePointer = .unchanged,
    framePointerWords: Int8 = 0
  ) {
    bits =
      UInt64(offset) | UInt64(frame.rawValue) << 32 | UInt64(framePointer.rawValue) << 36
      | UInt64(UInt8(bitPattern: framePointerWords)) << 40
      | UInt64(UInt16(bitPattern: frameWords)) << 48
  }

  /// The first address it holds for, relative to the table's base.
  public var offset: UInt32 { UInt32(truncatingIfNeeded: bits) }

  /// Where the CFA is.
  public var frame: Frame {
    Frame(rawValue: UInt8(truncatingIfNeeded: bits >> 32) & 15) ?? .unknown
  }

  /// The distance to the CFA, in words of 8 bytes.
  public var frameWords: Int { Int(Int16(truncatingIfNeeded: Int64(bitPattern: bits) >> 48)) }

  /// Where the caller's frame pointer is.
  public var framePointer: FramePointer {
    FramePointer(rawValue: UInt8(truncatingIfNeeded: bits >> 36) & 15) ?? .lost
  }

  /// The distance to the saved frame pointer, in words of 8 bytes.
  public var framePointerWords: Int {
    Int(Int8(truncatingIfNeeded: bits >> 40))
  }

  /// The same rule from another address on.
  func moved(to offset: UInt32) -> UnwindRow {
    UnwindRow(bits: bits & ~UInt64(UInt32.max) | UInt64(offset))
  }

  /// The same rule, whatever the address.
  func continues(_ other: UnwindRow) -> Bool { bits >> 32 == other.bits >> 32 }
}
