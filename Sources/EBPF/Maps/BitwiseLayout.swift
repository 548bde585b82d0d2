internal import EBPFSystem

/// What can be said about a Swift type whose bytes are exchanged with the kernel.
struct BitwiseLayout {
  /// The bytes that belong to a field; the rest is padding.
  private(set) var fieldBytes = 0
  /// A field whose type has bit patterns without a meaning, as `name: Type`.
  private(set) var badField: String?

  /// Looks at a type once, through its reflection.
  init<Value: BitwiseCopyable>(of type: Value.Type) {
    guard let zero = BitwiseBytes.fill(Value.self, { _ in true }) else { return }
    add(zero, name: "")
  }

  private mutating func add(_ value: Any, name: String) {
    // Asking whether a type conforms to a protocol takes the runtime a fraction of a millisecond, the
    // first time for each type: structures are told by their members.
    guard !Self.isPlainNumber(type(of: value)) else {
      fieldBytes += size(of: value)
      return
    }
    let before = self
    let mirror = Mirror(reflecting: value)
    let isContainer = mirror.displayStyle == .struct || mirror.displayStyle == .tuple
    if isContainer, !mirror.children.isEmpty || size(of: value) == 0 {
      for child in mirror.children {
        let label = child.label ?? "?"
        add(child.value, name: name.isEmpty ? label : "\(name).\(label)")
      }
    } else {
      badField = badField ?? (name.isEmpty ? "\(type(of: value))" : "\(name): \(type(of: value))")
    }
    // A number or an array is known as a whole, whatever it is made of.
    if before.badField == nil, badField != nil {
      var known = before
      if known.addKnown(value, name: name) { self = known }
    }
  }

  /// False for what is neither a number nor an inline array.
  private mutating func addKnown(_ value: Any, name: String) -> Bool {
    if let integer = value as? any FixedWidthInteger {
      fieldBytes += integer.bitWidth / 8
    } else if value is any BinaryFloatingPoint {
      fieldBytes += size(of: value)
    } else if let array = value as? any InlineElements {
      array.addElements(to: &self, name: name)
    } else {
      return false
    }
    return true
  }

  private static func isPlainNumber(_ type: Any.Type) -> Bool {
    type == UInt64.self || type == UInt32.self || type == UInt16.self || type == UInt8.self
      || type == Int64.self || type == Int32.self || type == Int16.self || type == Int8.self
  }

  private func size(of value: Any) -> Int {
    func open<Value>(_ value: Value) -> Int { MemoryLayout<Value>.size }
    return open(value)
  }

  fileprivate mutating func add<Element>(_ element: Element, count: Int, name: String) {
    var one = self
    one.fieldBytes = 0
    one.add(element as Any, name: name + "[]")
    fieldBytes += one.fieldBytes * count
    badField = one.badField
  }
}

/// An inline array, whose elements reflection does not show.
private protocol InlineElements {
  func addElements(to layout: inout BitwiseLayout, name: String)
}

extension InlineArray: InlineElements {
  fileprivate func addElements(to layout: inout BitwiseLayout, name: String) {
    guard count > 0 else { return }
    layout.add(self[0], count: count, name: name)
  }
}

extension BitwiseLayout {
  /// Refuses a key type that cannot be the key of a map with keys of this size.
  static func checkKey<Key: BitwiseCopyable>(
    _ type: Key.Type, map: RawMap
  ) throws(EBPFError) {
    let size = MemoryLayout<Key>.size
    func mismatch(_ message: String, hint: String) -> EBPFError {
      EBPFError(.layoutMismatch, message, context: [.map(map.name)], hint: hint)
    }
    let layout = BitwiseLayout(of: Key.self)
    if let field = layout.badField { throw badType("key", field, map) }
    let tail = MemoryLayout<Key>.stride - size
    guard layout.fieldBytes == size, !(size != map.keySize && size + tail == map.keySize) else {
      let padding = map.keySize > size ? tail : size - layout.fieldBytes
      throw mismatch(
        "key type \(Key.self) has \(padding) bytes of padding, which the kernel would hash too",
        hint: "name the padding as fields and set them to 0")
    }
    guard size == map.keySize else {
      throw mismatch(
        "key type \(Key.self) is \(size) bytes, but keys of map '\(map.name)' are \(map.keySize)"
          + " bytes", hint: "use a type with the layout of the C key type")
    }
  }

  /// Refuses a value type that cannot be the value of a map with values of this size.
  static func checkValue<Value: BitwiseCopyable>(
    _ type: Value.Type, map: RawMap
  ) throws(EBPFError) {
    if let field = BitwiseLayout(of: Value.self).badField { throw badType("value", field, map) }
    // C counts the padding at the end, Swift does not.
    guard map.valueSize == MemoryLayout<Value>.size || map.valueSize == MemoryLayout<Value>.stride
    else {
      throw EBPFError(
        .layoutMismatch,
        "value type \(Value.self) is \(MemoryLayout<Value>.size) bytes, but values of map"
          + " '\(map.name)' are \(map.valueSize) bytes", context: [.map(map.name)],
        hint: "use a type with the layout of the C value type")
    }
  }

  private static func badType(_ what: String, _ field: String, _ map: RawMap) -> EBPFError {
    EBPFError(
      .layoutMismatch, "the \(what) type holds '\(field)', for which not every byte is a value",
      context: [.map(map.name)],
      hint: "use integers, floating point, and structures, tuples and inline arrays of them")
  }
}
