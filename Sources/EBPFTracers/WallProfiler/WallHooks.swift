internal import EBPF
internal import EBPFSystem

/// How the wall profiler's needs are met: the programs of wall_profiler.bpf.c.
struct WallHooks {
  let attached: AttachedHooks
  /// How each need was met.
  let hooks: [TracerHook]
  /// True with user stacks by unwind tables.
  let walks: Bool
  /// What lists the threads that live.
  let lister: String
  /// What makes the records of threads that are there, and lists the processes of those wanted.
  let meeter: String
  /// What takes samples; nil where none are taken.
  let sampler: String?

  static let needSwitches = "context switches"

  /// Loads and attaches the best that the kernel has: BTF tracepoints and records in tasks, with unwind
  /// tables or without; else raw tracepoints and a table of threads.
  ///
  /// - Parameters:
  ///   - filter: put in force before anything is attached.
  ///   - prepare: fills the other maps before.
  static func attach(
    _ configuration: WallProfilerConfiguration, filter: ProcessFilter, kernel: any KernelInterface,
    prepare: (LoadedObject) throws(EBPFError) -> Void
  ) throws(EBPFError) -> WallHooks {
    var refusals: [TracerHook.Refusal] = []
    for way in [Way.walking, .tasks] where way.isPossible(configuration) {
      do throws(EBPFError) {
        return try WallHooks(way, configuration, refusals, filter, kernel, prepare)
      } catch {
        guard error.code == .rejected || error.code == .unsupported else { throw error }
        refusals.append(TracerHook.Refusal(hook: way.rawValue, why: error.message))
      }
    }
    return try WallHooks(.table, configuration, refusals, filter, kernel, prepare)
  }

  private init(
    _ way: Way, _ configuration: WallProfilerConfiguration, _ refusals: [TracerHook.Refusal],
    _ filter: ProcessFilter, _ kernel: any KernelInterface,
    _ prepare: (LoadedObject) throws(EBPFError) -> Void
  ) throws(EBPFError) {
    let samples = configuration.coverage == .wall
    var object = try ObjectFile(parsing: EmbeddedObject.wallProfiler, name: "wall_profiler")
    try object.setVariable("profiler_flags", to: WallHooks.flags(configuration))
    try object.setVariable("wall_min_wait", to: configuration.minimumWait)
    try object.setVariable(
      "wall_takes_wakers", to: UInt32(configuration.recordsWakers ? 1 : 0))
    try object.setVariable(
      "wall_tracks_late", to: UInt32(ProcessNumbers.seesAllProcesses ? 0 : 1))
    var options = LoadOptions()
    options.maxEntries["waits"] = configuration.tableEntries
    options.maxEntries["wakes"] = configuration.recordsWakers ? configuration.tableEntries : 1
    options.maxEntries["events"] = configuration.ringBytes
    if !samples { options.maxEntries["counts"] = 1 }
    if way == .walking {
      options.maxEntries["unwind_rows"] = UInt32(clamping: max(configuration.unwindBytes / 8, 1))
    } else {
      for map in ["unwind_rows", "unwind_mappings", "unwind_processes"] {
        options.maxEntries[map] = 1
      }
    }
    // Kernels without the one have programs without it.
    let other = way == .table ? "threads" : "threads_by_id"
    object.maps.removeAll { $0.name == other }
    let walks = way == .walking
    let lister = way == .table ? "wall_list_by_id" : "wall_list"
    let meeter = way == .table ? "wall_meet_by_id" : "wall_meet"
    let sampler = samples ? (walks ? "wall_sample_walk" : "wall_sample") : nil
    let others = [lister, meeter, sampler].compactMap(\.self)
    let attached = try AttachedHooks(
      object, plans: [HookPlan(need: WallHooks.needSwitches, rungs: [way.programs(configuration)])],
      loading: Set(others), options: options, filter: filter, kernel: kernel, prepare: prepare)
    self.attached = attached
    self.walks = walks
    self.lister = lister
    self.meeter = meeter
    self.sampler = sampler
    hooks = WallHooks.report(attached, way, configuration, refusals)
  }

  private static func report(
    _ attached: AttachedHooks, _ way: Way, _ configuration: WallProfilerConfiguration,
    _ refusals: [TracerHook.Refusal]
  ) -> [TracerHook] {
    var hooks = attached.hooks
    hooks[0] = TracerHook(
      need: needSwitches, used: hooks[0].used, refused: way == .table ? refusals : [])
    if configuration.stacks != .kernel {
      let tables = Way.walking.stacks
      var refused = refusals.prefix(1).map { TracerHook.Refusal(hook: tables, why: $0.why) }
      if way != .walking, refused.isEmpty {
        refused = [TracerHook.Refusal(hook: tables, why: Way.walking.whyNot(configuration))]
      }
      hooks.append(TracerHook(need: "user stacks", used: way.stacks, refused: refused))
    }
    return hooks
  }

  private static func flags(_ configuration: WallProfilerConfiguration) -> UInt32 {
    var flags: UInt32 = 0
    if configuration.stacks == .kernel { flags |= ProfilerFlags.noUserStacks }
    if configuration.stacks == .user { flags |= ProfilerFlags.noKernelStacks }
    if configuration.namesThreads { flags |= ProfilerFlags.perThread }
    return flags
  }
}

extension WallHooks {
  /// The ways there are, best first.
  private enum Way: String {
    case walking = "BTF tracepoints, with unwind tables"
    case tasks = "BTF tracepoints"
    case table = "raw tracepoints"

    /// Programs that belong together.
    func programs(_ configuration: WallProfilerConfiguration) -> [String] {
      let wakers = configuration.recordsWakers
      return switch self {
      case .walking:
        [
          "wall_start", "wall_exit", wakers ? "wall_waker_walk" : "wall_waking",
          "wall_switch_walk",
        ]
      case .tasks:
        ["wall_start", "wall_exit", wakers ? "wall_waker" : "wall_waking", "wall_switch"]
      case .table:
        [
          "wall_start_by_id", "wall_exit_by_id",
          wakers ? "wall_waker_by_id" : "wall_waking_by_id", "wall_switch_by_id",
        ]
      }
    }

    /// How user stacks are taken.
    var stacks: String { self == .walking ? "unwind tables (.eh_frame)" : "frame pointers" }

    func isPossible(_ configuration: WallProfilerConfiguration) -> Bool {
      switch self {
      case .walking: whyNot(configuration).isEmpty
      case .tasks: !configuration.usesThreadTable
      case .table: true
      }
    }

    /// Why walking by table is out of the question; empty where it is not.
    func whyNot(_ configuration: WallProfilerConfiguration) -> String {
      if configuration.unwinding == .framePointers || configuration.stacks == .kernel {
        return "turned off"
      }
      if configuration.usesThreadTable { return "needs records in tasks" }
      #if arch(x86_64)
        return ""
      #else
        return "the tables are there for x86-64 only"
      #endif
    }
  }
}
