internal import EBPF
internal import EBPFSystem
internal import Symbolization
internal import Synchronization

/// A system call tracer between start and stop.
final class SyscallSession: Sendable {
  let configuration: SyscallTracerConfiguration
  let hooks: [TracerHook]
  /// When the tracer was asked to start, and when it had: the monotonic clock.
  let requestTime: UInt64
  let recordingSince: UInt64
  let object: LoadedObject
  let waitingAtStart: [WaitingCall]
  let control: MappedArray<SyscallControl>
  let ring: Mutex<EventRing>
  /// Asks processes for their spans; nil unless that is wanted.
  let contexts: ContextWatch?

  private let links: Links
  private let meter: OverheadMeter
  private let economy: EconomyMap
  /// Programs at a call's return and at its entry, in the order in which they are attached.
  private let callPrograms: [String]
  private let isSuspended = Mutex(false)
  private let filter: ProcessFilter
  private let rules: MappedArray<CallRule>
  private let errnos: MappedArray<UInt64>
  private let counters: PerCPUMap<UInt32, SyscallCounters>

  init(
    _ configuration: SyscallTracerConfiguration, lists: ProcessLists?,
    kernel: any KernelInterface
  ) throws(EBPFError) {
    requestTime = Clock.monotonic.now
    self.configuration = configuration
    try SyscallSession.check(configuration.results)
    meter = OverheadMeter(kernel: kernel, countsProgramTime: configuration.measuresProgramTime)
    filter = try ProcessFilter(
      configuration.filter, excluding: configuration.includesSelf ? nil : CurrentProcess.id,
      lists: lists, kernel: kernel)
    let attached = try SyscallSession.attach(configuration, filter, kernel) {
      (object) throws(EBPFError) in
      let rules = try MappedArray<CallRule>(try object.map("rules"))
      SyscallSession.describeCalls(rules)
      let control = try MappedArray<SyscallControl>(try object.map("control"))
      control[0].stackLatency = configuration.stacksOver ?? 0
      control[0].eventLatency = configuration.eventRule?.minimumNanoseconds ?? 0
      let errnos = try MappedArray<UInt64>(try object.map("errnos"))
      SyscallSession.apply(configuration.selection, rules, control)
      SyscallSession.apply(configuration.results, errnos, control)
    }
    object = attached.object
    links = attached.links
    hooks = attached.hooks
    economy = try EconomyMap(object)
    let names = links.names
    callPrograms = ["exit_", "enter_"].flatMap { prefix in names.filter { $0.hasPrefix(prefix) } }
    rules = try MappedArray(try object.map("rules"))
    errnos = try MappedArray(try object.map("errnos"))
    control = try MappedArray(try object.map("control"))
    counters = try PerCPUMap(try object.map("counters"))
    ring = Mutex(try EventRing(try object.map("events")))
    contexts = try SyscallSession.contexts(object, configuration)
    recordingSince = Clock.monotonic.now
    waitingAtStart =
      links.names.contains("list_calls")
      ? try SyscallSession.waiting(links, now: recordingSince).filter { $0.nanoseconds == nil } : []
    KernelTypes.running.forget()
  }

  /// Those that publish already are known before the first event is read.
  private static func contexts(
    _ object: LoadedObject, _ configuration: SyscallTracerConfiguration
  ) throws(EBPFError) -> ContextWatch? {
    guard configuration.linksSpans, configuration.sendsEvents else { return nil }
    let contexts = try ContextWatch(object, symbolizer: Symbolizer.ofTracers())
    let wanted = configuration.filter.processes
    try wanted.isEmpty ? contexts.prepareAll() : contexts.prepare(wanted)
    return contexts
  }

  // MARK: - Loading

  /// The programs, best first. The return comes before the entry, so that no entry is seen whose
  /// return is not.
  private static let plans = [
    HookPlan(
      need: "system calls",
      rungs: [
        ["exit_typed", "enter_typed"], ["exit_raw", "enter_raw"], ["exit_table", "enter_table"],
        ["exit_perf", "enter_perf"],
      ]),
    HookPlan(need: "threads inside a call", rungs: [["list_calls"]], isRequired: false),
  ]

