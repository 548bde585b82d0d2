internal import CEBPF

extension LiveKernel {
  /// See ``KernelInterface/pin(_:path:)``.
  public func pin(_ descriptor: Int32, path: String) throws(Errno) {
    let bytes = try terminated(path)
    defer { extendLifetime(bytes) }
    var attributes = cebpf_object()
    attributes.pathname = bytes.address
    attributes.bpf_fd = word(descriptor)
    _ = try call(CEBPF_OBJ_PIN, &attributes)
  }

  /// See ``KernelInterface/openPinned(path:flags:)``.
  public func openPinned(path: String, flags: UInt32) throws(Errno) -> OwnedDescriptor {
    let bytes = try terminated(path)
    defer { extendLifetime(bytes) }
    var attributes = cebpf_object()
    attributes.pathname = bytes.address
    attributes.file_flags = flags
    return try open(CEBPF_OBJ_GET, &attributes)
  }

  /// See ``KernelInterface/nextID(_:after:)``.
  public func nextID(_ kind: KernelObjectKind, after id: UInt32) throws(Errno) -> UInt32? {
    let command =
      switch kind {
      case .program: CEBPF_PROG_NEXT_ID
      case .map: CEBPF_MAP_NEXT_ID
      case .btf: CEBPF_BTF_NEXT_ID
      case .link: CEBPF_LINK_NEXT_ID
      }
    var attributes = cebpf_id()
    attributes.id = id
    do throws(Errno) { _ = try call(command, &attributes) } catch {
      if error == .noEntry { return nil }
      throw error
    }
    return attributes.next_id
  }

  /// See ``KernelInterface/open(_:id:flags:)``.
  public func open(_ kind: KernelObjectKind, id: UInt32, flags: UInt32) throws(Errno)
    -> OwnedDescriptor
  {
    let command =
      switch kind {
      case .program: CEBPF_PROG_BY_ID
      case .map: CEBPF_MAP_BY_ID
      case .btf: CEBPF_BTF_BY_ID
      case .link: CEBPF_LINK_BY_ID
      }
    var attributes = cebpf_id()
    attributes.id = id
    attributes.open_flags = flags
    return try open(command, &attributes)
  }

  /// See ``KernelInterface/enableStatistics(_:)``.
  public func enableStatistics(_ kind: UInt32) throws(Errno) -> OwnedDescriptor {
    var attributes = cebpf_enable_stats()
    attributes.type = kind
    return try open(CEBPF_ENABLE_STATS, &attributes)
  }

  /// See ``KernelInterface/createToken(bpffs:)``.
  public func createToken(bpffs: Int32) throws(Errno) -> OwnedDescriptor {
    var attributes = cebpf_token_create()
    attributes.bpffs_fd = word(bpffs)
    return try open(CEBPF_TOKEN_CREATE, &attributes)
  }
}

// MARK: - Information

