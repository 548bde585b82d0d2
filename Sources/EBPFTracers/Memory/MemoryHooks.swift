internal import EBPF
internal import EBPFSystem

/// The memory tracer's object in the kernel, with everything attached but the allocators' probes.
struct MemoryHooks: Sendable {
  let attached: AttachedHooks
  /// How each need was met.
  let hooks: [TracerHook]
  /// True with user stacks by unwind tables.
  let walks: Bool

  /// What runs for every page fault, and for every system call of the machine.
  static let costly: Set<String> = [
    "memory_fault_user", "memory_fault_kernel", "memory_call_enter", "memory_call_exit",
  ]
  /// What sees the mappings of 32-bit programs where tracepoints see the others'. It runs for every
  /// system call of the machine, so it is attached only when there is such a program. The return comes
  /// first: a call whose entry was seen and whose return was not would take the next one's for its own.
  static let compat = ["memory_compat_exit", "memory_compat_enter"]
  static let compatUsed = "raw_tp/sys_enter + raw_tp/sys_exit"
  static let compatNeed = "mappings of 32-bit programs"

  private static let faultNeed = "page faults"
  private static let faultEvent = "memory_fault_event"

  init(
    _ configuration: MemoryTracerConfiguration, _ control: MemoryControl,
    _ source: AllocationSource, _ mechanism: AllocatorProbes.Mechanism, filter: ProcessFilter,
    kernel: any KernelInterface
  ) throws(EBPFError) {
    let stacks = MemoryStacks(configuration, kernel: kernel)
    walks = stacks.walks
    var object = try stacks.object()
    var others = Set(MemoryHooks.compat)
    var options = LoadOptions()
    options.maxEntries = [
      "live": 1, "sites": max(1, configuration.siteLimit), "events": configuration.eventBufferBytes,
    ]
    if walks { options.maxEntries["unwind_rows"] = configuration.unwindRows }
    if configuration.allocations != .none {
      options.maxEntries["live"] = max(1, configuration.blockLimit)
      others.formUnion(source.programs)
      for index in object.programs.indices
      where source.programs.contains(object.programs[index].name) {
        object.programs[index].attachType = mechanism.attachType
      }
      if mechanism.hasSessions && !source.usesStaticProbes {
        others.insert(AllocatorProbes.session)
      }
    }
    let prepare = { (object: LoadedObject) throws(EBPFError) in
      try Map<UInt32, MemoryControl>(try object.map("control")).update(0, control)
    }
    let first = try AttachedHooks(
      object, plans: MemoryHooks.plans, loading: others, options: options, filter: filter,
      kernel: kernel,
      prepare: prepare)
    guard
      let index = first.hooks.firstIndex(where: {
        $0.need == MemoryHooks.faultNeed && $0.used == "none"
      })
    else {
      attached = first
      hooks = first.hooks + stacks.hook
      return
    }
    // Machines without the tracepoints have the software event.
    first.object.unload()
    others.insert(MemoryHooks.faultEvent)
    attached = try AttachedHooks(
      object, plans: MemoryHooks.plans.filter { $0.need != MemoryHooks.faultNeed }, loading: others,
      options: options, filter: filter, kernel: kernel, prepare: prepare)
    let link = try attached.object.program(MemoryHooks.faultEvent).attach(.perfEvent(.pageFaults()))
    var hooks = attached.hooks
    hooks.insert(
      TracerHook(
        need: MemoryHooks.faultNeed, used: "perf event page-faults by \(link.mechanism)",
        refused: first.hooks[index].refused), at: index)
    self.hooks = hooks + stacks.hook
    try attached.links.insert(link, as: MemoryHooks.faultEvent)
  }

  private static let plans = [
    HookPlan(
      need: faultNeed, rungs: [["memory_fault_user", "memory_fault_kernel"]], isRequired: false),
    HookPlan(
      need: "mappings",
      rungs: [
        [
          "memory_mmap_exit", "memory_munmap_exit", "memory_mremap_exit", "memory_break_enter",
          "memory_break_exit",
        ],
        ["memory_call_enter", "memory_call_exit"],
      ]),
    HookPlan(need: "resident pages", rungs: [["memory_rss"]], isRequired: false),
    HookPlan(need: "out-of-memory kills", rungs: [["memory_victim"]], isRequired: false),
    HookPlan(need: "ended processes", rungs: [["memory_exit"]]),
    HookPlan(need: "started programs", rungs: [["memory_exec"]]),
  ]
}

extension MemoryControl {
  /// What the programs are told before they are attached.
  init(_ configuration: MemoryTracerConfiguration) {
    faultPeriod = configuration.faultPeriod
    historyInterval = configuration.historyInterval
    if !configuration.takesStacks { flags |= Flags.noStacks }
    if case .sampled(let bytes) = configuration.allocations { sampleBytes = bytes }
    do throws(Errno) {
      let limit = try SystemFile.integer("/proc/sys/kernel/perf_event_max_stack")
      stackLimit = UInt32(clamping: limit)
    } catch { stackLimit = 0 }  // The programs then assume the kernel's default.
  }
}
