internal import EBPFSystem

extension Program {
  /// Makes the program run at a place, in the best way this kernel has.
  ///
  /// A refusal names every way that was tried. The program runs from the moment this returns, until
  /// the link goes away.
  public func attach(_ point: AttachPoint) throws(EBPFError) -> Link {
    try EBPFError.at(.program(name)) { () throws(EBPFError) -> Link in
      try checkType(for: point)
      return try withDescriptor { (descriptor) throws(EBPFError) -> Link in
        let attacher = Attacher(program: self, descriptor: descriptor, point: point)
        switch point.kind {
        case .perfEvent(let event, let scope): return try attacher.attach(to: event, on: scope)
        case .tracepoint(let category, let name):
          return try attacher.attach(toTracepoint: name, category: category)
        case .rawTracepoint(let name): return try attacher.attach(toRawTracepoint: name)
        case .tracing: return try attacher.attachToLoadedTarget()
        case .iterator(let target): return try attacher.attachIterator(target)
        case .kprobe(let probe): return try attacher.attach(to: probe)
        case .kprobeMulti(let functions, let atReturn):
          return try attacher.attach(toAll: functions, atReturn: atReturn)
        case .uprobe(let probe): return try attacher.attach(to: probe)
        case .uprobeMulti(let probe, let places):
          return try attacher.attach(toAll: places, like: probe)
        case .usdt(let probe): return try attacher.attach(to: probe)
        case .cgroup(let path, let flags):
          return try attacher.attach(toDescriptorOf: path, flags: flags)
        case .networkNamespace(let path): return try attacher.attach(toDescriptorOf: path, flags: 0)
        case .interface(let index, let flags):
          return try attacher.attach(toInterface: index, flags: flags)
        case .function(let name, let target):
          return try attacher.attach(toFunction: name, of: target)
        case .structOps:
          throw EBPFError(
            .invalidArgument, "a program runs as a member of \(point), not by itself",
            hint: "attach the structure: StructOps.attach()")
        }
      }
    }
  }

  /// Refuses what the kernel would refuse with a bare EINVAL.
  private func checkType(for point: AttachPoint) throws(EBPFError) {
    let accepted: [ProgramType]
    switch point.kind {
    case .perfEvent: accepted = [.perfEvent]
    case .tracepoint: accepted = [.tracepoint]
    case .rawTracepoint: accepted = [.rawTracepoint, .rawTracepointWritable]
    case .tracing: accepted = [.tracing, .lsm, .replacement]
    case .iterator: accepted = [.tracing]
    case .kprobe, .kprobeMulti, .uprobe, .uprobeMulti, .usdt: accepted = [.kprobe]
    case .function: accepted = [.replacement]
    case .cgroup, .networkNamespace, .interface, .structOps: return
    }
    guard accepted.contains(type) else {
      throw EBPFError(
        .invalidArgument, "a program of type \(type) cannot run at \(point)",
        hint: "it takes one of type \(accepted.map(\.name).joined(separator: " or "))")
    }
    let isIterator = attachType == .traceIterator
    if case .iterator = point.kind, !isIterator {
      throw EBPFError(.invalidArgument, "the program was not loaded as an iterator")
    }
    if case .tracing = point.kind, isIterator {
      throw EBPFError(.invalidArgument, "the program is an iterator: attach it as one")
    }
  }
}

/// One attempt to attach a program: what it needs, and which ways were refused.
struct Attacher {
  let program: Program
  let descriptor: Int32
  let point: AttachPoint
  var kernel: any KernelInterface { program.kernel }

  func link(
    _ attachment: Attachment, by mechanism: Link.Mechanism, after refusals: [Link.Refusal] = []
  ) -> Link {
    Link(attachment, program: program, point: point, mechanism: mechanism, refusals: refusals)
  }

  func link(_ descriptor: consuming OwnedDescriptor, by mechanism: Link.Mechanism) -> Link {
    link(Attachment(link: descriptor), by: mechanism)
  }

  func requireName(_ name: String, of what: String) throws(EBPFError) {
    guard !name.isEmpty else {
      throw EBPFError(.invalidArgument, "the name of the \(what) is empty")
    }
    guard !name.utf8.contains(0) else {
      throw EBPFError(.invalidArgument, "the name of the \(what) has a zero byte in it")
    }
  }
}

// MARK: - Places that take one call

