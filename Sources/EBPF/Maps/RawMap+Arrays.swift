internal import EBPFSystem

// Keys and values as arrays of bytes: what a command line or a generic tool works with.

extension RawMap {
  /// The value of `key`, or nil when the key is missing. For per-CPU maps all CPUs' values, each
  /// ``valueStride`` bytes.
  public func value(for key: [UInt8], locked: Bool = false) throws(EBPFError) -> [UInt8]? {
    var value = [UInt8](repeating: 0, count: elementSize)
    var span = value.mutableSpan
    var bytes = span.rawMutableBytes
    let found = try lookup(key.span.rawBytes, into: &bytes, locked: locked)
    return found ? value : nil
  }

  /// The value of `key` on each possible CPU, without padding; nil when the key is missing.
  public func valuesPerCPU(for key: [UInt8]) throws(EBPFError) -> [[UInt8]]? {
    guard let element = try value(for: key) else { return nil }
    return split(element)
  }

  /// An element's values, one for each CPU of a per-CPU map, without padding.
  public func split(_ element: [UInt8]) -> [[UInt8]] {
    (0..<valuesPerElement).map { cpu in
      Array(element[(cpu * valueStride)..<(cpu * valueStride + valueSize)])
    }
  }

  /// Writes the value of `key`.
  public func update(
    _ key: [UInt8], _ value: [UInt8], _ policy: UpdatePolicy = .any, locked: Bool = false
  ) throws(EBPFError) {
    try update(key.span.rawBytes, value.span.rawBytes, policy, locked: locked)
  }

  /// Writes the value of `key` on each possible CPU, in order.
  public func update(
    _ key: [UInt8], perCPU values: [[UInt8]], _ policy: UpdatePolicy = .any
  ) throws(EBPFError) {
    guard values.count == valuesPerElement else {
      throw EBPFError(
        .invalidArgument,
        "\(values.count) values were given, but map '\(name)' has \(valuesPerElement) in an element",
        context: [.map(name)])
    }
    var element: [UInt8] = []
    element.reserveCapacity(elementSize)
    for value in values {
      guard value.count == valueSize else {
        throw EBPFError(
          .invalidArgument,
          "the value is \(value.count) bytes, but values of map '\(name)' are \(valueSize) bytes",
          context: [.map(name)])
      }
      element += value
      element += repeatElement(0, count: valueStride - valueSize)
    }
    try update(key, element, policy)
  }

  /// Deletes `key`; false when it was not there.
  @discardableResult
  public func delete(_ key: [UInt8]) throws(EBPFError) -> Bool {
    try delete(key.span.rawBytes)
  }

  /// The value of `key`, which is deleted; nil when the key is missing.
  public func take(_ key: [UInt8]) throws(EBPFError) -> [UInt8]? {
    var value = [UInt8](repeating: 0, count: elementSize)
    var span = value.mutableSpan
    var bytes = span.rawMutableBytes
    return try take(key.span.rawBytes, into: &bytes) ? value : nil
  }

  // MARK: Queues, stacks and Bloom filters

  /// Adds a value to a queue, stack or Bloom filter. A full one is an error, unless `replacingOldest`.
  public func push(_ value: [UInt8], replacingOldest: Bool = false) throws(EBPFError) {
    let none: [UInt8] = []
    try update(none.span.rawBytes, value.span.rawBytes, replacingOldest ? .exists : .any)
  }

  /// Takes the next value of a queue or stack; nil when it is empty.
  public func pop() throws(EBPFError) -> [UInt8]? { try take([]) }

  /// Reads the next value of a queue or stack; nil when it is empty.
  public func peek() throws(EBPFError) -> [UInt8]? { try value(for: []) }

  /// Whether a Bloom filter may hold a value. False is certain.
  public func mightContain(_ value: [UInt8]) throws(EBPFError) -> Bool {
    var value = value
    var span = value.mutableSpan
    var bytes = span.rawMutableBytes
    let none: [UInt8] = []
    return try lookup(none.span.rawBytes, into: &bytes)
  }

  // MARK: Maps in maps

  /// The inner map in a slot; nil when there is none. Needs `CAP_SYS_ADMIN`: the kernel gives an id.
  public func innerMap(for key: [UInt8]) throws(EBPFError) -> RawMap? {
    guard let value = try value(for: key) else { return nil }
    let id = value.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return try RawMap.open(id: UInt32(littleEndian: id), kernel: kernel)
  }

  /// Puts a map into a slot; it must be like the template the outer map was created with.
  public func setInnerMap(
    _ inner: RawMap, for key: [UInt8], _ policy: UpdatePolicy = .any
  ) throws(EBPFError) {
    let descriptor = inner.fileDescriptor
    let value = (0..<4).map { UInt8(truncatingIfNeeded: descriptor.littleEndian >> ($0 * 8)) }
    do throws(EBPFError) { try update(key, value, policy) } catch {
      guard error.systemCall?.errno == Errno.invalid.rawValue else { throw error }
      var explained = error
      explained.message =
        "cannot put map '\(inner.name)' into map '\(name)': it differs from the template"
      explained.hint =
        "type, key size, value size and flags must be those of the inner map at creation; arrays of"
        + " another length need BPF_F_INNER_MAP (since Linux 5.10)"
      throw explained
    }
  }
}
