/// How long a demangled name can become, found without demangling it.
///
/// A mangled name may refer to its own parts, and those to others: 200 bytes that double at each
/// reference become gigabytes, and no runtime's demangler stops. Here every part that is referred to
/// is taken to be all that was written before the first reference to it, so that the result is an
/// upper bound: a name within the bound is safe, and in practice (240,000 functions of the Swift
/// package manager) all but 62 are.
enum MangledGrowth {
  /// Names that could become longer than this are left mangled.
  static let limit = 64 << 20

  /// What a symbol of one character may stand for: `Ss` is `std::basic_string<char, …>`.
  private static let step = 8

  static func isBoundedSwift(_ name: [UInt8]) -> Bool {
    var growth = Growth()
    var index = 2
    var identifierEnd = 0
    while index < name.count, growth.size <= limit {
      switch name[index] {
      case 0x30:  // An identifier with word references: its letters are read as if they were code.
        index += 1
        growth.add(1)
      case 0x31...0x39:
        let isName = index == identifierEnd
        index = number(in: name, at: index, mayBeOther: !isName, &growth, &identifierEnd)
      case 0x41: index = substitution(in: name, at: index + 1, &growth)
      default:
        index += 1
        growth.add(step)
      }
    }
    return growth.size <= limit
  }

  /// Passes over `8argument`; a number that is an index, a repetition or a pass is no length.
  private static func number(
    in name: [UInt8], at start: Int, mayBeOther: Bool, _ growth: inout Growth,
    _ identifierEnd: inout Int
  ) -> Int {
    var index = start
    let value = natural(in: name, at: &index)
    if mayBeOther {
      if name[start - 1] == 0x53 {  // S2i: a standard type, repeated.
        growth.add(step.multipliedReportingOverflow(by: value))
        return index
      }
      if name[start - 2] == 0x54 { return start + 1 }  // Tg5: the pass that specialized it.
      if index < name.count, name[index] == 0x5f { return index }
    }
    growth.add(value + 2)
    identifierEnd = index + min(value, name.count - index)
    return identifierEnd
  }

  /// `A` and what follows: lower-case letters and at last an upper-case one name parts 0…25, each
  /// after an optional number of repetitions; `N_` and `_` name the parts from 26.
  private static func substitution(
    in name: [UInt8], at start: Int, _ growth: inout Growth
  ) -> Int {
    var index = start
    while index < name.count {
      let hasNumber = name[index].isDigit
      let value = hasNumber ? natural(in: name, at: &index) : 1
      guard index < name.count else { return index }
      switch name[index] {
      case 0x61...0x7a:
        growth.refer(to: Int(name[index]) - 0x61, times: value)
        index += 1
      case 0x41...0x5a:
        growth.refer(to: Int(name[index]) - 0x41, times: value)
        return index + 1
      case 0x5f:
        growth.refer(to: 26 + (hasNumber ? value + 1 : 0), times: 1)
        return index + 1
      default: return index
      }
    }
    return index
  }

  static func isBoundedCxx(_ name: [UInt8]) -> Bool {
    var growth = Growth()
    var index = 2
    // After a name another may follow at once, and nothing else that begins with a digit.
    var identifierEnd = 0
    while index < name.count, growth.size <= limit {
      let byte = name[index]
      if byte.isDigit {
        // A digit may also be part of a literal or an index; only a length hides what follows.
        var end = index
        let value = natural(in: name, at: &end)
        let before = name[index - 1]
        // `C1` and `D2` are constructors, `Li5E` a literal, `T0_` an index.
        let isOther =
          byte == 0x30 || end < name.count && name[end] == 0x5f && index != identifierEnd
          || index != identifierEnd
            && (before == 0x43 || before == 0x44 || before == 0x4c || before == 0x5f
              || (0x61...0x7a).contains(before))
        if isOther {
          index = end
        } else {
          growth.add(value + 2)
          index = end + min(value, name.count - end)
          identifierEnd = index
        }
      } else if byte == 0x53 || byte == 0x54, let end = reference(in: name, at: index + 1) {
        var key = byte == 0x53 ? 1 : 2
        for digit in name[(index + 1)..<end] { key = key &* 37 &+ Int(digit) }
        growth.refer(to: key, times: 1)
        index = end + 1
      } else {
        index += 1
        growth.add(step)
      }
    }
    return growth.size <= limit
  }

  /// The index of the `_` that ends `S_`, `S1A_`, `T_`, `T0_`.
  private static func reference(in name: [UInt8], at start: Int) -> Int? {
    var index = start
    while index < name.count, index - start < 6 {
      if name[index] == 0x5f { return index }
      guard name[index].isDigit || (0x41...0x5a).contains(name[index]) else { return nil }
      index += 1
    }
    return nil
  }

  /// Reads a decimal number, at most a million.
  private static func natural(in name: [UInt8], at index: inout Int) -> Int {
    var value = 0
    while index < name.count, name[index].isDigit {
      value = min(1_000_000, value * 10 + Int(name[index] - 0x30))
      index += 1
    }
    return value
  }

  /// The bound so far.
  private struct Growth {
    var size = 16
    /// The bound when a part was first referred to.
    private var parts: [Int: Int] = [:]

    mutating func add(_ amount: Int) { size = min(size + amount, limit + 1) }

    mutating func add(_ product: (Int, Bool)) { add(product.1 ? limit : min(product.0, limit)) }

    mutating func refer(to part: Int, times: Int) {
      let known = parts[part] ?? size
      parts[part] = known
      add(known.multipliedReportingOverflow(by: times))
    }
  }
}

extension UInt8 {
  var isDigit: Bool { self >= 0x30 && self <= 0x39 }
}
