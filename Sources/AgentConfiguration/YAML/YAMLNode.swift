/// A value of a YAML document, and where it begins.
struct YAMLNode: Sendable, Hashable {
  /// A place in the text; lines and columns count from 1.
  struct Place: Sendable, Hashable {
    var line: Int
    var column: Int
  }

  /// What a value is made of.
  indirect enum Content: Sendable, Hashable {
    /// Text; `isPlain` when it stands without quotes, so that it may mean a number, a truth or nothing.
    case scalar(String, isPlain: Bool)
    case sequence([YAMLNode])
    /// In the order of the text; no key occurs twice.
    case mapping([Entry])
  }

  /// One line of a mapping.
  struct Entry: Sendable, Hashable {
    var key: String
    var place: Place
    var value: YAMLNode
  }

  var content: Content
  var place: Place
}

/// Why a text is not a YAML document that can be used.
struct YAMLFailure: Error, Sendable, Hashable {
  var place: YAMLNode.Place
  /// Lower case, no full stop.
  var message: String
}