  private static func attach(
    _ configuration: SyscallTracerConfiguration, _ filter: ProcessFilter,
    _ kernel: any KernelInterface, prepare: (LoadedObject) throws(EBPFError) -> Void
  ) throws(EBPFError) -> AttachedHooks {
    guard configuration.keys > 0, let keys = UInt32(exactly: configuration.keys) else {
      throw EBPFError(.invalidArgument, "there cannot be room for \(configuration.keys) keys")
    }
    guard let events = UInt32(exactly: configuration.eventBufferBytes), events > 0 else {
      throw EBPFError(
        .invalidArgument, "a buffer cannot be \(configuration.eventBufferBytes) bytes long")
    }
    var file = try ObjectFile(parsing: EmbeddedObject.syscallTracer, name: "syscall_tracer")
    try file.setVariable("syscall_flags", to: flags(configuration))
    var options = LoadOptions()
    options.maxEntries["matrix"] = keys
    options.maxEntries["histograms"] = configuration.histogramsByOwner ? keys : 1
    options.maxEntries["events"] =
      configuration.sendsEvents ? events : UInt32(clamping: CurrentProcess.pageSize)
    do throws(EBPFError) {
      return try AttachedHooks(
        file, plans: plans, options: options, filter: filter, kernel: kernel, prepare: prepare)
    } catch {
      // No task storage before Linux 5.12: the programs that need it are then refused one by one.
      guard error.context.contains(.map("threads")) else { throw error }
      file.maps.removeAll { $0.name == "threads" }
      return try AttachedHooks(
        file, plans: plans, options: options, filter: filter, kernel: kernel, prepare: prepare)
    }
  }

  // MARK: - Filters

  static func check(_ results: SyscallResultFilter) throws(EBPFError) {
    guard let bad = results.errnos.first(where: { !(1...4095).contains($0) }) else { return }
    throw EBPFError(.invalidArgument, "\(bad) is no errno", hint: "they are 1 to 4095")
  }

  private static func flags(_ configuration: SyscallTracerConfiguration) -> UInt32 {
    var flags: UInt32 = 0
    switch configuration.grouping {
    case .none: break
    case .process: flags |= SyscallFlags.byProcess
    case .cgroup: flags |= SyscallFlags.byCgroup
    }
    if configuration.histogramsByOwner { flags |= SyscallFlags.histograms }
    if configuration.sendsEvents { flags |= eventFlags(configuration.eventRule) }
    if configuration.stacksOver != nil { flags |= SyscallFlags.stacks }
    return flags
  }

  private static func eventFlags(_ rule: SyscallEventRule?) -> UInt32 {
    guard let rule else { return SyscallFlags.events }
    // Without a condition the kernel would send all.
    guard rule.isAnyWanted else { return 0 }
    return SyscallFlags.events | (rule.failed ? SyscallFlags.failedEvents : 0)
      | (rule.minimumNanoseconds != nil ? SyscallFlags.slowEvents : 0)
  }

  private static func describeCalls(_ rules: borrowing MappedArray<CallRule>) {
    for slot in 0..<rules.count {
      guard let call = Syscall(slot: UInt32(slot)) else { continue }
      rules[slot] = CallRule(describing: call)
    }
  }

  private static func apply(
    _ selection: SyscallSelection, _ rules: borrowing MappedArray<CallRule>,
    _ control: borrowing MappedArray<SyscallControl>
  ) {
    var verdicts = [UInt8](repeating: CallRule.Verdict.none, count: rules.count)
    for name in selection.allowed {
      for call in SyscallSelection.calls(named: name) {
        verdicts[Int(call.slot)] = CallRule.Verdict.allow
      }
    }
    for name in selection.denied {
      for call in SyscallSelection.calls(named: name) {
        verdicts[Int(call.slot)] = CallRule.Verdict.deny
      }
    }
    for (slot, verdict) in verdicts.enumerated() where rules[slot].verdict != verdict {
      rules[slot].verdict = verdict
    }
    let list = SyscallControl.Flags.allowList
    control[0].flags = control[0].flags & ~list | (selection.isAllowList ? list : 0)
  }

