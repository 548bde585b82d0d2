internal import CEBPF
public import EBPFObject

extension LiveKernel {
  /// See ``KernelInterface/loadProgram(_:instructions:log:)``.
  public func loadProgram(
    _ request: ProgramRequest, instructions: [Instruction], log: inout KernelLog
  ) throws(Errno) -> OwnedDescriptor {
    guard let count = UInt32(exactly: instructions.count) else { throw .tooBig }
    let license = try terminated(request.license)
    var buffer = LogBuffer(log)
    defer { extendLifetime(license) }
    defer { extendLifetime(request) }
    var attributes = cebpf_prog_load()
    attributes.prog_type = request.type
    attributes.insn_cnt = count
    attributes.insns = instructions.address
    attributes.license = license.address
    attributes.kern_version = request.kernelVersion
    attributes.prog_flags = request.flags
    attributes.prog_name = tuple(objectName(request.name))
    attributes.prog_ifindex = request.interfaceIndex
    attributes.expected_attach_type = request.attachType
    attributes.attach_btf_id = request.attachTypeID
    attributes.attach_fd = word(request.attachObject)
    if let btf = request.btf {
      attributes.prog_btf_fd = word(btf)
      attributes.func_info_rec_size = request.functionInformationSize
      attributes.func_info = request.functionInformation.address
      attributes.func_info_cnt = records(
        request.functionInformation, request.functionInformationSize)
      attributes.line_info_rec_size = request.lineInformationSize
      attributes.line_info = request.lineInformation.address
      attributes.line_info_cnt = records(request.lineInformation, request.lineInformationSize)
    }
    attributes.fd_array = request.descriptors.address
    if request.bindsDescriptors {
      attributes.fd_array_cnt = UInt32(clamping: request.descriptors.count)
    }
    if let token = request.token {
      attributes.prog_token_fd = token
      attributes.prog_flags |= LiveKernel.tokenFlag
    }
    if log.level != 0 {
      attributes.log_level = log.level
      attributes.log_size = buffer.size
      attributes.log_buf = buffer.address
    }
    defer { log.take(buffer, needed: attributes.log_true_size) }
    // A signal interrupts the verifier with EAGAIN. A timer may do so again and again, so the
    // patience is limited.
    for _ in 0..<5 {
      do throws(Errno) { return try open(CEBPF_PROG_LOAD, &attributes) } catch {
        if error != .again { throw error }
      }
    }
    return try open(CEBPF_PROG_LOAD, &attributes)
  }

  /// See ``KernelInterface/loadBTF(_:token:log:)``.
  public func loadBTF(
    _ bytes: RawSpan, token: Int32?, log: inout KernelLog
  ) throws(Errno) -> OwnedDescriptor {
    guard let size = UInt32(exactly: bytes.byteCount) else { throw .tooBig }
    var buffer = LogBuffer(log)
    var attributes = cebpf_btf_load()
    attributes.btf = bytes.address
    attributes.btf_size = size
    if let token {
      attributes.btf_token_fd = token
      attributes.btf_flags = LiveKernel.tokenFlag
    }
    if log.level != 0 {
      attributes.btf_log_level = log.level
      attributes.btf_log_size = buffer.size
      attributes.btf_log_buf = buffer.address
    }
    defer { log.take(buffer, needed: attributes.btf_log_true_size) }
    return try open(CEBPF_BTF_LOAD, &attributes)
  }

