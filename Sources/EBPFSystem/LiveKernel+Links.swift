internal import CEBPF

extension LiveKernel {
  /// See ``KernelInterface/openRawTracepoint(_:program:cookie:)``.
  public func openRawTracepoint(
    _ name: String, program: Int32, cookie: UInt64
  ) throws(Errno) -> OwnedDescriptor {
    let bytes = name.isEmpty ? [] : try terminated(name)
    defer { extendLifetime(bytes) }
    var attributes = cebpf_raw_tracepoint_open()
    attributes.name = bytes.address
    attributes.prog_fd = word(program)
    attributes.cookie = cookie
    return try open(CEBPF_RAW_TRACEPOINT_OPEN, &attributes)
  }

  /// See ``KernelInterface/createLink(_:)``.
  public func createLink(_ request: LinkRequest) throws(Errno) -> OwnedDescriptor {
    defer { extendLifetime(request) }
    var header = cebpf_link_create()
    header.prog_fd = word(request.program)
    header.target = word(request.target)
    header.attach_type = request.attachType
    header.flags = request.flags
    switch request.detail {
    case .none:
      return try open(CEBPF_LINK_CREATE, &header)
    case .tracing(let typeID, let cookie):
      var attributes = cebpf_link_create_tracing()
      attributes.header = header
      attributes.target_btf_id = typeID
      attributes.cookie = cookie
      return try open(CEBPF_LINK_CREATE, &attributes)
    case .iterator(let information):
      var attributes = cebpf_link_create_iter()
      attributes.header = header
      attributes.iter_info = information.address
      attributes.iter_info_len = UInt32(clamping: information.count)
      return try open(CEBPF_LINK_CREATE, &attributes)
    case .perfEvent(let cookie):
      var attributes = cebpf_link_create_perf_event()
      attributes.header = header
      attributes.bpf_cookie = cookie
      return try open(CEBPF_LINK_CREATE, &attributes)
    case .kprobeMulti(let flags, let symbols, let addresses, let cookies):
      return try kprobeMulti(header, flags, symbols, addresses, cookies)
    case .uprobeMulti(let flags, let path, let offsets, let semaphores, let cookies, let process):
      guard [0, offsets.count].contains(semaphores.count),
        [0, offsets.count].contains(cookies.count)
      else { throw .invalid }
      let pathBytes = try terminated(path)
      defer { extendLifetime(pathBytes) }
      var attributes = cebpf_link_create_uprobe_multi()
      attributes.header = header
      attributes.path = pathBytes.address
      attributes.offsets = offsets.address
      attributes.ref_ctr_offsets = semaphores.address
      attributes.cookies = cookies.address
      attributes.cnt = UInt32(clamping: offsets.count)
      attributes.flags = flags
      attributes.pid = process
      return try open(CEBPF_LINK_CREATE, &attributes)
    case .netfilter(let family, let hook, let priority, let flags):
      var attributes = cebpf_link_create_netfilter()
      attributes.header = header
      attributes.pf = family
      attributes.hooknum = hook
      attributes.priority = priority
      attributes.flags = flags
      return try open(CEBPF_LINK_CREATE, &attributes)
    case .anchored(let relative, let revision):
      var attributes = cebpf_link_create_anchored()
      attributes.header = header
      attributes.relative = relative
      attributes.expected_revision = revision
      return try open(CEBPF_LINK_CREATE, &attributes)
    }
  }

  private func kprobeMulti(
    _ header: cebpf_link_create, _ flags: UInt32, _ symbols: [String], _ addresses: [UInt64],
    _ cookies: [UInt64]
  ) throws(Errno) -> OwnedDescriptor {
    let count = symbols.isEmpty ? addresses.count : symbols.count
    guard symbols.isEmpty || addresses.isEmpty, [0, count].contains(cookies.count) else {
      throw .invalid
    }
    // All names in one buffer; the kernel gets the address of each.
    var names: [UInt8] = []
    var offsets: [Int] = []
    for symbol in symbols {
      offsets.append(names.count)
      names += try terminated(symbol)
    }
    let base = names.address
    let pointers = offsets.map { base + UInt64($0) }
    defer { extendLifetime(names) }
    defer { extendLifetime(pointers) }
    var attributes = cebpf_link_create_kprobe_multi()
    attributes.header = header
    attributes.flags = flags
    attributes.cnt = UInt32(clamping: count)
    attributes.syms = pointers.address
    attributes.addrs = addresses.address
    attributes.cookies = cookies.address
    return try open(CEBPF_LINK_CREATE, &attributes)
  }

  /// See ``KernelInterface/updateLink(_:program:replacing:)``.
  public func updateLink(_ link: Int32, program: Int32, replacing: Int32?) throws(Errno) {
    var attributes = cebpf_link_update()
    attributes.link_fd = word(link)
    attributes.new_fd = word(program)
    if let replacing {
      attributes.flags = 4  // BPF_F_REPLACE
      attributes.old_fd = word(replacing)
    }
    _ = try call(CEBPF_LINK_UPDATE, &attributes)
  }

  /// See ``KernelInterface/detachLink(_:)``.
  public func detachLink(_ link: Int32) throws(Errno) {
    var attributes = cebpf_link_detach()
    attributes.link_fd = word(link)
    _ = try call(CEBPF_LINK_DETACH, &attributes)
  }

  /// See ``KernelInterface/createIterator(link:)``.
  public func createIterator(link: Int32) throws(Errno) -> OwnedDescriptor {
    var attributes = cebpf_iter_create()
    attributes.link_fd = word(link)
    return try open(CEBPF_ITER_CREATE, &attributes)
  }
}
