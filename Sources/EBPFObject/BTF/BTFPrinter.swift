/// Writes types as `bpftool btf dump` does: one line for each, records indented below.
public struct BTFPrinter: Sendable {
  let btf: BTF

  /// Prints the types of one blob.
  public init(_ btf: BTF) { self.btf = btf }

  /// A type as `bpftool btf dump format raw` prints it, without the final line break.
  public func raw(_ id: UInt32) throws(EBPFError) -> String {
    var text: [UInt8] = []
    try appendRaw(id, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Appends what ``raw(_:)`` returns: for dumps of a whole blob.
  public func appendRaw(_ id: UInt32, to text: inout [UInt8]) throws(EBPFError) {
    let type = try btf.type(id)
    text.append("[")
    text.append(id)
    text.append("] ")
    text.append(type.kind.kernelName)
    text.append(" ")
    try appendName(type.nameOffset, to: &text)
    switch type.kind {
    case .int:
      let integer = try btf.integer(of: type)
      text.append(" size=", type.size)
      text.append(" bits_offset=", integer.bitOffset)
      text.append(" nr_bits=", integer.bitCount)
      text.append(" encoding=")
      text.append(Self.name(ofEncoding: integer.encoding))
    case .pointer, .const, .volatile, .restrict, .typedef, .typeTag:
      text.append(" type_id=", type.sizeOrType)
    case .array:
      let array = try btf.array(of: type)
      text.append(" type_id=", array.elementID)
      text.append(" index_type_id=", array.indexID)
      text.append(" nr_elems=", array.count)
    case .forward:
      text.append(type.kindFlag ? " fwd_kind=union" : " fwd_kind=struct")
    case .function:
      text.append(" type_id=", type.sizeOrType)
      text.append(" linkage=")
      text.append(Self.name(of: type.functionLinkage))
    case .variable:
      text.append(" type_id=", type.sizeOrType)
      text.append(", linkage=")
      text.append(Self.name(of: try btf.variableLinkage(of: type)))
    case .float:
      text.append(" size=", type.size)
    case .declarationTag:
      text.append(" type_id=", type.sizeOrType)
      text.append(" component_idx=")
      text.append(String(try btf.tagComponent(of: type)))
    default:
      try appendRecords(of: type, to: &text)
    }
  }

  private func appendRecords(of type: BTFType, to text: inout [UInt8]) throws(EBPFError) {
    switch type.kind {
    case .structure, .union:
      text.append(" size=", type.size)
      text.append(" vlen=", UInt32(type.count))
      for member in try btf.members(of: type) {
        text.append("\n\t")
        try appendName(member.nameOffset, to: &text)
        text.append(" type_id=", member.typeID)
        text.append(" bits_offset=", member.bitOffset)
        if member.bitFieldSize != 0 { text.append(" bitfield_size=", member.bitFieldSize) }
      }
    case .enumeration, .enumeration64:
      text.append(type.kindFlag ? " encoding=SIGNED" : " encoding=UNSIGNED")
      text.append(" size=", type.size)
      text.append(" vlen=", UInt32(type.count))
      for enumerator in try btf.enumerators(of: type) {
        text.append("\n\t")
        try appendName(enumerator.nameOffset, to: &text)
        text.append(" val=")
        text.append(enumerator.text)
        if type.kind == .enumeration64 { text.append(type.kindFlag ? "LL" : "ULL") }
      }
    case .functionPrototype:
      text.append(" ret_type_id=", type.sizeOrType)
      text.append(" vlen=", UInt32(type.count))
      for parameter in try btf.parameters(of: type) {
        text.append("\n\t")
        try appendName(parameter.nameOffset, to: &text)
        text.append(" type_id=", parameter.typeID)
      }
    case .dataSection:
      text.append(" size=", type.size)
      text.append(" vlen=", UInt32(type.count))
      for variable in try btf.variables(of: type) {
        text.append("\n\ttype_id=", variable.typeID)
        text.append(" offset=", variable.offset)
        text.append(" size=", variable.size)
        let target = try btf.type(variable.typeID)
        text.append(" (\(target.kind.kernelName) ")
        try appendName(target.nameOffset, to: &text)
        text.append(")")
      }
    default:
      break
    }
  }

  /// A name in quotes, byte by byte as it is in the blob.
  private func appendName(_ offset: UInt32, to text: inout [UInt8]) throws(EBPFError) {
    let (bytes, start) = try btf.place(ofString: offset)
    let span = bytes.span
    var position = start
    text.append("'")
    if span.byte(at: start) == 0 { text.append("(anon)") }
    while position < span.byteCount {
      let byte = span.byte(at: position)
      if byte == 0 { break }
      text.append(byte)
      position += 1
    }
    text.append("'")
  }

  private static func name(ofEncoding encoding: UInt32) -> String {
    switch encoding {
    case 0: "(none)"
    case 1: "SIGNED"
    case 2: "CHAR"
    case 4: "BOOL"
    default: "UNKN"
    }
  }

  private static func name(of linkage: BTFLinkage) -> String {
    switch linkage {
    case .static: "static"
    case .global: "global"
    case .extern: "extern"
    default: "(unknown)"
    }
  }
}

extension BTFEnumerator {
  /// The value in decimal, signed if the enumeration is.
  public var text: String { isSigned ? String(Int64(bitPattern: bits)) : String(bits) }
}

extension [UInt8] {
  fileprivate mutating func append(_ text: String) { append(contentsOf: text.utf8) }

  fileprivate mutating func append(_ label: String, _ value: UInt32) {
    append(label)
    append(value)
  }

  fileprivate mutating func append(_ value: UInt32) {
    let start = count
    var rest = value
    repeat {
      append(UInt8(truncatingIfNeeded: 0x30 + rest % 10))
      rest /= 10
    } while rest > 0
    self[start...].reverse()
  }
}