  private static func apply(
    _ results: SyscallResultFilter, _ errnos: borrowing MappedArray<UInt64>,
    _ control: borrowing MappedArray<SyscallControl>
  ) {
    typealias Flags = SyscallControl.Flags
    var words = [UInt64](repeating: 0, count: errnos.count)
    for errno in results.errnos { words[Int(errno) / 64] |= 1 << UInt64(errno % 64) }
    for (index, word) in words.enumerated() { errnos[index] = word }
    control[0].minimumLatency = results.minimumNanoseconds
    var flags = control[0].flags & ~(Flags.failed | Flags.errnos | Flags.slow)
    if results.failedOnly { flags |= Flags.failed }
    if !results.errnos.isEmpty { flags |= Flags.errnos }
    if results.minimumNanoseconds > 0 { flags |= Flags.slow }
    control[0].flags = flags
  }

  func apply(_ selection: SyscallSelection) { SyscallSession.apply(selection, rules, control) }

  func apply(_ results: SyscallResultFilter) { SyscallSession.apply(results, errnos, control) }

  func apply(_ filter: TracerFilter) throws(EBPFError) {
    try self.filter.change(to: filter, in: object)
  }

  // MARK: - Reading

  /// The kernel's counters, summed over CPUs.
  func counts() throws(EBPFError) -> SyscallCounters {
    SyscallCounters(summing: try counters.values(for: 0) ?? [])
  }

  /// Threads inside a call, as the kernel's iterator lists them.
  private static func waiting(_ links: Links, now: UInt64) throws(EBPFError) -> [WaitingCall] {
    let bytes = try links.withLink("list_calls") { (link) throws(EBPFError) in
      try link.readIterator()
    }
    var calls: [WaitingCall] = []
    let size = MemoryLayout<WaitingRecord>.size
    for offset in stride(from: 0, through: bytes.count - size, by: size) {
      guard
        let record = BitwiseBytes.load(WaitingRecord.self, from: bytes.span.rawBytes, at: offset)
      else { break }
      calls.append(
        WaitingCall(
          process: Int32(truncatingIfNeeded: record.process),
          thread: Int32(truncatingIfNeeded: record.thread), command: record.command.text,
          call: Syscall(word: record.call),
          nanoseconds: record.entered == 0 ? nil : now - min(now, record.entered)))
    }
    return calls
  }

  /// Stops recording and lists who is still inside a recorded call.
  func detach() throws(EBPFError) -> [WaitingCall] {
    control[0].paused = 1
    defer { links.detachAll() }
    guard links.names.contains("list_calls") else { return [] }
    return try SyscallSession.waiting(links, now: Clock.monotonic.now).filter {
      $0.nanoseconds != nil
    }
  }

  /// Leaves out what costs too much. While suspended the programs are not attached.
  func economize(_ economy: TracerEconomy) throws(EBPFError) {
    try isSuspended.withLock { (isSuspended) throws(EBPFError) in
      self.economy.apply(economy)
      guard economy.isSuspended != isSuspended else { return }
      if economy.isSuspended {
        for name in callPrograms.reversed() { try links.detach(name) }
      } else {
        // What was in progress may have returned unseen.
        control[0].since = Clock.monotonic.now
        for name in callPrograms {
          try links.insert(try object.program(name).attachBySection(), as: name)
        }
      }
      isSuspended = economy.isSuspended
    }
  }

  func overhead() throws(EBPFError) -> TracerOverhead {
    let latencies = ring.withLock { $0.latencies }
    return try meter.read(object, filter.lists, latencies: latencies)
  }

  func kernelNanoseconds() throws(EBPFError) -> UInt64? {
    try meter.kernelNanoseconds(object, filter.lists)
  }

  /// Started processes that should have been followed and are not.
  func unfollowed() throws(EBPFError) -> UInt64 { try filter.lists.lost() }

  /// Gives everything back to the kernel.
  func unload() { object.unload() }
}