extension Attacher {
  func attach(toRawTracepoint name: String) throws(EBPFError) -> Link {
    try requireName(name, of: "tracepoint")
    do throws(Errno) {
      return link(
        try kernel.openRawTracepoint(name, program: descriptor, cookie: point.cookie),
        by: .rawTracepoint)
    } catch {
      let failure = error.failure(of: "bpf(BPF_RAW_TRACEPOINT_OPEN)")
      if error == .noEntry {
        throw EBPFError(
          .notFound, "there is no raw tracepoint '\(name)'", systemCall: failure,
          hint: KernelTypes.running.nearNames(to: name, for: .traceRawTracepoint)
            ?? "the name has no category: 'sched_switch', not 'sched/sched_switch'")
      }
      if error == .invalid {
        throw EBPFError(
          .unsupported, "the kernel does not let the program run at raw tracepoint '\(name)'",
          systemCall: failure,
          hint: point.cookie != 0
            ? "cookies on raw tracepoints need Linux 6.10"
            : "the program may read more arguments than the tracepoint has")
      }
      throw refusal(error, "raw tracepoint '\(name)'", failure)
    }
  }

  func attachToLoadedTarget() throws(EBPFError) -> Link {
    let request = LinkRequest(
      program: descriptor, target: 0, attachType: program.attachType.rawValue,
      detail: .tracing(targetTypeID: 0, cookie: point.cookie))
    do throws(Errno) {
      // Since 5.19 links can carry a cookie; before, the same is done by an older command.
      if point.cookie == 0 {
        return link(
          try kernel.openRawTracepoint("", program: descriptor, cookie: 0), by: .tracingLink)
      }
      return link(try kernel.createLink(request), by: .tracingLink)
    } catch {
      let call = point.cookie == 0 ? "bpf(BPF_RAW_TRACEPOINT_OPEN)" : "bpf(BPF_LINK_CREATE)"
      if program.type == .replacement { throw Self.replacing(program.attachTarget, error, call) }
      if error == .busy, try FunctionSelection.isTraceable(program.attachTarget) == false {
        throw EBPFError(
          .unsupported, "the kernel cannot trace '\(program.attachTarget)'",
          systemCall: error.failure(of: call),
          hint: "available_filter_functions in tracefs lists the functions it can")
      }
      throw refusal(error, "'\(program.attachTarget)'", error.failure(of: call))
    }
  }

  func attachIterator(_ target: [UInt8]) throws(EBPFError) -> Link {
    do throws(Errno) {
      let request = LinkRequest(
        program: descriptor, target: 0, attachType: AttachType.traceIterator.rawValue,
        detail: .iterator(target))
      return link(try kernel.createLink(request), by: .iterator)
    } catch {
      throw refusal(
        error, "iterator '\(program.attachTarget)'", error.failure(of: "bpf(BPF_LINK_CREATE)"))
    }
  }

  func attach(toDescriptorOf path: String, flags: UInt32) throws(EBPFError) -> Link {
    try requireName(path, of: "path")
    var call = "open"
    do throws(Errno) {
      let target = try SystemFile.open(path, flags: SystemFile.readOnly)
      call = "bpf(BPF_LINK_CREATE)"
      var request = LinkRequest(
        program: descriptor, target: target.rawValue, attachType: program.attachType.rawValue)
      request.flags = flags
      return link(try kernel.createLink(request), by: .link)
    } catch {
      throw refusal(error, "\(point)", error.failure(of: call)).within(.file(path))
    }
  }

  func attach(toInterface index: Int32, flags: UInt32) throws(EBPFError) -> Link {
    let isTCX = program.attachType == .tcxIngress || program.attachType == .tcxEgress
    // Programs of older sections carry no attach type; a link names it all the same.
    let attachType = program.type == .xdp ? AttachType.xdp : program.attachType
    var request = LinkRequest(
      program: descriptor, target: index, attachType: attachType.rawValue,
      detail: isTCX ? .anchored(relative: 0, revision: 0) : .none)
    request.flags = flags
    do throws(Errno) {
      return link(try kernel.createLink(request), by: .link)
    } catch {
      throw refusal(error, "\(point)", error.failure(of: "bpf(BPF_LINK_CREATE)"))
    }
  }

  /// What most commands mean by their refusals.
  func refusal(
    _ error: Errno, _ place: String, _ failure: EBPFError.SystemCallFailure
  ) -> EBPFError {
    switch error {
    case .notPermitted, .accessDenied:
      EBPFError(
        .denied, "the kernel does not let this process attach to \(place)", systemCall: failure,
        hint: "it takes CAP_BPF and CAP_PERFMON (CAP_NET_ADMIN for networking), or root")
    case .busy, .exists:
      EBPFError(.exists, "something is already attached to \(place)", systemCall: failure)
    case .noEntry, .noSuchDevice, .noDevice:
      EBPFError(.notFound, "\(place) does not exist", systemCall: failure)
    case .invalid, .notSupported, .notSupportedInternal:
      EBPFError(
        .unsupported, "this kernel cannot attach the program to \(place)", systemCall: failure,
        hint: "'ebpf check' shows what it can do")
    default: EBPFError(.system, "the program was not attached to \(place)", systemCall: failure)
    }
  }
}
