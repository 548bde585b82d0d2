public import EBPFSystem

/// A program that runs at a place, for as long as this value lives.
///
/// Dropping it detaches. Keep it in a property of whatever owns the session: `_ = try attach(…)`
/// detaches at once.
///
/// The kernel detaches when the last descriptor is closed: a child process that another thread has
/// just forked holds copies until it executes its program, so the end may come that much later.
public struct Link: ~Copyable, Sendable {
  let attachment: Attachment
  var attachments: AttachmentSet
  let kernel: any KernelInterface
  /// The program's name; of a kernel structure (``StructOps``), the structure's in the object.
  public internal(set) var programName: String
  /// Where it runs.
  public let point: AttachPoint
  /// Where it runs, by name: `kprobe tcp_connect`. For programs that were loaded for their place, that
  /// place: `fentry tcp_connect`.
  public let place: String
  /// How it was attached.
  public let mechanism: Mechanism
  /// The ways that were tried before, and why they were refused.
  public let refusals: [Refusal]

  init(
    _ attachment: Attachment, program: Program, point: AttachPoint, mechanism: Mechanism,
    refusals: [Refusal]
  ) {
    self.attachment = attachment
    attachments = program.attachments
    kernel = program.kernel
    programName = program.name
    self.point = point
    place =
      switch point.kind {
      case .tracing, .iterator:
        "\(program.sectionName.drop { $0 == "?" }.prefix { $0 != "/" }) \(program.attachTarget)"
      default: point.description
      }
    self.mechanism = mechanism
    self.refusals = refusals
    attachments.add(attachment)
  }

  init(
    _ attachment: Attachment, structOps: StructOps, attachments: AttachmentSet,
    mechanism: Mechanism
  ) {
    self.attachment = attachment
    self.attachments = attachments
    kernel = structOps.map.kernel
    programName = structOps.name
    point = AttachPoint(.structOps(structOps.structure))
    place = point.description
    self.mechanism = mechanism
    refusals = []
    attachments.add(attachment)
  }

  // Whoever wants to know whether detaching worked calls `detach()`.
  deinit {
    attachments.remove(attachment)
    _ = attachment.end()
  }

  /// False after the object it belongs to was unloaded.
  public var isAttached: Bool { !attachment.isEnded }

  /// Detaches now, and says so when something stayed behind.
  public consuming func detach() throws(EBPFError) {
    attachments.remove(attachment)
    if let error = attachment.end() { throw error }
  }
}

extension Link {
  /// A way to attach a program.
  public struct Mechanism: Sendable, Hashable, CustomStringConvertible {
    /// What reports call it.
    public let description: String
    private init(_ description: String) { self.description = description }
    /// `BPF_LINK_CREATE` on a performance event (5.15).
    public static let perfEventLink = Mechanism("perf event, bpf_link")
    /// `PERF_EVENT_IOC_SET_BPF`.
    public static let perfEvent = Mechanism("perf event, ioctl")
    /// A probe written to tracefs, then a performance event on it.
    public static let tracefs = Mechanism("tracefs probe")
    /// `BPF_RAW_TRACEPOINT_OPEN`.
    public static let rawTracepoint = Mechanism("raw tracepoint")
    /// `BPF_LINK_CREATE` with the program's own target.
    public static let tracingLink = Mechanism("tracing, bpf_link")
    /// `BPF_LINK_CREATE` for an iterator.
    public static let iterator = Mechanism("iterator, bpf_link")
    /// `BPF_LINK_CREATE` with many kernel functions (5.18).
    public static let kprobeMulti = Mechanism("kprobe.multi, bpf_link")
    /// `BPF_LINK_CREATE` with many places of a file (6.6).
    public static let uprobeMulti = Mechanism("uprobe.multi, bpf_link")
    /// `BPF_LINK_CREATE` with a kernel structure (6.4).
    public static let structOpsLink = Mechanism("struct_ops, bpf_link")
    /// A kernel structure written to its map.
    public static let structOps = Mechanism("struct_ops, map update")
    /// `BPF_LINK_CREATE` on a control group, a network namespace or an interface.
    public static let link = Mechanism("bpf_link")
  }

  /// A way that did not work.
  public struct Refusal: Sendable, Hashable, CustomStringConvertible {
    /// Which way.
    public let mechanism: Mechanism
    /// Why not.
    public let reason: String
    /// `way: reason`.
    public var description: String { "\(mechanism): \(reason)" }
  }

  /// The kernel's id of the `bpf_link`; nil where the attachment is none, or is several.
  public func id() throws(EBPFError) -> UInt32? {
    guard let descriptor = attachment.singleLink else { return nil }
    do throws(Errno) {
      return try kernel.linkInformation(descriptor.number).id
    } catch {
      throw EBPFError(
        .system, "the kernel does not describe the link at \(point)",
        systemCall: error.failure(of: "bpf(BPF_OBJ_GET_INFO_BY_FD)"))
    }
  }

  /// Keeps the attachment under a name in bpffs; it then outlives this process.
  public func pin(to path: String) throws(EBPFError) {
    guard let descriptor = attachment.singleLink else {
      throw EBPFError(
        .unsupported, "\(point) is attached by \(mechanism), which cannot be pinned",
        hint: "pinning needs a bpf_link: Linux 5.15 for performance events")
    }
    try Pinning.pin(
      descriptor.number, path: path, what: "the link to \(point)", kernel: kernel)
  }

  /// Runs an iterator and returns everything it printed.
  public func readIterator(limit: Int = SystemFile.defaultLimit) throws(EBPFError) -> [UInt8] {
    guard let descriptor = attachment.singleLink, mechanism == .iterator else {
      throw EBPFError(.invalidArgument, "\(point) is not an iterator")
    }
    var call = "bpf(BPF_ITER_CREATE)"
    do throws(Errno) {
      let file = try kernel.createIterator(link: descriptor.number)
      call = "read"
      return try SystemFile.read(file, limit: limit)
    } catch {
      throw EBPFError(
        .system, "the iterator '\(programName)' did not run to its end",
        systemCall: error.failure(of: call))
    }
  }
}

// MARK: - Performance events

extension Link {
  /// Stops a performance event; the program stays attached. Tracepoints and probes go on firing
  /// when their event is disabled, so they are refused: detach instead.
  public func pause() throws(EBPFError) { try control("pause", .disable) }

  /// Lets a paused performance event fire again.
  public func resume() throws(EBPFError) { try control("resume", .enable) }

  /// Changes how often a sampled event fires, without opening it again.
  public func setRate(hz: UInt64) throws(EBPFError) {
    guard case .perfEvent(let event, _) = point.kind, hz > 0 else {
      throw EBPFError(.invalidArgument, "\(point) has no rate that could be \(hz) Hz")
    }
    // The kernel turns a clock's frequency into a period when it is opened, and from then on takes
    // nanoseconds.
    try control("re-rate", .setPeriod(event.isClock ? max(10_000, 1_000_000_000 / hz) : hz))
  }

  private func control(_ verb: String, _ command: PerfEventCommand) throws(EBPFError) {
    guard case .perfEvent = point.kind else {
      throw EBPFError(
        .unsupported, "cannot \(verb) \(point): the kernel runs its program all the same",
        hint: "detach the link, or let the program look at a flag in a map")
    }
    for event in attachment.events {
      do throws(Errno) {
        try kernel.control(perfEvent: event.number, command)
      } catch {
        throw EBPFError(
          .system, "cannot \(verb) \(point)", systemCall: error.failure(of: "ioctl(perf event)"))
      }
    }
  }
}
