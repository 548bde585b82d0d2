internal import EBPFSystem

// Performance events, and tracepoints, which are performance events too.

extension Attacher {
  func attach(to event: PerfEventSpec, on scope: PerfEventScope) throws(EBPFError) -> Link {
    var request = PerfEventRequest(type: event.type, config: event.config)
    request.config1 = event.config1
    request.config2 = event.config2
    request.breakpointType = event.breakpointType
    request.flags = [.disabled]
    switch event.rate {
    case .frequency(let hz):
      request.period = hz
      request.flags.insert(.frequency)
    case .period(let period): request.period = period
    }
    guard request.period > 0 else {
      throw EBPFError(.invalidArgument, "the rate of \(event.name) is 0: it would never fire")
    }
    if event.excludesKernel { request.flags.insert(.excludeKernel) }
    if event.excludesUser { request.flags.insert(.excludeUser) }
    if event.inherits { request.flags.insert(.inherit) }

    switch scope.kind {
    case .cpu(let cpu): return try attach(request, [(-1, cpu)], event)
    case .process(let process, let cpu): return try attach(request, [(process, cpu)], event)
    case .everyCPU:
      let cpus = try onlineCPUs()
      return try attach(request, cpus.map { (-1, $0) }, event)
    }
  }

  private func onlineCPUs() throws(EBPFError) -> [Int32] {
    do throws(Errno) {
      return try CPUSet.online().cpus.map { Int32(clamping: $0) }
    } catch {
      throw EBPFError(
        .system, "the list of CPUs cannot be read",
        context: [.file("/sys/devices/system/cpu/online")], systemCall: error.failure(of: "read"))
    }
  }

  private func attach(
    _ request: PerfEventRequest, _ places: [(process: Int32, cpu: Int32)], _ event: PerfEventSpec
  ) throws(EBPFError) -> Link {
    var parts = Attachment.Parts()
    var refusals: [Link.Refusal] = []
    var mechanism = Link.Mechanism.perfEventLink
    for place in places {
      let opened: SharedDescriptor
      do throws(Errno) {
        opened = SharedDescriptor(
          try kernel.openPerfEvent(request, process: place.process, cpu: place.cpu, flags: 0))
      } catch {
        // A CPU may have gone offline since the list was read.
        if error == .noSuchDevice, places.count > 1 { continue }
        throw openRefusal(error, event, request, process: place.process)
      }
      mechanism = try run(on: opened, &parts, &refusals, by: mechanism)
      parts.events.append(opened)
    }
    guard !parts.events.isEmpty else {
      throw EBPFError(.notFound, "there is no CPU online to count \(event.name) on")
    }
    try enable(parts.events)
    return link(Attachment(parts), by: mechanism, after: refusals)
  }

  /// Puts the program on an open event: by a link if the kernel has them, else by an ioctl.
  func run(
    on event: SharedDescriptor, _ parts: inout Attachment.Parts, _ refusals: inout [Link.Refusal],
    by mechanism: Link.Mechanism = .perfEventLink, cookie: UInt64? = nil
  ) throws(EBPFError) -> Link.Mechanism {
    let cookie = cookie ?? point.cookie
    if mechanism == .perfEventLink {
      let request = LinkRequest(
        program: descriptor, target: event.number, attachType: AttachType.perfEvent.rawValue,
        detail: .perfEvent(cookie: cookie))
      do throws(Errno) {
        parts.links.append(SharedDescriptor(try kernel.createLink(request)))
        return .perfEventLink
      } catch {
        guard error == .invalid || error == .badDescriptor || error == .notSupported else {
          throw programRefusal(error, call: "bpf(BPF_LINK_CREATE)")
        }
        refusals.append(Link.Refusal(mechanism: .perfEventLink, reason: "\(error)"))
        guard cookie == 0 else {
          throw EBPFError(
            .unsupported, "this kernel cannot give the program at \(point) a cookie",
            systemCall: error.failure(of: "bpf(BPF_LINK_CREATE)"), hint: "cookies need Linux 5.15")
        }
      }
    }
    do throws(Errno) {
      try kernel.control(perfEvent: event.number, .attach(program: descriptor))
      return .perfEvent
    } catch { throw programRefusal(error, call: "ioctl(PERF_EVENT_IOC_SET_BPF)") }
  }

  func enable(_ events: [SharedDescriptor]) throws(EBPFError) {
    for event in events {
      do throws(Errno) { try kernel.control(perfEvent: event.number, .enable) } catch {
        throw EBPFError(
          .system, "the event of \(point) could not be switched on",
          systemCall: error.failure(of: "ioctl(PERF_EVENT_IOC_ENABLE)"))
      }
    }
  }

