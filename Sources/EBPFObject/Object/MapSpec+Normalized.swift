extension MapSpec {
  /// This map as the kernel takes it on a machine with that many possible CPUs.
  ///
  /// Some map types want sizes that a definition need not spell out, or that follow from the machine:
  /// ring buffers and arenas have neither key nor value, an array of maps has 4-byte values, a perf
  /// event array has a slot for each CPU. A size that was given and contradicts is left for the kernel
  /// to refuse.
  public func normalized(cpuCount: UInt32, pageSize: UInt32 = 4096) -> MapSpec {
    var map = self
    switch type {
    case .ringBuffer, .userRingBuffer:
      (map.keySize, map.valueSize) = (0, 0)
      map.maxEntries = Self.ringSize(maxEntries, pageSize: pageSize)
    case .arena:
      (map.keySize, map.valueSize) = (0, 0)
    case .arrayOfMaps, .hashOfMaps:
      if map.valueSize == 0 { map.valueSize = 4 }
      if type == .arrayOfMaps, map.keySize == 0 { map.keySize = 4 }
    case .perfEventArray, .programArray, .cgroupArray:
      if map.keySize == 0 { map.keySize = 4 }
      if map.valueSize == 0 { map.valueSize = 4 }
      if type == .perfEventArray, map.maxEntries == 0 { map.maxEntries = cpuCount }
    case .cpuMap:
      if map.maxEntries == 0 || map.maxEntries > cpuCount { map.maxEntries = cpuCount }
    case .stackTrace:
      if map.keySize == 0 { map.keySize = 4 }
    default: break
    }
    if !type.acceptsBTF { (map.keyTypeID, map.valueTypeID) = (0, 0) }
    map.inner = inner.map { $0.normalized(cpuCount: cpuCount, pageSize: pageSize) }
    return map
  }

  /// The next power of two that is a multiple of the page size; 0 and what is too large stay.
  private static func ringSize(_ size: UInt32, pageSize: UInt32) -> UInt32 {
    guard size > 0, pageSize > 0 else { return size }
    if size % pageSize == 0, (size / pageSize).nonzeroBitCount == 1 { return size }
    var rounded = UInt64(pageSize)
    while rounded < UInt64(size) { rounded *= 2 }
    return UInt32(exactly: rounded) ?? size
  }
}

extension MapType {
  /// False for types whose creation with key and value BTF ids the kernel refuses.
  var acceptsBTF: Bool {
    switch self {
    case .perfEventArray, .cgroupArray, .stackTrace, .arrayOfMaps, .hashOfMaps, .deviceMap,
      .deviceMapHash, .cpuMap, .xskMap, .socketMap, .socketHash, .queue, .stack, .arena,
      .ringBuffer, .userRingBuffer, .programArray:
      false
    default: true
    }
  }
}
