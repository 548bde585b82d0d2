internal import OTLPMessages

/// What the profiles of one request share: texts, functions, places, stacks, each once.
///
/// Index 0 of every table is nothing. What nobody refers to should not be added.
public struct ProfileDictionary: Sendable {
  /// An index into one of the tables; 0 for nothing.
  public typealias Index = Int32

  /// A line of a place in code: a function, and where in it.
  public struct Line: Sendable, Hashable {
    /// The function.
    public var function: Index
    /// The source line; 0 for unknown.
    public var line: Int64

    /// Creates a line.
    public init(function: Index, line: Int64 = 0) {
      self.function = function
      self.line = line
    }
  }

  /// Values and their indices, each value once.
  private struct Table<Value: Hashable & Sendable>: Sendable {
    private var indices: [Value: Index]
    private(set) var values: [Value]

    init(zero: Value) {
      indices = [zero: 0]
      values = [zero]
    }

    mutating func index(of value: Value) -> Index {
      if let known = indices[value] { return known }
      let index = Index(values.count)
      indices[value] = index
      values.append(value)
      return index
    }
  }

  private struct Function: Hashable, Sendable {
    var name: Index = 0
    var systemName: Index = 0
    var file: Index = 0
  }

  private struct Mapping: Hashable, Sendable {
    var start: UInt64 = 0
    var end: UInt64 = 0
    var fileOffset: UInt64 = 0
    var file: Index = 0
    var attributes: [Index] = []
  }

  private struct Location: Hashable, Sendable {
    var mapping: Index = 0
    var address: UInt64 = 0
    var lines: [Line] = []
    var attributes: [Index] = []
  }

  private struct Link: Hashable, Sendable {
    var trace: TraceID?
    var span: SpanID?
  }

  private struct Entry: Hashable, Sendable {
    var key: Index = 0
    var value: AttributeValue?
    var unit: Index = 0
  }

  private var strings = Table(zero: "")
  private var functions = Table(zero: Function())
  private var mappings = Table(zero: Mapping())
  private var locations = Table(zero: Location())
  private var stacks = Table<[Index]>(zero: [])
  private var links = Table(zero: Link())
  private var attributes = Table(zero: Entry())

  /// An empty dictionary.
  public init() {}

  /// The index of a text.
  public mutating func string(_ text: String) -> Index { strings.index(of: text) }

  /// The index of a function.
  public mutating func function(name: String, systemName: String = "", file: String = "") -> Index {
    functions.index(
      of: Function(name: string(name), systemName: string(systemName), file: string(file)))
  }

  /// The index of a mapped file.
  public mutating func mapping(
    start: UInt64, end: UInt64, fileOffset: UInt64, file: String, attributes: [Index]
  ) -> Index {
    mappings.index(
      of: Mapping(
        start: start, end: end, fileOffset: fileOffset, file: string(file),
        attributes: attributes))
  }

  /// The index of a place in code; inlined functions come first among its lines.
  public mutating func location(
    mapping: Index, address: UInt64, lines: [Line], attributes: [Index] = []
  ) -> Index {
    locations.index(
      of: Location(mapping: mapping, address: address, lines: lines, attributes: attributes))
  }

  /// The index of a stack: places, the leaf first.
  public mutating func stack(_ locations: [Index]) -> Index { stacks.index(of: locations) }

  /// The index of a span.
  public mutating func link(trace: TraceID, span: SpanID) -> Index {
    links.index(of: Link(trace: trace, span: span))
  }

  /// The index of an attribute.
  public mutating func attribute(_ attribute: Attribute, unit: String = "") -> Index {
    attributes.index(
      of: Entry(key: string(attribute.key), value: attribute.value, unit: string(unit)))
  }
}

// MARK: - The message

extension ProfileDictionary {
  var message: Opentelemetry_Proto_Profiles_V1development_ProfilesDictionary {
    var message = Opentelemetry_Proto_Profiles_V1development_ProfilesDictionary()
    message.stringTable = strings.values
    message.functionTable = functions.values.map { function in
      var entry = Opentelemetry_Proto_Profiles_V1development_Function()
      entry.nameStrindex = function.name
      entry.systemNameStrindex = function.systemName
      entry.filenameStrindex = function.file
      return entry
    }
    message.mappingTable = mappings.values.map { mapping in
      var entry = Opentelemetry_Proto_Profiles_V1development_Mapping()
      entry.memoryStart = mapping.start
      entry.memoryLimit = mapping.end
      entry.fileOffset = mapping.fileOffset
      entry.filenameStrindex = mapping.file
      entry.attributeIndices = mapping.attributes
      return entry
    }
    message.locationTable = locations.values.map { location in
      var entry = Opentelemetry_Proto_Profiles_V1development_Location()
      entry.mappingIndex = location.mapping
      entry.address = location.address
      entry.lines = location.lines.map { line in
        var entry = Opentelemetry_Proto_Profiles_V1development_Line()
        entry.functionIndex = line.function
        entry.line = line.line
        return entry
      }
      entry.attributeIndices = location.attributes
      return entry
    }
    message.stackTable = stacks.values.map { stack in
      var entry = Opentelemetry_Proto_Profiles_V1development_Stack()
      entry.locationIndices = stack
      return entry
    }
    message.linkTable = links.values.map { link in
      var entry = Opentelemetry_Proto_Profiles_V1development_Link()
      // Readers expect the full length also of the link that is none.
      entry.traceID = link.trace?.data ?? TraceID.zero
      entry.spanID = link.span?.data ?? SpanID.zero
      return entry
    }
    message.attributeTable = attributes.values.map { attribute in
      var entry = Opentelemetry_Proto_Profiles_V1development_KeyValueAndUnit()
      entry.keyStrindex = attribute.key
      if let value = attribute.value { entry.value = value.message }
      entry.unitStrindex = attribute.unit
      return entry
    }
    return message
  }
}
