internal import CEBPF

extension LiveKernel {
  /// See ``KernelInterface/openPerfEvent(_:process:cpu:flags:)``.
  public func openPerfEvent(
    _ request: PerfEventRequest, process: Int32, cpu: Int32, flags: UInt64
  ) throws(Errno) -> OwnedDescriptor {
    let name = if let name = request.name { try terminated(name) } else { [UInt8]() }
    defer { extendLifetime(name) }
    var attributes = cebpf_perf_attributes()
    attributes.type = request.type
    attributes.size = UInt32(MemoryLayout<cebpf_perf_attributes>.size)
    attributes.config = request.config
    attributes.sample_period_or_frequency = request.period
    attributes.sample_type = request.sampleType
    attributes.read_format = request.readFormat
    attributes.flags = request.flags.rawValue
    attributes.wakeup_events_or_watermark = request.wakeup
    attributes.bp_type = request.breakpointType
    attributes.config1 = request.name == nil ? request.config1 : name.address
    attributes.config2 = request.config2
    attributes.clockid = request.clock
    attributes.sample_max_stack = request.maximumStack
    let closeOnExec: UInt64 = 8  // PERF_FLAG_FD_CLOEXEC
    // SAFETY: the kernel reads `size` bytes of the structure, and the name it points to.
    let result = unsafe withUnsafeMutablePointer(to: &attributes) { pointer in
      unsafe cebpf_perf_event_open(pointer, process, cpu, -1, flags | closeOnExec)
    }
    return OwnedDescriptor(owning: try Errno.check(result))
  }

  /// See ``KernelInterface/control(perfEvent:_:)``.
  public func control(perfEvent: Int32, _ command: PerfEventCommand) throws(Errno) {
    let code: cebpf_perf_ioctl
    var argument: UInt64 = 0
    var bytes: [UInt8] = []
    var period: [UInt64] = []
    switch command {
    case .enable: code = CEBPF_PERF_ENABLE
    case .disable: code = CEBPF_PERF_DISABLE
    case .reset: code = CEBPF_PERF_RESET
    case .setPeriod(let value):
      code = CEBPF_PERF_SET_PERIOD
      period = [value]
      argument = period.address
    case .attach(let program):
      code = CEBPF_PERF_SET_BPF
      argument = UInt64(word(program))
    case .pauseOutput(let paused):
      code = CEBPF_PERF_PAUSE_OUTPUT
      argument = paused ? 1 : 0
    case .filter(let expression):
      code = CEBPF_PERF_SET_FILTER
      bytes = try terminated(expression)
      argument = bytes.address
    }
    let result = cebpf_ioctl(perfEvent, code.rawValue, argument)
    extendLifetime(bytes)
    extendLifetime(period)
    _ = try Errno.check(result)
  }
}
