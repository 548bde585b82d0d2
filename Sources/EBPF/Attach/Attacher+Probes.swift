internal import EBPFSystem
internal import Synchronization

// Kernel and user probes: a performance unit of their own, or else a line in tracefs.

/// A performance monitoring unit that sysfs knows.
struct ProbeUnit {
  /// Its number for perf_event_open(2).
  let type: UInt32
  /// The bit of `config` that asks for the function's return.
  let returnBit: UInt64

  /// Nil when the kernel has no such unit.
  static func named(_ name: String) throws(EBPFError) -> ProbeUnit? {
    let directory = "/sys/bus/event_source/devices/\(name)"
    var path = directory + "/type"
    do throws(Errno) {
      guard let type = UInt32(exactly: try SystemFile.integer(path)) else { throw Errno.invalid }
      path = directory + "/format/retprobe"
      let format = try SystemFile.text(path, limit: 4096)
      let digits = format.drop { $0 != ":" }.dropFirst().prefix { $0.isNumber }
      guard let bit = UInt64(digits), bit < 64 else { throw Errno.invalid }
      return ProbeUnit(type: type, returnBit: 1 << bit)
    } catch {
      if error == .noEntry { return nil }
      throw EBPFError(
        .system, "the performance unit '\(name)' cannot be read", context: [.file(path)],
        systemCall: error.failure(of: "read"))
    }
  }
}

/// A probe with everything resolved, in the form each of the two ways takes.
struct ProbeRequest {
  /// `kprobe` or `uprobe`.
  let unit: String
  /// The function, or the file's path.
  let name: String
  /// Bytes from the function's start, or from the file's.
  let offset: UInt64
  let atReturn: Bool
  /// Only in this process; -1 for all.
  var process: Int32 = -1
  /// Where the file has the semaphore; 0 for none.
  var semaphore: UInt64 = 0
  /// What the program reads with `bpf_get_attach_cookie`; nil for the attach point's.
  var cookie: UInt64?

  /// What follows the event's name in tracefs.
  var definition: String {
    if unit == "kprobe" { return offset == 0 ? name : "\(name)+\(offset)" }
    let place = "\(name):0x" + String(offset, radix: 16)
    return semaphore == 0 ? place : place + "(0x" + String(semaphore, radix: 16) + ")"
  }
}

extension Attacher {
  /// What a refusal means that no other way would change; nil lets the next way try.
  typealias Explanation = (Errno, Link.Mechanism) -> EBPFError?

  /// A probe that is in the kernel, and how it came there.
  struct AttachedProbe {
    var parts: Attachment.Parts
    var mechanism: Link.Mechanism
    var refusals: [Link.Refusal]
  }

  /// Attaches the program to all of these places, or to none, each by the performance unit or else by
  /// tracefs.
  func attach(
    _ probes: [ProbeRequest], after refusals: [Link.Refusal] = [], explain: Explanation
  ) throws(EBPFError) -> Link {
    var all = Attachment.Parts()
    var last: AttachedProbe?
    for probe in probes {
      do throws(EBPFError) {
        let attached = try attach(probe, after: refusals, explain: explain)
        all.add(attached.parts)
        last = attached
      } catch {
        guard let leftover = Attachment(all).end() else { throw error }
        throw error.within(.other("left behind", leftover.message))
      }
    }
    guard let last else {
      throw EBPFError(.invalidArgument, "there are no places to attach to")
    }
    return link(Attachment(all), by: last.mechanism, after: last.refusals)
  }

  private func attach(
    _ probe: ProbeRequest, after earlier: [Link.Refusal], explain: Explanation
  ) throws(EBPFError) -> AttachedProbe {
    var refusals = earlier
    if let unit = try ProbeUnit.named(probe.unit) {
      var event: SharedDescriptor?
      do throws(Errno) { event = try open(probe, unit) } catch {
        if let final = explain(error, .perfEvent) { throw final }
        refusals.append(Link.Refusal(mechanism: .perfEvent, reason: "\(error)"))
      }
      if let event {
        return try finish(event, probe: nil, cookie: probe.cookie, after: refusals)
      }
    } else {
      refusals.append(
        Link.Refusal(
          mechanism: .perfEvent, reason: "there is no performance unit '\(probe.unit)'"))
    }
    return try attachThroughTracefs(probe, after: refusals, explain: explain)
  }

