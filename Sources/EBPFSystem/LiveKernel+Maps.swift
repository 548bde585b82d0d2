internal import CEBPF

extension LiveKernel {
  /// `BPF_F_TOKEN_FD`, for maps, programs and BTF.
  static let tokenFlag: UInt32 = 1 << 16
  /// `BPF_F_VTYPE_BTF_OBJ_FD`.
  static let moduleTypeFlag: UInt32 = 1 << 15

  /// See ``KernelInterface/createMap(_:)``.
  public func createMap(_ request: MapRequest) throws(Errno) -> OwnedDescriptor {
    var attributes = cebpf_map_create()
    attributes.map_type = request.type
    attributes.key_size = request.keySize
    attributes.value_size = request.valueSize
    attributes.max_entries = request.maxEntries
    attributes.map_flags = request.flags
    attributes.inner_map_fd = word(request.innerMap)
    attributes.numa_node = request.numaNode
    attributes.map_name = tuple(objectName(request.name))
    attributes.map_ifindex = request.interfaceIndex
    attributes.btf_fd = word(request.btf)
    attributes.btf_key_type_id = request.keyTypeID
    attributes.btf_value_type_id = request.valueTypeID
    attributes.btf_vmlinux_value_type_id = request.kernelValueTypeID
    attributes.map_extra = request.extra
    if let module = request.kernelValueModule {
      attributes.value_type_btf_obj_fd = module
      attributes.map_flags |= LiveKernel.moduleTypeFlag
    }
    if let token = request.token {
      attributes.map_token_fd = token
      attributes.map_flags |= LiveKernel.tokenFlag
    }
    return try open(CEBPF_MAP_CREATE, &attributes)
  }

  /// See ``KernelInterface/lookup(map:key:value:flags:)``.
  public func lookup(
    map: Int32, key: RawSpan, value: inout MutableRawSpan, flags: UInt64
  ) throws(Errno) {
    try element(CEBPF_MAP_LOOKUP, map, key.address, value.bytes.address, flags)
  }

  /// See ``KernelInterface/lookupAndDelete(map:key:value:flags:)``.
  public func lookupAndDelete(
    map: Int32, key: RawSpan, value: inout MutableRawSpan, flags: UInt64
  ) throws(Errno) {
    try element(CEBPF_MAP_LOOKUP_AND_DELETE, map, key.address, value.bytes.address, flags)
  }

  /// See ``KernelInterface/update(map:key:value:flags:)``.
  public func update(map: Int32, key: RawSpan, value: RawSpan, flags: UInt64) throws(Errno) {
    try element(CEBPF_MAP_UPDATE, map, key.address, value.address, flags)
  }

  /// See ``KernelInterface/delete(map:key:)``.
  public func delete(map: Int32, key: RawSpan) throws(Errno) {
    try element(CEBPF_MAP_DELETE, map, key.address, 0, 0)
  }

  /// See ``KernelInterface/nextKey(map:after:into:)``.
  public func nextKey(
    map: Int32, after key: RawSpan, into next: inout MutableRawSpan
  ) throws(Errno) -> Bool {
    do throws(Errno) {
      try element(CEBPF_MAP_NEXT_KEY, map, key.address, next.bytes.address, 0)
      return true
    } catch {
      if error == .noEntry { return false }
      throw error
    }
  }

  private func element(
    _ command: cebpf_command, _ map: Int32, _ key: UInt64, _ value: UInt64, _ flags: UInt64
  ) throws(Errno) {
    var attributes = cebpf_map_element()
    attributes.map_fd = word(map)
    attributes.key = key
    attributes.value_or_next_key = value
    attributes.flags = flags
    _ = try call(command, &attributes)
  }

  /// See ``KernelInterface/batch(_:map:cursor:keys:values:count:flags:)``.
  public func batch(
    _ command: BatchCommand, map: Int32, cursor: BatchCursor, keys: inout MutableRawSpan,
    values: inout MutableRawSpan, count: inout UInt32, flags: UInt64
  ) throws(Errno) {
    let code =
      switch command {
      case .lookup: CEBPF_MAP_LOOKUP_BATCH
      case .lookupAndDelete: CEBPF_MAP_LOOKUP_AND_DELETE_BATCH
      case .update: CEBPF_MAP_UPDATE_BATCH
      case .delete: CEBPF_MAP_DELETE_BATCH
      }
    var attributes = cebpf_map_batch()
    attributes.keys = keys.bytes.address
    attributes.values = values.bytes.address
    attributes.count = count
    attributes.map_fd = word(map)
    attributes.elem_flags = flags
    defer { count = min(count, attributes.count) }
    guard command == .lookup || command == .lookupAndDelete else {
      _ = try call(code, &attributes)
      return
    }
    var next = cursor.position
    var span = next.mutableSpan
    attributes.in_batch = cursor.hasStarted ? cursor.position.address : 0
    attributes.out_batch = span.address
    defer { extendLifetime(cursor) }
    _ = try call(code, &attributes)
    cursor.position = next
    cursor.hasStarted = true
  }

  /// See ``KernelInterface/freeze(map:)``.
  public func freeze(map: Int32) throws(Errno) {
    var attributes = cebpf_map_element()
    attributes.map_fd = word(map)
    _ = try call(CEBPF_MAP_FREEZE, &attributes)
  }

  /// See ``KernelInterface/bind(map:to:)``.
  public func bind(map: Int32, to program: Int32) throws(Errno) {
    var attributes = cebpf_prog_bind_map()
    attributes.prog_fd = word(program)
    attributes.map_fd = word(map)
    _ = try call(CEBPF_PROG_BIND_MAP, &attributes)
  }
}

/// The C array of a name, which Swift sees as a tuple.
typealias NameTuple = (
  UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8,
  UInt8, UInt8, UInt8
)

func tuple(_ name: InlineArray<16, UInt8>) -> NameTuple {
  (
    name[0], name[1], name[2], name[3], name[4], name[5], name[6], name[7], name[8], name[9],
    name[10], name[11], name[12], name[13], name[14], name[15]
  )
}

func text(_ name: NameTuple) -> String {
  text([
    name.0, name.1, name.2, name.3, name.4, name.5, name.6, name.7, name.8, name.9, name.10,
    name.11, name.12, name.13, name.14, name.15,
  ])
}
