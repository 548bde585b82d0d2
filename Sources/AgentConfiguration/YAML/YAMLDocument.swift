internal import CYAML

/// Reads one YAML document through the system's libyaml.
///
/// Bounded whatever the text: its size, its depth and its number of values have limits, and aliases,
/// which could make a small text large, are refused.
enum YAMLDocument {
  /// The longest text, in bytes.
  static let byteLimit = 256 << 10
  /// The deepest nesting.
  static let depthLimit = 32
  /// The most values.
  static let nodeLimit = 20_000

  /// The document in a text; nil when there is none, only comments.
  static func parse(_ text: [UInt8]) throws(YAMLFailure) -> YAMLNode? {
    guard text.count <= byteLimit else {
      throw YAMLFailure(
        place: .init(line: 1, column: 1), message: "the text has more than \(byteLimit) bytes")
    }
    var builder = YAMLTreeBuilder()
    var failure: YAMLFailure?
    // SAFETY: the bytes outlive the parser, which is deleted before they go.
    unsafe text.withUnsafeBufferPointer { bytes in
      do throws(YAMLFailure) { try unsafe read(bytes, into: &builder) } catch { failure = error }
    }
    if let failure { throw failure }
    return builder.root
  }

  private static func read(
    _ bytes: UnsafeBufferPointer<UInt8>, into builder: inout YAMLTreeBuilder
  ) throws(YAMLFailure) {
    var parser = unsafe yaml_parser_t()
    guard unsafe yaml_parser_initialize(&parser) != 0 else {
      throw YAMLFailure(place: .init(line: 1, column: 1), message: "there is no memory to parse it")
    }
    defer { unsafe yaml_parser_delete(&parser) }
    unsafe yaml_parser_set_input_string(&parser, bytes.baseAddress, bytes.count)
    while true {
      var event = unsafe yaml_event_t()
      guard unsafe yaml_parser_parse(&parser, &event) != 0 else { throw unsafe failure(of: parser) }
      defer { unsafe yaml_event_delete(&event) }
      let place = unsafe self.place(event.start_mark)
      switch unsafe event.type {
      case YAML_SCALAR_EVENT:
        let isPlain = unsafe event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE
        try builder.addScalar(unsafe text(of: event), isPlain: isPlain, at: place)
      case YAML_SEQUENCE_START_EVENT: try builder.begin(isMapping: false, at: place)
      case YAML_MAPPING_START_EVENT: try builder.begin(isMapping: true, at: place)
      case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: try builder.end()
      case YAML_ALIAS_EVENT:
        throw YAMLFailure(place: place, message: "aliases (*name) are not used in this file")
      case YAML_STREAM_END_EVENT: return
      default: break
      }
    }
  }

  private static func text(of event: yaml_event_t) -> String {
    // SAFETY: libyaml's value has so many bytes, until the event is deleted.
    let bytes = unsafe UnsafeBufferPointer(
      start: event.data.scalar.value, count: event.data.scalar.length)
    return unsafe String(decoding: bytes, as: UTF8.self)
  }

  private static func failure(of parser: yaml_parser_t) -> YAMLFailure {
    let problem = unsafe parser.problem.map { unsafe String(cString: $0) }
    // An error of the reader, bytes that are not UTF-8, has an offset and no mark.
    return YAMLFailure(
      place: unsafe place(parser.problem_mark), message: problem ?? "it is not a YAML document")
  }

  private static func place(_ mark: yaml_mark_t) -> YAMLNode.Place {
    YAMLNode.Place(line: Int(clamping: mark.line) + 1, column: Int(clamping: mark.column) + 1)
  }
}
