internal import EBPFObject

/// What reading a configuration finds wrong, and what every part of it needs.
final class ReadingContext {
  let file: String
  let references: VariableReferences
  private(set) var problems: [ConfigurationProblem] = []

  init(file: String, environment: [String: String]) {
    self.file = file
    references = VariableReferences(environment: environment)
  }

  func report(_ message: String, key: String, at place: YAMLNode.Place, hint: String? = nil) {
    problems.append(
      ConfigurationProblem(
        file: file, line: place.line, column: place.column, key: key, message: message, hint: hint))
  }
}

/// Reads one mapping of a configuration, key by key. What is wrong is reported, not thrown, so that a
/// reader learns of everything at once.
struct SettingReader {
  private let context: ReadingContext
  /// The keys around this mapping, joined by dots; empty for the outermost.
  private let path: String
  private let entries: [String: YAMLNode.Entry]
  private let order: [YAMLNode.Entry]

  /// A reader of the node's keys; of none when it is no mapping, which is reported.
  init(_ node: YAMLNode?, path: String, context: ReadingContext) {
    self.context = context
    self.path = path
    switch node?.content {
    case nil, .scalar("", isPlain: true)?, .scalar("~", isPlain: true)?,
      .scalar("null", isPlain: true)?:
      order = []
    case .mapping(let entries)?: order = entries
    case .scalar?, .sequence?:
      order = []
      if let node { context.report("takes keys with values", key: path, at: node.place) }
    }
    entries = Dictionary(order.map { ($0.key, $0) }) { first, _ in first }
  }

  /// The whole name of a key here.
  func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// Reports every key that is not one of these.
  func allow(_ keys: [String]) {
    for entry in order where !keys.contains(entry.key) {
      context.report(
        "there is no such key", key: name(entry.key), at: entry.place,
        hint: NearNames.hintOrList(for: entry.key, in: keys))
    }
  }

  /// Where a key stands; nil when it is not given.
  func place(_ key: String) -> YAMLNode.Place? { entries[key]?.place }

  /// The text of a key; nil when it is not given or empty.
  func text(_ key: String) -> String? {
    guard let entry = entries[key], let text = scalar(entry.value, name(key)) else { return nil }
    return text.isEmpty ? nil : text
  }

  /// What `parse` makes of a key's text; nil when it is not given, or when `parse` finds nothing in it,
  /// which is reported with the words for what it takes.
  func value<Value>(_ key: String, takes words: String, _ parse: (String) -> Value?) -> Value? {
    guard let text = text(key), let entry = entries[key] else { return nil }
    if let value = parse(text) { return value }
    context.report("takes \(words), not '\(text)'", key: name(key), at: entry.value.place)
    return nil
  }

  /// One of the cases of a type that is written as text.
  func choice<Value: RawRepresentable & CaseIterable>(_ key: String) -> Value?
  where Value.RawValue == String {
    let words = Value.allCases.map(\.rawValue).joined(separator: ", ")
    return value(key, takes: "one of \(words)") { Value(rawValue: $0) }
  }

  /// `true` or `false`.
  func flag(_ key: String) -> Bool? {
    value(key, takes: "true or false") { Bool($0) }
  }

  /// A whole number.
  func number<Number: FixedWidthInteger>(_ key: String, in range: ClosedRange<Number>) -> Number? {
    value(key, takes: "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
      Number(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// The texts of a list, each with its place; a single text is a list of one.
  func list(_ key: String) -> [(text: String, place: YAMLNode.Place)] {
    guard let entry = entries[key] else { return [] }
    let items: [YAMLNode]
    if case .sequence(let nodes) = entry.value.content {
      items = nodes
    } else {
      items = [entry.value]
    }
    return items.compactMap { item in
      scalar(item, name(key)).flatMap { $0.isEmpty ? nil : ($0, item.place) }
    }
  }

  /// The texts of a mapping, in order.
  func pairs(_ key: String) -> [(name: String, text: String, place: YAMLNode.Place)] {
    guard let entry = entries[key] else { return [] }
    let inner = SettingReader(entry.value, path: name(key), context: context)
    return inner.order.compactMap { pair in
      inner.scalar(pair.value, inner.name(pair.key)).map { (pair.key, $0, pair.place) }
    }
  }

  /// A mapping within this one, one without keys when it is empty; nil when it is not given.
  func group(_ key: String) -> SettingReader? {
    entries[key].map { SettingReader($0.value, path: name(key), context: context) }
  }

  /// The same, where `true` stands for a mapping without keys and `false` for none.
  func optionalGroup(_ key: String) -> SettingReader? {
    guard let entry = entries[key] else { return nil }
    if case .scalar(let text, isPlain: true) = entry.value.content, let wanted = Bool(text) {
      return wanted ? SettingReader(nil, path: name(key), context: context) : nil
    }
    return SettingReader(entry.value, path: name(key), context: context)
  }

  /// Reports something about the value of a key.
  func report(_ message: String, about key: String, hint: String? = nil) {
    guard let entry = entries[key] else { return }
    context.report(message, key: name(key), at: entry.value.place, hint: hint)
  }

  private func scalar(_ node: YAMLNode, _ name: String) -> String? {
    guard case .scalar(let text, let isPlain) = node.content else {
      context.report("takes one value", key: name, at: node.place)
      return nil
    }
    if isPlain, text == "~" || text == "null" { return nil }
    do throws(VariableReferences.Failure) { return try context.references.replaced(in: text) } catch
    {
      context.report(error.message, key: name, at: node.place)
      return nil
    }
  }
}
