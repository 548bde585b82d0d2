internal import EBPFSystem

/// A per-CPU map whose keys and values are Swift types: each look-up gives one value for each possible
/// CPU. The rules for the types are those of ``Map``.
public struct PerCPUMap<Key: BitwiseCopyable & Sendable, Value: BitwiseCopyable & Sendable>:
  Sendable
{
  /// The map as bytes, with everything that does not depend on the types.
  public let raw: RawMap

  /// Gives a map its types.
  public init(_ raw: RawMap) throws(EBPFError) {
    try BitwiseLayout.checkKey(Key.self, map: raw)
    try BitwiseLayout.checkValue(Value.self, map: raw)
    guard raw.type.isPerCPU else {
      throw EBPFError(
        .invalidArgument, "map '\(raw.name)' has one value for all CPUs",
        context: [.map(raw.name)], hint: "use Map")
    }
    self.raw = raw
  }

  /// The values of `key`, one for each possible CPU in order; nil when the key is missing.
  public func values(for key: Key) throws(EBPFError) -> [Value]? {
    guard let element = try raw.value(for: bytes(key)) else { return nil }
    return decode(element)
  }

  /// The values of `key` folded into one: `map.total(for: key, 0, +)`; nil when the key is missing.
  public func total<Result>(
    for key: Key, _ initial: Result, _ combine: (Result, Value) -> Result
  ) throws(EBPFError) -> Result? {
    try values(for: key)?.reduce(initial, combine)
  }

  /// Writes the values of `key`, one for each possible CPU.
  public func update(
    _ key: Key, _ values: [Value], _ policy: UpdatePolicy = .any
  ) throws(EBPFError) {
    let size = raw.valueSize
    try raw.update(
      bytes(key),
      perCPU: values.map { value in
        BitwiseBytes.read(value, byteCount: size) { BitwiseBytes.array($0) }
      }, policy)
  }

  /// Writes the same value for each possible CPU.
  public func update(
    _ key: Key, repeating value: Value, _ policy: UpdatePolicy = .any
  ) throws(EBPFError) {
    try update(key, Array(repeating: value, count: raw.valuesPerElement), policy)
  }

  /// Deletes `key`; false when it was not there.
  @discardableResult
  public func delete(_ key: Key) throws(EBPFError) -> Bool { try raw.delete(bytes(key)) }

  /// Every entry, under the rules of ``RawMap/entries()``.
  public func entries() throws(EBPFError) -> [(key: Key, values: [Value])] {
    try raw.entries().compactMap(decode)
  }

  /// Deletes every entry, and returns what was there; see ``RawMap/takeAll()``.
  public func takeAll() throws(EBPFError) -> [(key: Key, values: [Value])] {
    try raw.takeAll().compactMap(decode)
  }

  private func bytes(_ key: Key) -> [UInt8] { BitwiseBytes.read(key) { BitwiseBytes.array($0) } }

  private func decode(_ element: [UInt8]) -> [Value] {
    (0..<raw.valuesPerElement).compactMap { cpu in
      BitwiseBytes.load(Value.self, from: element.span.rawBytes, at: cpu * raw.valueStride)
    }
  }

  private func decode(_ entry: RawMap.Entry) -> (key: Key, values: [Value])? {
    guard let key = BitwiseBytes.load(Key.self, from: entry.key.span.rawBytes) else { return nil }
    return (key, decode(entry.value))
  }
}