  private func programRefusal(_ error: Errno, call: String) -> EBPFError {
    switch error {
    case .exists:
      EBPFError(
        .exists, "the program already runs at \(point)", systemCall: error.failure(of: call),
        hint: "one link is enough: a tracepoint's event fires for every CPU")
    case .tooBig:
      EBPFError(
        .unsupported, "too many programs run at \(point)", systemCall: error.failure(of: call),
        hint: "the kernel allows 64 for each tracepoint")
    case .invalid:
      EBPFError(
        .unsupported, "the kernel does not let the program run at \(point)",
        systemCall: error.failure(of: call),
        hint:
          "it may read past the end of the tracepoint's record, or have been built for another type"
      )
    default: refusal(error, "\(point)", error.failure(of: call))
    }
  }

  private func openRefusal(
    _ error: Errno, _ event: PerfEventSpec, _ request: PerfEventRequest, process: Int32
  ) -> EBPFError {
    let failure = error.failure(of: "perf_event_open")
    switch error {
    case .noEntry, .notSupported, .noSuchDevice:
      return EBPFError(
        .unsupported, "this machine does not count \(event.name)", systemCall: failure,
        hint: event.type == 0
          ? "virtual machines often have no hardware counters; use PerfEventSpec.cpuClock" : nil)
    case .noProcess:
      return EBPFError(.notFound, "there is no process \(process)", systemCall: failure)
    case .invalid:
      let limit = PerfEventLimits.maximumRate()
      if case .frequency(let hz) = event.rate, let limit, hz > limit {
        return EBPFError(
          .invalidArgument, "\(hz) Hz is more than the kernel allows, which is \(limit) Hz",
          systemCall: failure,
          hint: "lower the rate, or raise /proc/sys/kernel/perf_event_max_sample_rate")
      }
      return EBPFError(
        .invalidArgument, "the kernel does not take this \(event.name) event", systemCall: failure)
    case .accessDenied, .notPermitted: return PerfEventLimits.denied(error, "\(event.name)")
    default:
      return EBPFError(.system, "\(event.name) cannot be counted", systemCall: failure)
    }
  }

  func attach(toTracepoint name: String, category: String) throws(EBPFError) -> Link {
    try requireName(category, of: "tracepoint's category")
    try requireName(name, of: "tracepoint")
    guard !category.contains("/"), !name.contains("/") else {
      throw EBPFError(
        .invalidArgument, "'\(category):\(name)' is not a tracepoint's name",
        hint: "give category and name apart: \"sched\", \"sched_switch\"")
    }
    let id = try Tracefs.mounted().id(category: category, name: name)
    var request = PerfEventRequest(type: PerfEventType.tracepoint, config: id)
    request.period = 1
    var parts = Attachment.Parts()
    var refusals: [Link.Refusal] = []
    let event: SharedDescriptor
    do throws(Errno) {
      // One event, on any CPU, fires for all of them.
      event = SharedDescriptor(try kernel.openPerfEvent(request, process: -1, cpu: 0, flags: 0))
    } catch {
      if error == .accessDenied || error == .notPermitted {
        throw PerfEventLimits.denied(error, "\(point)")
      }
      throw EBPFError(
        .system, "\(point) cannot be opened", systemCall: error.failure(of: "perf_event_open"))
    }
    let mechanism = try run(on: event, &parts, &refusals)
    parts.events = [event]
    try enable(parts.events)
    return link(Attachment(parts), by: mechanism, after: refusals)
  }
}

/// `enum perf_type_id` of `linux/perf_event.h`.
enum PerfEventType {
  static let tracepoint: UInt32 = 2
}

/// What keeps a process from opening performance events.
enum PerfEventLimits {
  static func maximumRate() -> UInt64? { sysctl("perf_event_max_sample_rate") }
  static func paranoia() -> Int? { sysctl("perf_event_paranoid") }

  static func sysctl<Number: BinaryInteger>(_ name: String) -> Number? {
    do throws(Errno) {
      return Number(exactly: try SystemFile.integer("/proc/sys/kernel/\(name)"))
    } catch { return nil }
  }

  /// perf_event_open(2) says EACCES for lack of privilege, and EPERM when a filter forbids the call.
  static func denied(_ error: Errno, _ what: String) -> EBPFError {
    let hint: String
    if error == .notPermitted {
      hint =
        "seccomp or lockdown refuses so, lack of capabilities does not: in a container "
        + "allow perf_event_open in its seccomp profile"
    } else if let paranoia = paranoia(), paranoia >= 3 {
      hint =
        "/proc/sys/kernel/perf_event_paranoid is \(paranoia): only CAP_SYS_ADMIN may; "
        + "set it to 2 and CAP_PERFMON is enough"
    } else {
      hint = "it takes CAP_PERFMON, or root"
    }
    return EBPFError(
      .denied, "the kernel does not let this process open \(what)",
      systemCall: error.failure(of: "perf_event_open"), hint: hint)
  }
}