extension LiveKernel {
  /// One `BPF_OBJ_GET_INFO_BY_FD`. The kernel fills what it knows and leaves the rest.
  private func information<Information: BitwiseCopyable>(
    _ descriptor: Int32, _ information: inout Information
  ) throws(Errno) {
    var attributes = cebpf_info()
    attributes.bpf_fd = word(descriptor)
    attributes.info_len = UInt32(MemoryLayout<Information>.size)
    var failure: Errno?
    // SAFETY: the kernel writes at most `info_len` bytes, the size of the structure.
    unsafe withUnsafeMutablePointer(to: &information) { pointer in
      attributes.info = UInt64(UInt(bitPattern: pointer))
      do throws(Errno) { _ = try call(CEBPF_OBJ_INFO, &attributes) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// See ``KernelInterface/mapInformation(_:)``.
  public func mapInformation(_ map: Int32) throws(Errno) -> MapInformation {
    var found = cebpf_map_info()
    try information(map, &found)
    var result = MapInformation()
    result.type = found.type
    result.id = found.id
    result.keySize = found.key_size
    result.valueSize = found.value_size
    result.maxEntries = found.max_entries
    result.flags = found.map_flags
    result.name = text(found.name)
    result.btfID = found.btf_id
    result.keyTypeID = found.btf_key_type_id
    result.valueTypeID = found.btf_value_type_id
    result.extra = found.map_extra
    return result
  }

  /// See ``KernelInterface/programInformation(_:details:)``.
  public func programInformation(
    _ program: Int32, details: ProgramDetails
  ) throws(Errno) -> ProgramInformation {
    var found = cebpf_prog_info()
    try information(program, &found)
    var result = convert(found)
    guard !details.isEmpty else { return result }
    // The first answer said how long each array is; the second fills those asked for.
    var request = cebpf_prog_info()
    var maps = [UInt32](repeating: 0, count: details.contains(.maps) ? Int(found.nr_map_ids) : 0)
    let translated = details.contains(.translated) ? Int(found.xlated_prog_len) : 0
    var instructions = [UInt8](repeating: 0, count: translated)
    let compiled = details.contains(.machineCode) ? Int(found.jited_prog_len) : 0
    var machineCode = [UInt8](repeating: 0, count: compiled)
    let functions = details.contains(.symbols) ? Int(found.nr_jited_ksyms) : 0
    var symbols = [UInt64](repeating: 0, count: functions)
    let lengths = details.contains(.symbols) ? Int(found.nr_jited_func_lens) : 0
    var sizes = [UInt32](repeating: 0, count: lengths)
    let starts = details.contains(.functions) ? Int(found.nr_func_info) : 0
    var functionRecords = [ProgramFunction](repeating: ProgramFunction(), count: starts)
    let places = details.contains(.lines) ? Int(found.nr_line_info) : 0
    var lineRecords = [ProgramLine](repeating: ProgramLine(), count: places)
    do {
      var functionsSpan = functionRecords.mutableSpan
      var linesSpan = lineRecords.mutableSpan
      request.nr_func_info = UInt32(functionsSpan.count)
      request.func_info_rec_size = UInt32(MemoryLayout<ProgramFunction>.stride)
      request.func_info = functionsSpan.address
      request.nr_line_info = UInt32(linesSpan.count)
      request.line_info_rec_size = UInt32(MemoryLayout<ProgramLine>.stride)
      request.line_info = linesSpan.address
      var mapsSpan = maps.mutableSpan
      var instructionsSpan = instructions.mutableSpan
      var machineCodeSpan = machineCode.mutableSpan
      var symbolsSpan = symbols.mutableSpan
      var sizesSpan = sizes.mutableSpan
      request.nr_map_ids = UInt32(mapsSpan.count)
      request.map_ids = mapsSpan.address
      request.xlated_prog_len = UInt32(instructionsSpan.count)
      request.xlated_prog_insns = instructionsSpan.address
      request.jited_prog_len = UInt32(machineCodeSpan.count)
      request.jited_prog_insns = machineCodeSpan.address
      request.nr_jited_ksyms = UInt32(symbolsSpan.count)
      request.jited_ksyms = symbolsSpan.address
      request.nr_jited_func_lens = UInt32(sizesSpan.count)
      request.jited_func_lens = sizesSpan.address
      try information(program, &request)
    }
    // The kernel clears the address of what it will not show (kptr_restrict, capabilities).
    result.mapIDs = Array(maps.prefix(Int(request.nr_map_ids)))
    result.translated = request.xlated_prog_insns == 0 ? [] : instructions
    result.machineCode = request.jited_prog_insns == 0 ? [] : machineCode
    result.symbols = request.jited_ksyms == 0 ? [] : symbols
    result.functions = request.func_info == 0 ? [] : functionRecords
    result.lines = request.line_info == 0 ? [] : lineRecords
    result.functionSizes = request.jited_func_lens == 0 ? [] : sizes
    return result
  }

  private func convert(_ found: cebpf_prog_info) -> ProgramInformation {
    var result = ProgramInformation()
    result.type = found.type
    result.id = found.id
    let tag = [
      found.tag.0, found.tag.1, found.tag.2, found.tag.3, found.tag.4, found.tag.5, found.tag.6,
      found.tag.7,
    ]
    result.tag = tag.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    result.name = text(found.name)
    result.machineCodeSize = found.jited_prog_len
    result.translatedSize = found.xlated_prog_len
    result.loadTime = found.load_time
    result.user = found.created_by_uid
    result.isGPLCompatible = found.gpl_compatible & 1 != 0
    result.btfID = found.btf_id
    result.runTime = found.run_time_ns
    result.runCount = found.run_cnt
    result.recursionMisses = found.recursion_misses
    result.verifiedInstructions = found.verified_insns
    result.attachObjectID = found.attach_btf_obj_id
    result.attachTypeID = found.attach_btf_id
    return result
  }

  /// See ``KernelInterface/btfInformation(_:withData:)``.
  public func btfInformation(_ btf: Int32, withData: Bool) throws(Errno) -> BTFInformation {
    var sizes = cebpf_btf_info()
    try information(btf, &sizes)
    // Module names have at most 55 bytes (MODULE_NAME_LEN).
    var name = [UInt8](repeating: 0, count: 64)
    var data = [UInt8](repeating: 0, count: withData ? Int(sizes.btf_size) : 0)
    var request = cebpf_btf_info()
    do {
      var nameSpan = name.mutableSpan
      var dataSpan = data.mutableSpan
      request.name = nameSpan.address
      request.name_len = UInt32(nameSpan.count)
      request.btf = dataSpan.address
      request.btf_size = UInt32(dataSpan.count)
      try information(btf, &request)
    }
    var result = BTFInformation()
    result.id = request.id
    result.name = text(name)
    result.isKernel = request.kernel_btf != 0
    result.size = sizes.btf_size
    result.data = data
    return result
  }

  /// See ``KernelInterface/linkInformation(_:)``.
  public func linkInformation(_ link: Int32) throws(Errno) -> LinkInformation {
    var found = cebpf_link_info()
    try information(link, &found)
    var result = LinkInformation()
    // BPF_LINK_TYPE_RAW_TRACEPOINT and _ITER begin with a name's address and room for it.
    if found.type == 1 || found.type == 4 {
      var name = [UInt8](repeating: 0, count: 128)
      var request = cebpf_link_info()
      do {
        var span = name.mutableSpan
        request.detail.0 = span.address
        request.detail.1 = UInt64(span.count)
        try information(link, &request)
      }
      found = request
      found.detail.0 = 0
      result.name = text(name)
    }
    result.type = found.type
    result.id = found.id
    result.programID = found.prog_id
    let detail = found.detail
    result.detail = [detail.0, detail.1, detail.2, detail.3, detail.4, detail.5, detail.6]
    return result
  }

  /// See ``KernelInterface/queryDescriptor(process:descriptor:)``.
  public func queryDescriptor(
    process: Int32, descriptor: Int32
  ) throws(Errno) -> DescriptorInformation {
    var name = [UInt8](repeating: 0, count: 4096)
    var attributes = cebpf_task_fd_query()
    attributes.pid = word(process)
    attributes.fd = word(descriptor)
    do {
      var span = name.mutableSpan
      attributes.buf = span.address
      attributes.buf_len = UInt32(span.count)
      _ = try call(CEBPF_TASK_FD_QUERY, &attributes)
    }
    var result = DescriptorInformation()
    result.programID = attributes.prog_id
    result.kind = attributes.fd_type
    result.name = text(name)
    result.offset = attributes.probe_offset
    result.address = attributes.probe_addr
    return result
  }
}
