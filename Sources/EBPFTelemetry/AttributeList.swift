internal import OTLP

/// Attributes in the making; texts are cut to a limit, and what is not known is left out.
struct AttributeList {
  private(set) var attributes: [Attribute] = []
  /// How many texts were cut.
  private(set) var truncated: UInt64 = 0
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  mutating func add(_ key: String, _ text: String?) {
    guard let text, !text.isEmpty else { return }
    if text.utf8.count > limit { truncated += 1 }
    attributes.append(Attribute(key, AttributeList.cut(text, to: limit)))
  }

  mutating func add(_ key: String, _ number: (some BinaryInteger)?) {
    if let number { attributes.append(Attribute(key, number)) }
  }

  mutating func add(_ key: String, _ flag: Bool) {
    attributes.append(Attribute(key, .boolean(flag)))
  }

  mutating func add(_ key: String, _ number: Double) {
    attributes.append(Attribute(key, .double(number)))
  }

  mutating func add(_ key: String, _ texts: [String]) {
    truncated += UInt64(texts.count { $0.utf8.count > limit })
    attributes.append(
      Attribute(key, .strings(texts.map { AttributeList.cut($0, to: limit) })))
  }

  /// As many whole characters as fit.
  static func cut(_ text: String, to limit: Int) -> String {
    guard text.utf8.count > limit else { return text }
    var end = text.utf8.index(text.startIndex, offsetBy: max(limit, 0))
    while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil {
      end = text.utf8.index(before: end)
    }
    return String(text[..<end])
  }
}
