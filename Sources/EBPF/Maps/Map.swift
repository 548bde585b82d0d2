internal import EBPFSystem

/// A map whose keys and values are Swift types with the layout of the C types.
///
/// Sizes are checked once, when it is made. Keys with padding are refused: the kernel hashes the
/// padding too. Types hold integers and floating point, and structures, tuples and inline arrays of
/// those. For per-CPU maps see ``PerCPUMap``.
public struct Map<Key: BitwiseCopyable & Sendable, Value: BitwiseCopyable & Sendable>: Sendable {
  /// The map as bytes, with everything that does not depend on the types.
  public let raw: RawMap

  /// Gives a map its types.
  public init(_ raw: RawMap) throws(EBPFError) {
    try BitwiseLayout.checkKey(Key.self, map: raw)
    try BitwiseLayout.checkValue(Value.self, map: raw)
    guard !raw.type.isPerCPU else {
      throw EBPFError(
        .invalidArgument, "map '\(raw.name)' has a value for each CPU", context: [.map(raw.name)],
        hint: "use PerCPUMap")
    }
    self.raw = raw
  }

  /// The value of `key`, or nil when the key is missing. Costs one system call, no allocation.
  public func value(for key: Key, locked: Bool = false) throws(EBPFError) -> Value? {
    try BitwiseBytes.read(key) { (key: RawSpan) throws(EBPFError) in
      try BitwiseBytes.fill(Value.self, byteCount: raw.valueSize) {
        (value: inout MutableRawSpan) throws(EBPFError) in
        try raw.lookup(key, into: &value, locked: locked)
      }
    }
  }

  /// Writes the value of `key`.
  public func update(
    _ key: Key, _ value: Value, _ policy: UpdatePolicy = .any, locked: Bool = false
  ) throws(EBPFError) {
    try BitwiseBytes.read(key) { (key: RawSpan) throws(EBPFError) in
      try BitwiseBytes.read(value, byteCount: raw.valueSize) { (value: RawSpan) throws(EBPFError) in
        try raw.update(key, value, policy, locked: locked)
      }
    }
  }

  /// Deletes `key`; false when it was not there.
  @discardableResult
  public func delete(_ key: Key) throws(EBPFError) -> Bool {
    try BitwiseBytes.read(key) { (key: RawSpan) throws(EBPFError) in try raw.delete(key) }
  }

  /// The value of `key`, which is deleted; nil when the key is missing.
  public func take(_ key: Key) throws(EBPFError) -> Value? {
    try BitwiseBytes.read(key) { (key: RawSpan) throws(EBPFError) in
      try BitwiseBytes.fill(Value.self, byteCount: raw.valueSize) {
        (value: inout MutableRawSpan) throws(EBPFError) in
        try raw.take(key, into: &value)
      }
    }
  }

  /// Every entry, under the rules of ``RawMap/entries()``.
  public func entries() throws(EBPFError) -> [(key: Key, value: Value)] {
    try raw.entries().compactMap(decode)
  }

  /// Every key, under the rules of ``RawMap/entries()``.
  public func keys() throws(EBPFError) -> [Key] {
    try raw.keys().compactMap { BitwiseBytes.load(Key.self, from: $0.span.rawBytes) }
  }

  /// Deletes every entry, and returns what was there; see ``RawMap/takeAll()``.
  public func takeAll() throws(EBPFError) -> [(key: Key, value: Value)] {
    try raw.takeAll().compactMap(decode)
  }

  /// Writes many entries with as few system calls as possible.
  public func update(
    _ entries: [(key: Key, value: Value)], _ policy: UpdatePolicy = .any
  ) throws(EBPFError) {
    try raw.update(
      entries.map { entry in
        RawMap.Entry(
          key: BitwiseBytes.read(entry.key) { BitwiseBytes.array($0) },
          value: BitwiseBytes.read(entry.value, byteCount: raw.valueSize) {
            BitwiseBytes.array($0)
          })
      }, policy)
  }

  /// Deletes many keys; those that are not there are passed over. The number deleted.
  @discardableResult
  public func delete(_ keys: [Key]) throws(EBPFError) -> Int {
    try raw.delete(keys.map { key in BitwiseBytes.read(key) { BitwiseBytes.array($0) } })
  }

  private func decode(_ entry: RawMap.Entry) -> (key: Key, value: Value)? {
    guard let key = BitwiseBytes.load(Key.self, from: entry.key.span.rawBytes),
      let value = BitwiseBytes.load(Value.self, from: entry.value.span.rawBytes)
    else { return nil }
    return (key, value)
  }
}
