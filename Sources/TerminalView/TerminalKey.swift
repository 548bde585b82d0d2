/// A key that was pressed.
package enum TerminalKey: Hashable, Sendable {
  /// A key that writes something.
  case character(Character)
  case up, down, left, right, pageUp, pageDown, home, end
  case enter, escape, tab, backspace, delete
  /// Control and a letter: `control("l")`.
  case control(Character)
}

/// Turns what a terminal sends into keys.
///
/// Sequences may arrive in pieces. What is not understood is left out, and nothing is kept longer than
/// a sequence may be.
package struct TerminalKeyReader: Sendable {
  /// No sequence that stands for a key is longer.
  private static let longestSequence = 32
  private var pending: [UInt8] = []

  package init() {}

  /// The keys in these bytes; the escape key is taken for itself when nothing follows it.
  package mutating func keys(_ bytes: [UInt8]) -> [TerminalKey] {
    var input = pending[...] + bytes[...]
    pending = []
    var keys: [TerminalKey] = []
    while let first = input.first {
      switch TerminalKeyReader.next(input, first) {
      case .key(let key, let length):
        if let key { keys.append(key) }
        input = input.dropFirst(length)
      case .incomplete:
        if input.count < TerminalKeyReader.longestSequence { pending = Array(input) }
        return keys
      }
    }
    return keys
  }

  private enum Step {
    case key(TerminalKey?, length: Int)
    case incomplete
  }

  private static func next(_ input: ArraySlice<UInt8>, _ first: UInt8) -> Step {
    switch first {
    case 0x1b: return sequence(input)
    case 0x0d, 0x0a: return .key(.enter, length: 1)
    case 0x09: return .key(.tab, length: 1)
    case 0x7f, 0x08: return .key(.backspace, length: 1)
    case 0x01...0x1a:
      return .key(.control(Character(Unicode.Scalar(first + 0x60))), length: 1)
    case 0x20..<0x7f: return .key(.character(Character(Unicode.Scalar(first))), length: 1)
    case 0xc2...0xf4: return character(input, length: first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4)
    default: return .key(nil, length: 1)
    }
  }

  private static func character(_ input: ArraySlice<UInt8>, length: Int) -> Step {
    let bytes = input.prefix(length)
    guard bytes.dropFirst().allSatisfy({ $0 & 0xc0 == 0x80 }) else { return .key(nil, length: 1) }
    guard bytes.count == length else { return .incomplete }
    guard let text = String(validating: bytes, as: UTF8.self), let character = text.first,
      let scalar = text.unicodeScalars.first, scalar.properties.generalCategory != .control
    else { return .key(nil, length: length) }
    return .key(.character(character), length: length)
  }

  /// What begins with the escape character: ECMA-48 control sequences (`ESC [ … final`), and the
  /// shorter ones of application mode (`ESC O final`).
  private static func sequence(_ input: ArraySlice<UInt8>) -> Step {
    let rest = input.dropFirst()
    guard let kind = rest.first else { return .key(.escape, length: 1) }
    switch kind {
    case UInt8(ascii: "["):
      let body = rest.dropFirst()
      guard let end = body.firstIndex(where: { 0x40...0x7e ~= $0 }) else {
        // A byte that no sequence has: what came before was none.
        if let bad = body.firstIndex(where: { !(0x20...0x3f ~= $0) }) {
          return .key(nil, length: bad - input.startIndex)
        }
        return .incomplete
      }
      if let bad = body[..<end].firstIndex(where: { !(0x20...0x3f ~= $0) }) {
        return .key(nil, length: bad - input.startIndex)
      }
      return .key(
        key(final: body[end], parameters: body[..<end]), length: end + 1 - input.startIndex)
    case UInt8(ascii: "O"):
      guard let final = rest.dropFirst().first else { return .incomplete }
      return .key(key(final: final, parameters: []), length: 3)
    // The escape key and then another; Alt with a key looks the same, and means nothing else here.
    default: return .key(.escape, length: 1)
    }
  }

  /// As xterm names them ("PC-Style Function Keys", "VT220-Style Function Keys").
  private static func key(final: UInt8, parameters: ArraySlice<UInt8>) -> TerminalKey? {
    switch Character(Unicode.Scalar(final)) {
    case "A": return .up
    case "B": return .down
    case "C": return .right
    case "D": return .left
    case "H": return .home
    case "F": return .end
    case "M": return .enter
    case "~":
      // A modifier may follow after a semicolon.
      let number = String(decoding: parameters.prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self)
      switch number {
      case "1", "7": return .home
      case "3": return .delete
      case "4", "8": return .end
      case "5": return .pageUp
      case "6": return .pageDown
      default: return nil
      }
    default: return nil
    }
  }
}
