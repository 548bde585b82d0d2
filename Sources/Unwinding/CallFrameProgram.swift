internal import EBPFObject

/// Runs the call frame instructions of one function (DWARF 5, 6.4.2).
struct CallFrameProgram {
  private let information: CallFrameInformation
  private let common: CallFrameInformation.Common
  private var rules = CallFrameRules()
  /// The rules that every function of this common entry begins with.
  private var initial = CallFrameRules()
  private var remembered: [CallFrameRules] = []
  private var address: UInt64 = 0

  /// As many states as any compiler nests; more is not believed.
  private static let depthLimit = 64

  /// Runs the common entry's own instructions; nil when they make no sense.
  init?(_ information: CallFrameInformation, common index: Int) {
    self.information = information
    common = information.commons[index]
    guard run(common.instructions, emit: { _, _ in }) else { return nil }
    initial = rules
  }

  /// Runs a function's instructions; `emit` gets each address from which other rules hold, in
  /// order. False when the instructions make no sense: from there on nothing is known.
  mutating func run(
    _ function: CallFrameInformation.Function, emit: (UInt64, CallFrameRules) -> Void
  ) -> Bool {
    rules = initial
    remembered.removeAll(keepingCapacity: true)
    address = function.start
    let isWhole = run(function.instructions, emit: emit)
    emit(address, isWhole ? rules : CallFrameRules())
    return isWhole
  }

  private mutating func run(
    _ range: Range<Int>, emit: (UInt64, CallFrameRules) -> Void
  ) -> Bool {
    var cursor = FrameCursor(information.bytes, from: range.lowerBound, to: range.upperBound)
    while let opcode = cursor.integer(UInt8.self) {
      let operand = UInt64(opcode & 0x3f)
      let isUnderstood: Bool
      switch opcode >> 6 {
      case 1: isUnderstood = advance(operand, emit)
      case 2: isUnderstood = offset(operand, cursor.unsigned())
      case 3:
        rules.restore(operand, from: initial)
        isUnderstood = true
      default: isUnderstood = runExtended(opcode, &cursor, emit)
      }
      guard isUnderstood else { return false }
    }
    return true
  }

  /// Moves to a later address: what was known until now is done.
  private mutating func advance(
    _ delta: UInt64?, _ emit: (UInt64, CallFrameRules) -> Void
  ) -> Bool {
    guard let delta,
      case (let bytes, false) = delta.multipliedReportingOverflow(by: common.codeAlignment),
      case (let next, false) = address.addingReportingOverflow(bytes)
    else { return false }
    if bytes > 0 { emit(address, rules) }
    address = next
    return true
  }

  /// The register is saved at the CFA plus a factored offset.
  private mutating func offset(_ register: UInt64?, _ factored: UInt64?) -> Bool {
    guard let factored, let factored = Int64(exactly: factored) else { return false }
    return offset(register, signed: factored)
  }

  private mutating func offset(_ register: UInt64?, signed factored: Int64?) -> Bool {
    guard let register, let factored,
      case (let offset, false) = factored.multipliedReportingOverflow(by: common.dataAlignment)
    else { return false }
    rules.set(register, .atFrame(offset: offset))
    return true
  }

  private mutating func defineFrame(_ register: UInt64?, _ offset: Int64?) -> Bool {
    guard let register, let offset else { return false }
    rules.frame = .register(register, offset: offset)
    return true
  }

  private func factored(_ value: Int64?) -> Int64? {
    guard let value,
      case (let product, false) = value.multipliedReportingOverflow(by: common.dataAlignment)
    else { return nil }
    return product
  }

  // The opcodes of DWARF 5, table 7.29, and of GNU.
  private mutating func runExtended(
    _ opcode: UInt8, _ cursor: inout FrameCursor, _ emit: (UInt64, CallFrameRules) -> Void
  ) -> Bool {
    switch opcode {
    case 0x00: return true  // nop
    case 0x01:  // set_loc
      guard
        let next = cursor.pointer(
          common.pointerEncoding, sectionAddress: information.address), next >= address
      else { return false }
      if next > address { emit(address, rules) }
      address = next
      return true
    case 0x02: return advance(cursor.integer(UInt8.self).map(UInt64.init), emit)
    case 0x03: return advance(cursor.integer(UInt16.self).map(UInt64.init), emit)
    case 0x04: return advance(cursor.integer(UInt32.self).map(UInt64.init), emit)
    case 0x05: return offset(cursor.unsigned(), cursor.unsigned())
    case 0x06:  // restore_extended
      guard let register = cursor.unsigned() else { return false }
      rules.restore(register, from: initial)
      return true
    case 0x07: return set(cursor.unsigned(), .undefined)
    case 0x08: return set(cursor.unsigned(), .unchanged)
    case 0x09:  // register: kept in another register
      guard let register = cursor.unsigned(), cursor.unsigned() != nil else { return false }
      return set(register, .other)
    case 0x0a:
      guard remembered.count < Self.depthLimit else { return false }
      remembered.append(rules)
      return true
    case 0x0b:
      guard let state = remembered.popLast() else { return false }
      rules = state
      return true
    case 0x0c:
      return defineFrame(cursor.unsigned(), cursor.unsigned().flatMap(Int64.init(exactly:)))
    case 0x0d:  // def_cfa_register
      guard case .register(_, let offset) = rules.frame else { return false }
      return defineFrame(cursor.unsigned(), offset)
    case 0x0e: return setFrameOffset(cursor.unsigned().flatMap(Int64.init(exactly:)))
    case 0x0f:  // def_cfa_expression
      guard let expression = FrameExpression(&cursor) else { return false }
      rules.frame = expression.frame
      return true
    case 0x10, 0x16:  // expression, val_expression
      guard let register = cursor.unsigned(), let expression = FrameExpression(&cursor) else {
        return false
      }
      return set(register, opcode == 0x10 ? expression.saved : .other)
    case 0x11: return offset(cursor.unsigned(), signed: cursor.signed())
    case 0x12: return defineFrame(cursor.unsigned(), factored(cursor.signed()))
    case 0x13: return setFrameOffset(factored(cursor.signed()))
    case 0x14:  // val_offset: the value itself, not where it is saved
      guard let register = cursor.unsigned(), cursor.unsigned() != nil else { return false }
      return set(register, .other)
    case 0x15:  // val_offset_sf
      guard let register = cursor.unsigned(), cursor.signed() != nil else { return false }
      return set(register, .other)
    case 0x2d: return true  // GNU_window_save, AARCH64_negate_ra_state
    case 0x2e: return cursor.unsigned() != nil  // GNU_args_size
    case 0x2f:  // GNU_negative_offset_extended
      guard let register = cursor.unsigned(),
        let offset = cursor.unsigned().flatMap(Int64.init(exactly:))
      else { return false }
      return self.offset(register, signed: -offset)
    default: return false
    }
  }

  private mutating func set(_ register: UInt64?, _ rule: CallFrameRules.Saved) -> Bool {
    guard let register else { return false }
    rules.set(register, rule)
    return true
  }

  private mutating func setFrameOffset(_ offset: Int64?) -> Bool {
    guard case .register(let register, _) = rules.frame else { return false }
    return defineFrame(register, offset)
  }
}
