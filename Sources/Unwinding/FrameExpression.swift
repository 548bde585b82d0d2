/// A DWARF expression in call frame information: one of the few forms that compilers and linkers
/// write, or something else.
struct FrameExpression {
  private let operations: [UInt8]
  /// The offset of a lone `breg6 OFFSET` at the start, and how many bytes it takes.
  private let framePointerOffset: (offset: Int64, size: Int)?

  /// Reads a counted block. Nil when it runs over the end.
  init?(_ cursor: inout FrameCursor) {
    guard let count = cursor.unsigned(), let size = Int(exactly: count),
      size <= cursor.end - cursor.position
    else { return nil }
    let start = cursor.position
    var body = cursor
    guard cursor.skip(count) else { return nil }
    if body.integer(UInt8.self) == Operation.framePointer, let offset = body.signed(),
      body.position <= start + size
    {
      framePointerOffset = (offset, body.position - start)
    } else {
      framePointerOffset = nil
    }
    // Longer ones are none of those below.
    var operations: [UInt8] = []
    var reader = body.restarted(at: start)
    for _ in 0..<min(size, 16) {
      guard let byte = reader.integer(UInt8.self) else { return nil }
      operations.append(byte)
    }
    if size > 16 { operations.removeAll() }
    self.operations = operations
  }

  /// DWARF 5, table 7.9.
  private enum Operation {
    static let dereference: UInt8 = 0x06
    static let framePointer: UInt8 = 0x76  // breg6
  }

  /// What lld and GNU ld write for the procedure linkage table: the stack pointer plus 8, plus 8
  /// more once the entry has pushed its index (`rip & 15 >= 11`).
  private static let linkageTable: [UInt8] = [
    0x77, 0x08, 0x80, 0x00, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22,
  ]

  /// The expression as the CFA's rule.
  var frame: CallFrameRules.Frame {
    if operations == Self.linkageTable { return .linkageTable }
    if let (offset, size) = framePointerOffset {
      if operations.count == size {
        return .register(CallFrameRules.Register.framePointer, offset: offset)
      }
      if operations.count == size + 1, operations.last == Operation.dereference {
        return .savedAtFramePointer(offset: offset)
      }
    }
    return .other
  }

  /// The expression as the address where a register is saved.
  var saved: CallFrameRules.Saved {
    if let (offset, size) = framePointerOffset, operations.count == size {
      return .atFramePointer(offset: offset)
    }
    return .other
  }
}
