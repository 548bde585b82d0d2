internal import EBPFSystem

/// The values of an array map, read and written in memory without system calls.
///
/// The map must have been created with `BPF_F_MMAPABLE` (since Linux 5.5), as data sections are.
/// Programs may be writing at the same time: a value larger than 8 bytes may be torn.
public struct MappedArray<Value: BitwiseCopyable & Sendable>: ~Copyable, Sendable {
  /// The number of values.
  public let count: Int
  private let region: MappedRegion
  private let stride: Int
  private let isWritable: Bool

  /// Maps an array's values. A frozen map can only be mapped for reading.
  public init(_ map: RawMap, writable: Bool = true) throws(EBPFError) {
    guard map.type == .array, map.information.flags & MapFlags.mappable != 0 else {
      throw EBPFError(
        .unsupported, "map '\(map.name)' cannot be mapped into memory", context: [.map(map.name)],
        hint: "only arrays with the flag BPF_F_MMAPABLE (0x400) can; it is set at creation")
    }
    try BitwiseLayout.checkValue(Value.self, map: map)
    // The kernel rounds each value up to 8 bytes, and the whole up to pages.
    let stride = (map.valueSize + 7) & ~7
    let count = Int(map.information.maxEntries)
    let page = MappedRegion.pageSize
    let (bytes, overflow) = stride.multipliedReportingOverflow(by: count)
    guard !overflow, bytes > 0, bytes <= Int.max - page else {
      throw EBPFError(
        .tooLarge, "map '\(map.name)' is too large to be mapped", context: [.map(map.name)])
    }
    let region: MappedRegion
    do throws(Errno) {
      region = try map.kernel.mapMemory(
        map.fileDescriptor, offset: 0, count: (bytes + page - 1) / page * page, writable: writable)
    } catch {
      throw map.error(
        error == .notPermitted ? .denied : .system, "cannot map the values of map '\(map.name)'",
        "mmap", error,
        hint: error == .notPermitted ? "a frozen map can be mapped for reading only" : nil)
    }
    self.region = region
    self.stride = stride
    self.count = count
    isWritable = writable
  }

  /// The value at an index below ``count``.
  public subscript(index: Int) -> Value {
    get {
      precondition(index >= 0 && index < count)
      return region.load(at: index * stride)
    }
    nonmutating set {
      precondition(index >= 0 && index < count)
      precondition(isWritable, "this array was mapped for reading")
      region.store(newValue, at: index * stride)
    }
  }

  /// Writes several values in a row, the first one at `index`.
  public func replace(from index: Int, with values: [Value]) {
    precondition(index >= 0 && values.count <= count - index)
    precondition(isWritable, "this array was mapped for reading")
    guard stride == MemoryLayout<Value>.stride else {
      for (offset, value) in values.enumerated() { self[index + offset] = value }
      return
    }
    region.store(values, at: index * stride)
  }
}
