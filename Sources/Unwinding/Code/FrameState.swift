/// What is known of the stack before one instruction: the distances of the registers from the CFA,
/// and where the caller's frame pointer is.
struct FrameState: Hashable {
  /// Where the caller's frame pointer is.
  enum Saved: Hashable {
    case unchanged
    /// At an offset from the CFA.
    case at(Int64)
    case lost
  }

  /// What the CFA is above the stack pointer; nil when that is not known.
  var stack: Int64?
  /// What the CFA is above the frame pointer; nil when it is used for something else.
  var pointer: Int64?
  var saved = Saved.unchanged
  /// The code has no caller.
  var isOutermost = false

  /// At the first instruction of a function: the return address was pushed.
  static let entry = FrameState(stack: 8)
  /// At the first instruction of a program, or of its loader: nothing called it.
  static let root = FrameState(isOutermost: true)

  /// Stacks of more than this are not believed.
  private static let largest: Int64 = 1 << 30

  mutating func apply(_ effect: MachineInstruction.Effect) {
    switch effect {
    case .none, .jump, .branch, .call, .address, .jumpAnywhere, .end: break
    case .push(let isFramePointer):
      moveStack(by: -8)
      if isFramePointer, saved == .unchanged, let stack { saved = .at(-stack) }
    case .pop(let isFramePointer): pop(isFramePointer)
    case .moveStack(let distance): moveStack(by: distance)
    case .setStack: stack = nil
    case .setFramePointerToStack(let distance):
      loseFramePointer()
      pointer = stack.map { $0 - distance }
    case .setStackToFramePointer(let distance): stack = pointer.map { $0 - distance }
    case .storeFramePointer(let distance):
      if saved == .unchanged, let stack { saved = .at(distance - stack) }
    case .leave:
      stack = pointer
      pop(true)
    case .setFramePointer: loseFramePointer()
    case .clearFramePointer:
      if saved == .unchanged { isOutermost = true } else { loseFramePointer() }
    }
    if let known = stack, abs(known) > Self.largest { stack = nil }
    if let known = pointer, abs(known) > Self.largest { pointer = nil }
  }

  private mutating func moveStack(by distance: Int64) { stack = stack.map { $0 - distance } }

  private mutating func pop(_ isFramePointer: Bool) {
    if isFramePointer {
      pointer = nil
      if let stack, saved == .at(-stack) { saved = .unchanged } else { loseFramePointer() }
    }
    moveStack(by: 8)
  }

  private mutating func loseFramePointer() {
    pointer = nil
    if saved == .unchanged { saved = .lost }
  }

  /// The state as a row.
  func row(at offset: UInt32) -> UnwindRow {
    if isOutermost { return UnwindRow(offset: offset, frame: .outermost) }
    let frame: UnwindRow.Frame
    let words: Int16
    if let stack, stack > 0, stack % 8 == 0, let fitting = Int16(exactly: stack / 8) {
      (frame, words) = (.stackPointer, fitting)
    } else if let pointer, pointer > 0, pointer % 8 == 0, let fitting = Int16(exactly: pointer / 8)
    {
      (frame, words) = (.framePointer, fitting)
    } else {
      return UnwindRow(offset: offset, frame: .unknown)
    }
    switch saved {
    case .unchanged: return UnwindRow(offset: offset, frame: frame, frameWords: words)
    case .at(let distance):
      guard distance % 8 == 0, let saved = Int8(exactly: distance / 8) else { fallthrough }
      return UnwindRow(
        offset: offset, frame: frame, frameWords: words, framePointer: .savedAtFrame,
        framePointerWords: saved)
    case .lost:
      return UnwindRow(offset: offset, frame: frame, frameWords: words, framePointer: .lost)
    }
  }
}
