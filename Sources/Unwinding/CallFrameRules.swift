/// What is known at one address: the rules for the CFA, the frame pointer and the return address
/// (DWARF 5, 6.4.1). Register numbers are those of the x86-64 psABI, figure 3.36.
struct CallFrameRules: Hashable {
  /// x86-64 register numbers that a row can speak of.
  enum Register {
    static let framePointer: UInt64 = 6
    static let stackPointer: UInt64 = 7
    static let returnAddress: UInt64 = 16
  }

  /// Where the CFA is.
  enum Frame: Hashable {
    case none
    case register(UInt64, offset: Int64)
    /// The word at the frame pointer plus an offset.
    case savedAtFramePointer(offset: Int64)
    case linkageTable
    case other
  }

  /// Where a register of the caller is.
  enum Saved: Hashable {
    case unchanged
    case atFrame(offset: Int64)
    case atFramePointer(offset: Int64)
    case undefined
    case other
  }

  var frame = Frame.none
  var framePointer = Saved.unchanged
  var returnAddress = Saved.unchanged

  /// Sets the rule of a register, when it is one that matters.
  mutating func set(_ register: UInt64, _ rule: Saved) {
    switch register {
    case Register.framePointer: framePointer = rule
    case Register.returnAddress: returnAddress = rule
    default: break
    }
  }

  /// Takes a register's rule from the state a function begins with.
  mutating func restore(_ register: UInt64, from initial: CallFrameRules) {
    switch register {
    case Register.framePointer: framePointer = initial.framePointer
    case Register.returnAddress: returnAddress = initial.returnAddress
    default: break
    }
  }

  /// The rules as a row.
  func row(at offset: UInt32, isSignal: Bool) -> UnwindRow {
    func row(_ frame: UnwindRow.Frame, _ words: Int16 = 0) -> UnwindRow {
      UnwindRow(offset: offset, frame: frame, frameWords: words)
    }
    if isSignal { return row(.signal) }
    if returnAddress == .undefined { return row(.outermost) }
    // The word below the CFA is where a call puts it.
    guard returnAddress == .atFrame(offset: -8) else {
      return row(frame == .none ? .unknown : .unsupported)
    }
    let kind: UnwindRow.Frame
    let distance: Int64
    switch frame {
    case .none: return row(.unknown)
    case .register(Register.stackPointer, let offset): (kind, distance) = (.stackPointer, offset)
    case .register(Register.framePointer, let offset): (kind, distance) = (.framePointer, offset)
    case .savedAtFramePointer(let offset): (kind, distance) = (.savedAtFramePointer, offset)
    case .linkageTable: (kind, distance) = (.linkageTable, 0)
    case .register, .other: return row(.unsupported)
    }
    guard distance % 8 == 0, let words = Int16(exactly: distance / 8) else {
      return row(.unsupported)
    }
    let (saved, savedWords) = packedFramePointer
    return UnwindRow(
      offset: offset, frame: kind, frameWords: words, framePointer: saved,
      framePointerWords: savedWords)
  }

  private var packedFramePointer: (UnwindRow.FramePointer, Int8) {
    let kind: UnwindRow.FramePointer
    let offset: Int64
    switch framePointer {
    case .unchanged: return (.unchanged, 0)
    case .atFrame(let distance): (kind, offset) = (.savedAtFrame, distance)
    case .atFramePointer(let distance): (kind, offset) = (.savedAtFramePointer, distance)
    case .undefined, .other: return (.lost, 0)
    }
    guard offset % 8 == 0, let words = Int8(exactly: offset / 8) else { return (.lost, 0) }
    return (kind, words)
  }
}
