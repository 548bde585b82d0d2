/// Takes from a demangled Swift name what a reader of a profile does not need.
///
/// The runtime offers no simplified form, so this works on its text: prefixes that tell copies of a
/// function apart, private scopes, extension contexts and unmangled suffixes go.
enum SwiftNameSimplifier {
  static func simplify(_ name: String) -> String {
    var text = Array(name.utf8)
    var isSpecialized = false
    while true {
      if let rest = afterPrefix(text) {
        text = rest
      } else if let rest = afterSpecialization(text) {
        text = rest
        isSpecialized = true
      } else {
        break
      }
    }
    text = cutSuffix(text)
    text = removing(between: " (in _", and: 0x29, from: text)
    text = removing(between: "(extension in ", and: 0x3a, from: text)
    let result = String(decoding: text, as: UTF8.self)
    return isSpecialized ? "specialized " + result : result
  }

  private static let prefixes = [
    "merged ", "partial apply forwarder for ", "partial apply for ", "@nonobjc ", "@objc ",
    "dispatch thunk of ", "back deployment thunk for ", "distributed thunk ",
    "protocol witness for ",
  ]

  private static func afterPrefix(_ text: [UInt8]) -> [UInt8]? {
    for prefix in prefixes where text.starts(with: prefix.utf8) {
      return Array(text[prefix.utf8.count...])
    }
    // `(1) await resume partial function for …`, `(2) suspend resume partial function for …`
    guard text.first == 0x28 else { return nil }
    for kind in [") await resume partial function for ", ") suspend resume partial function for "] {
      let digits = text.dropFirst().prefix { $0.isDigit }
      guard !digits.isEmpty else { return nil }
      if text[digits.endIndex...].starts(with: kind.utf8) {
        return Array(text[(digits.endIndex + kind.utf8.count)...])
      }
    }
    return nil
  }

  private static let specializations = [
    "generic specialization <", "generic not re-abstracted specialization <",
    "generic partial specialization <", "generic pre-specialization <",
    "function signature specialization <", "inlined generic function <",
  ]

  /// What follows `generic specialization <…> of `.
  private static func afterSpecialization(_ text: [UInt8]) -> [UInt8]? {
    for prefix in specializations where text.starts(with: prefix.utf8) {
      var depth = 0
      for index in (prefix.utf8.count - 1)..<text.count {
        if text[index] == 0x3c { depth += 1 }
        // `->` is no bracket.
        if text[index] == 0x3e, text[index - 1] != 0x2d { depth -= 1 }
        guard depth == 0 else { continue }
        let rest = text[(index + 1)...]
        return rest.starts(with: " of ".utf8) ? Array(rest.dropFirst(4)) : nil
      }
    }
    return nil
  }

  /// The text before ` with unmangled suffix "…"` and ` in conformance …`.
  private static func cutSuffix(_ text: [UInt8]) -> [UInt8] {
    var end = text.count
    for suffix in [" with unmangled suffix \"", " in conformance "] {
      if let start = firstIndex(of: Array(suffix.utf8), in: text[..<end], from: 0) { end = start }
    }
    return Array(text[..<end])
  }

  /// The text without each `start…end`.
  private static func removing(
    between start: String, and end: UInt8, from text: [UInt8]
  ) -> [UInt8] {
    let opening = Array(start.utf8)
    var result: [UInt8] = []
    var position = 0
    while let found = firstIndex(of: opening, in: text[...], from: position),
      let close = text[found...].firstIndex(of: end)
    {
      result += text[position..<found]
      position = close + 1
    }
    return result + text[position...]
  }

  private static func firstIndex(
    of wanted: [UInt8], in text: ArraySlice<UInt8>, from start: Int
  ) -> Int? {
    guard text.endIndex - start >= wanted.count else { return nil }
    for index in start...(text.endIndex - wanted.count)
    where text[index] == wanted[0] && text[index...].starts(with: wanted) {
      return index
    }
    return nil
  }
}
