internal import EBPFSystem

/// The two ways to go through a map's entries.
extension RawMap {
  /// An element and its key, as bytes.
  public struct Entry: Sendable, Hashable {
    /// The key.
    public var key: [UInt8]
    /// The value; for per-CPU maps all CPUs' values, see ``RawMap/split(_:)``.
    public var value: [UInt8]

    /// Creates an entry.
    public init(key: [UInt8], value: [UInt8]) {
      self.key = key
      self.value = value
    }
  }

  /// Passes the key and the value of every entry to `body`, without an array for each.
  ///
  /// Entries added or deleted meanwhile may or may not appear; all others appear exactly once, and it
  /// ends, whatever others do to the map: hash maps are read in batches, bucket by bucket. The spans
  /// end with the call of `body`; a per-CPU value has all CPUs', ``valueStride`` bytes each.
  ///
  /// - Parameter taking: delete what was passed, as one step for each entry, so that nothing a program
  ///   adds meanwhile is lost unseen.
  public func forEachEntry<State: ~Copyable>(
    _ state: inout State, taking: Bool = false,
    _ body: (inout State, RawSpan, RawSpan) throws(EBPFError) -> Void
  ) throws(EBPFError) {
    if taking || type.hasStableBatches {
      let command: BatchCommand = taking ? .lookupAndDelete : .lookup
      if try batched(command, &state, body) { return }
    }
    for key in try keys() {
      // A key that has been deleted since is passed over.
      if let value = taking ? try take(key) : try value(for: key) {
        try body(&state, key.span.rawBytes, value.span.rawBytes)
      }
    }
  }

  /// Every entry, under the rules of ``forEachEntry(_:taking:_:)``.
  public func entries() throws(EBPFError) -> [Entry] { try collect(taking: false) }

  /// Deletes every entry, and returns what was there, under the rules of
  /// ``forEachEntry(_:taking:_:)``.
  public func takeAll() throws(EBPFError) -> [Entry] { try collect(taking: true) }

  private func collect(taking: Bool) throws(EBPFError) -> [Entry] {
    var entries: [Entry] = []
    try forEachEntry(&entries, taking: taking) {
      (entries: inout [Entry], key: RawSpan, value: RawSpan) throws(EBPFError) in
      entries.append(Entry(key: BitwiseBytes.array(key), value: BitwiseBytes.array(value)))
    }
    return entries
  }

  /// Every key, under the rules of ``forEachEntry(_:taking:_:)``.
  public func keys() throws(EBPFError) -> [[UInt8]] {
    if type.hasStableBatches, !type.isArray {
      var keys: [[UInt8]] = []
      let hasBatches = try batched(.lookup, &keys) {
        (keys: inout [[UInt8]], key: RawSpan, _: RawSpan) throws(EBPFError) in
        keys.append(BitwiseBytes.array(key))
      }
      if hasBatches { return keys }
    }
    return try keysOneByOne()
  }

  /// Goes from key to key. After a key that has been deleted, the kernel starts again from the first
  /// one; keys seen before are then passed over, and the number of steps is bounded.
  func keysOneByOne() throws(EBPFError) -> [[UInt8]] {
    guard keySize > 0 else {
      throw EBPFError.iterating(self, .invalid, call: "bpf(BPF_MAP_GET_NEXT_KEY)")
    }
    var seen: Set<[UInt8]> = []
    var keys: [[UInt8]] = []
    var key: [UInt8] = []
    var steps = 0
    let bound = max(Int(information.maxEntries), 1).multipliedReportingOverflow(by: 16)
    while let next = try nextKey(after: key) {
      steps += 1
      guard bound.overflow || steps <= bound.partialValue + 1024 else {
        throw EBPFError(
          .system, "cannot list map '\(name)': it changes faster than it can be read",
          context: [.map(name)], hint: "pause the program that writes it, or use a hash map")
      }
      if seen.insert(next).inserted { keys.append(next) }
      key = next
    }
    return keys
  }

  /// The key after another; the first one after an empty one; nil at the end.
  public func nextKey(after key: [UInt8] = []) throws(EBPFError) -> [UInt8]? {
    var next = [UInt8](repeating: 0, count: keySize)
    do throws(Errno) {
      var span = next.mutableSpan
      var bytes = span.rawMutableBytes
      guard try kernel.nextKey(map: fileDescriptor, after: key.span.rawBytes, into: &bytes) else {
        return nil
      }
    } catch { throw EBPFError.iterating(self, error, call: "bpf(BPF_MAP_GET_NEXT_KEY)") }
    return next
  }
}

extension MapType {
  /// Whether batches go by bucket or index, so that no change of the map makes them start again.
  var hasStableBatches: Bool {
    switch self {
    case .hash, .perCPUHash, .lruHash, .lruPerCPUHash, .hashOfMaps, .array, .perCPUArray: true
    default: false
    }
  }
}
