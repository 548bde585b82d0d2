public import EBPFSystem

extension RawMap {
  /// Creates a map, fills it with its initial contents, and freezes constant sections.
  ///
  /// - Parameters:
  ///   - spec: what it will be. Sizes that a type prescribes are put right first.
  ///   - btf: a loaded BTF object that the specification's type ids refer to. A kernel that refuses the
  ///     map with BTF is asked again without.
  ///   - token: a BPF token (6.9).
  public static func create(
    _ spec: MapSpec, btf: Int32? = nil, token: Int32? = nil,
    kernel: any KernelInterface = LiveKernel()
  ) throws(EBPFError) -> RawMap {
    let spec = try prepared(spec, kernel: kernel)
    var request = MapRequest(type: spec.type.rawValue)
    request.keySize = spec.keySize
    request.valueSize = spec.valueSize
    request.maxEntries = spec.maxEntries
    request.flags = spec.flags
    request.numaNode = spec.numaNode
    request.name = spec.name
    request.extra = spec.extra
    request.token = token
    if let btf, spec.keyTypeID != 0 || spec.valueTypeID != 0 {
      request.btf = btf
      request.keyTypeID = spec.keyTypeID
      request.valueTypeID = spec.valueTypeID
    }
    // The template need not outlive the creation.
    let template: RawMap? =
      if let inner = spec.inner.first {
        try RawMap.create(inner, btf: btf, token: token, kernel: kernel)
      } else { nil }
    request.innerMap = template?.fileDescriptor
    let descriptor = try open(request, spec, kernel)
    let map = try RawMap(owning: descriptor, name: spec.name, kernel: kernel)
    extendLifetime(template)
    try map.fill(spec)
    return map
  }

  private static func open(
    _ request: MapRequest, _ spec: MapSpec, _ kernel: any KernelInterface
  ) throws(EBPFError) -> OwnedDescriptor {
    do throws(Errno) { return try kernel.createMap(request) } catch {
      let mayBeBTF = error == .invalid || error == .notSupported || error == .notSupportedInternal
      guard request.btf != nil, mayBeBTF else { throw EBPFError.creatingMap(spec, error) }
      var bare = request
      bare.btf = nil
      bare.keyTypeID = 0
      bare.valueTypeID = 0
      do throws(Errno) { return try kernel.createMap(bare) } catch {
        throw EBPFError.creatingMap(spec, error)
      }
    }
  }

  private func fill(_ spec: MapSpec) throws(EBPFError) {
    if !spec.contents.isEmpty {
      try update([UInt8](repeating: 0, count: keySize), spec.contents)
    }
    if spec.role == .readOnlyData || spec.role == .kernelConfiguration { try freeze() }
  }

  /// The sizes that a type prescribes, whatever the object's author wrote: loaders agree on these.
  static func prepared(
    _ spec: MapSpec, kernel: any KernelInterface
  ) throws(EBPFError) -> MapSpec {
    var spec = spec
    switch spec.type {
    case .ringBuffer, .userRingBuffer:
      spec.keySize = 0
      spec.valueSize = 0
      spec.maxEntries = ringSize(spec.maxEntries)
    case .perfEventArray:
      spec.keySize = 4
      spec.valueSize = 4
      if spec.maxEntries == 0 { spec.maxEntries = UInt32(clamping: try PossibleCPUs(kernel).end) }
    case .programArray, .cgroupArray, .arrayOfMaps, .hashOfMaps:
      if spec.type != .hashOfMaps { spec.keySize = 4 }
      spec.valueSize = 4
    default: break
    }
    return spec
  }

  /// A ring's size, rounded up to what the kernel takes: a power of two of whole pages.
  private static func ringSize(_ wanted: UInt32) -> UInt32 {
    guard wanted > 0, wanted <= 1 << 31 else { return wanted }
    var size = UInt32(clamping: CurrentProcess.pageSize)
    while size < wanted { size <<= 1 }
    return size
  }
}
