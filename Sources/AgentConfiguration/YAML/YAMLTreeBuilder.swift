/// Makes a tree of the events of a parser.
struct YAMLTreeBuilder {
  /// The document's value, once it is complete.
  private(set) var root: YAMLNode?

  /// A mapping or sequence whose end has not come.
  private struct Open {
    let place: YAMLNode.Place
    let isMapping: Bool
    var items: [YAMLNode] = []
    var entries: [YAMLNode.Entry] = []
    /// Where each key of a mapping stands.
    var keys: [String: YAMLNode.Place] = [:]
    /// Of a mapping: the key whose value comes next.
    var key: (text: String, place: YAMLNode.Place)?
  }
  private var open: [Open] = []
  private var count = 0

  /// Adds a value without parts.
  mutating func addScalar(
    _ text: String, isPlain: Bool, at place: YAMLNode.Place
  ) throws(YAMLFailure) {
    try countOne(at: place)
    try put(YAMLNode(content: .scalar(text, isPlain: isPlain), place: place))
  }

  /// Begins a mapping or a sequence.
  mutating func begin(isMapping: Bool, at place: YAMLNode.Place) throws(YAMLFailure) {
    try countOne(at: place)
    guard open.count < YAMLDocument.depthLimit else {
      throw YAMLFailure(place: place, message: "nested more than \(YAMLDocument.depthLimit) deep")
    }
    open.append(Open(place: place, isMapping: isMapping))
  }

  /// Ends the mapping or sequence that began last.
  mutating func end() throws(YAMLFailure) {
    guard let last = open.popLast() else { return }
    let content: YAMLNode.Content = last.isMapping ? .mapping(last.entries) : .sequence(last.items)
    try put(YAMLNode(content: content, place: last.place))
  }

  private mutating func countOne(at place: YAMLNode.Place) throws(YAMLFailure) {
    count += 1
    guard count <= YAMLDocument.nodeLimit else {
      throw YAMLFailure(place: place, message: "more than \(YAMLDocument.nodeLimit) values")
    }
  }

  private mutating func put(_ node: YAMLNode) throws(YAMLFailure) {
    guard let last = open.indices.last else {
      guard root == nil else {
        throw YAMLFailure(place: node.place, message: "a second document begins here")
      }
      root = node
      return
    }
    guard open[last].isMapping else {
      open[last].items.append(node)
      return
    }
    if let key = open[last].key {
      open[last].entries.append(YAMLNode.Entry(key: key.text, place: key.place, value: node))
      open[last].key = nil
      return
    }
    guard case .scalar(let text, _) = node.content else {
      throw YAMLFailure(place: node.place, message: "a key must be a word")
    }
    if let known = open[last].keys.updateValue(node.place, forKey: text) {
      throw YAMLFailure(
        place: node.place, message: "the key '\(text)' is already given in line \(known.line)")
    }
    open[last].key = (text, node.place)
  }
}