  /// See ``KernelInterface/run(program:_:)``.
  public func run(program: Int32, _ run: inout TestRun) throws(Errno) {
    var output = [UInt8](repeating: 0, count: run.outputCapacity)
    var context = [UInt8](repeating: 0, count: run.contextCapacity)
    let request = run
    defer { extendLifetime(request) }
    var attributes = cebpf_test_run()
    attributes.prog_fd = word(program)
    attributes.data_in = request.input.address
    attributes.data_size_in = UInt32(clamping: request.input.count)
    attributes.ctx_in = request.context.address
    attributes.ctx_size_in = UInt32(clamping: request.context.count)
    attributes.`repeat` = request.count
    attributes.flags = request.flags
    attributes.cpu = request.cpu
    attributes.batch_size = request.batchSize
    do {
      var outputSpan = output.mutableSpan
      var contextSpan = context.mutableSpan
      attributes.data_out = outputSpan.address
      attributes.data_size_out = UInt32(clamping: outputSpan.count)
      attributes.ctx_out = contextSpan.address
      attributes.ctx_size_out = UInt32(clamping: contextSpan.count)
      _ = try call(CEBPF_PROG_TEST_RUN, &attributes)
    }
    output.removeLast(output.count - min(output.count, Int(attributes.data_size_out)))
    context.removeLast(context.count - min(context.count, Int(attributes.ctx_size_out)))
    run.returnValue = attributes.retval
    run.duration = attributes.duration
    run.output = output
    run.contextOutput = context
  }

  /// See ``KernelInterface/attach(_:)``.
  public func attach(_ request: AttachRequest) throws(Errno) {
    var attributes = attachment(request)
    _ = try call(CEBPF_PROG_ATTACH, &attributes)
  }

  /// See ``KernelInterface/detach(_:)``.
  public func detach(_ request: AttachRequest) throws(Errno) {
    var attributes = attachment(request)
    _ = try call(CEBPF_PROG_DETACH, &attributes)
  }

  private func attachment(_ request: AttachRequest) -> cebpf_prog_attach {
    var attributes = cebpf_prog_attach()
    attributes.target = word(request.target)
    attributes.attach_bpf_fd = word(request.program)
    attributes.attach_type = request.attachType
    attributes.attach_flags = request.flags
    attributes.replace_bpf_fd = word(request.replacing)
    return attributes
  }

  /// See ``KernelInterface/attachedPrograms(target:attachType:flags:)``.
  public func attachedPrograms(
    target: Int32, attachType: UInt32, flags: UInt32
  ) throws(Errno) -> [UInt32] {
    // BPF_CGROUP_MAX_PROGS and BPF_MPROG_MAX are both 64.
    var ids = [UInt32](repeating: 0, count: 64)
    var attributes = cebpf_prog_query()
    attributes.target = word(target)
    attributes.attach_type = attachType
    attributes.query_flags = flags
    attributes.count = UInt32(ids.count)
    do {
      var span = ids.mutableSpan
      attributes.prog_ids = span.address
      _ = try call(CEBPF_PROG_QUERY, &attributes)
    }
    return Array(ids.prefix(Int(attributes.count)))
  }

  /// See ``KernelInterface/readStream(program:stream:into:)``.
  public func readStream(
    program: Int32, stream: UInt32, into buffer: inout MutableRawSpan
  ) throws(Errno) -> Int {
    var attributes = cebpf_prog_stream_read()
    attributes.stream_buf = buffer.bytes.address
    attributes.stream_buf_len = UInt32(clamping: buffer.byteCount)
    attributes.stream_id = stream
    attributes.prog_fd = word(program)
    return Int(try call(CEBPF_PROG_STREAM_READ, &attributes))
  }

  private func records(_ bytes: [UInt8], _ size: UInt32) -> UInt32 {
    size == 0 ? 0 : UInt32(clamping: bytes.count / Int(size))
  }
}

/// Memory that the kernel writes a log into.
private struct LogBuffer {
  var bytes: [UInt8]

  init(_ log: KernelLog) {
    bytes = log.level == 0 ? [] : [UInt8](repeating: 0, count: max(128, log.capacity))
  }

  var size: UInt32 { UInt32(clamping: bytes.count) }

  var address: UInt64 {
    mutating get {
      var span = bytes.mutableSpan
      return span.address
    }
  }
}

extension KernelLog {
  fileprivate mutating func take(_ buffer: LogBuffer, needed: UInt32) {
    guard level != 0 else { return }
    let end = buffer.bytes.firstIndex(of: 0) ?? buffer.bytes.count
    text = String(decoding: buffer.bytes[..<end], as: UTF8.self)
    neededCapacity = needed
  }
}