  private func open(_ probe: ProbeRequest, _ unit: ProbeUnit) throws(Errno) -> SharedDescriptor {
    var request = PerfEventRequest(
      type: unit.type,
      config: (probe.atReturn ? unit.returnBit : 0) | probe.semaphore << 32)
    request.name = probe.name
    request.config2 = probe.offset
    return SharedDescriptor(
      try kernel.openPerfEvent(
        request, process: probe.process, cpu: probe.process < 0 ? 0 : -1, flags: 0))
  }

  private func finish(
    _ event: SharedDescriptor, probe: TracefsProbe?, cookie: UInt64?, after earlier: [Link.Refusal]
  ) throws(EBPFError) -> AttachedProbe {
    var refusals = earlier
    var parts = Attachment.Parts()
    var mechanism = try run(on: event, &parts, &refusals, cookie: cookie)
    parts.events = [event]
    try enable(parts.events)
    if let probe {
      parts.probes = [probe]
      mechanism = .tracefs
    }
    return AttachedProbe(parts: parts, mechanism: mechanism, refusals: refusals)
  }

  /// The way for kernels without the performance unit: a line in tracefs, and an event on that.
  func attachThroughTracefs(
    _ probe: ProbeRequest, after refusals: [Link.Refusal], explain: Explanation
  ) throws(EBPFError) -> AttachedProbe {
    let tracefs: Tracefs
    do throws(EBPFError) { tracefs = try Tracefs.mounted() } catch {
      throw allRefused(refusals + [Link.Refusal(mechanism: .tracefs, reason: error.message)])
    }
    let name = ProbeNames.next(for: probe)
    let defined: TracefsProbe
    do throws(Errno) {
      defined = try TracefsProbe.define(
        "\(probe.unit)_events", in: tracefs, letter: probe.atReturn ? "r" : "p",
        group: ProbeNames.group, name: name, place: probe.definition)
    } catch {
      if let final = explain(error, .tracefs) { throw final }
      let reason = "\(tracefs.directory)/\(probe.unit)_events: \(error)"
      throw allRefused(refusals + [Link.Refusal(mechanism: .tracefs, reason: reason)])
    }
    do throws(EBPFError) {
      let event = try openDefined(defined, in: tracefs, process: probe.process)
      return try finish(event, probe: defined, cookie: probe.cookie, after: refusals)
    } catch {
      // The definition goes with the attempt; what remains is told beside the first failure.
      do throws(EBPFError) { try defined.remove() } catch let leftover {
        throw error.within(.other("left behind", leftover.message))
      }
      throw error
    }
  }

  private func openDefined(
    _ probe: TracefsProbe, in tracefs: Tracefs, process: Int32
  ) throws(EBPFError) -> SharedDescriptor {
    let id = try tracefs.id(category: probe.group, name: probe.name)
    var request = PerfEventRequest(type: PerfEventType.tracepoint, config: id)
    request.period = 1
    do throws(Errno) {
      return SharedDescriptor(
        try kernel.openPerfEvent(request, process: process, cpu: process < 0 ? 0 : -1, flags: 0))
    } catch {
      if error == .accessDenied || error == .notPermitted {
        throw PerfEventLimits.denied(error, "\(point)")
      }
      throw EBPFError(
        .system, "\(point) cannot be opened", systemCall: error.failure(of: "perf_event_open"))
    }
  }

  /// Every way has been refused: says which ways those were.
  func allRefused(_ refusals: [Link.Refusal]) -> EBPFError {
    EBPFError(
      .unsupported, "no way to attach to \(point) worked",
      context: refusals.map { .other("tried", $0.description) },
      hint: "'ebpf check' shows what this kernel can do, and what a process needs for it")
  }
}

/// The names of events in tracefs: one group for each process, so that a crash leaves a trace of whose
/// they were.
enum ProbeNames {
  private static let counter = Atomic<UInt64>(0)

  static var group: String { "ebpf_\(CurrentProcess.id)" }

  /// A new name: letters, digits and `_`, at most 63 bytes.
  static func next(for probe: ProbeRequest) -> String {
    let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
    let last = probe.name.split(separator: "/").last ?? "probe"
    let readable = last.utf8.prefix(24).map { byte -> Character in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        Character(UnicodeScalar(byte))
      default: "_"
      }
    }
    return "p\(number)_" + String(readable)
  }
}
