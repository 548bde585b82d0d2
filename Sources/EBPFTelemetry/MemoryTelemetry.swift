internal import EBPFSystem
public import EBPFTracers
public import OTLP
internal import Profiles

/// Makes metrics of memory, log records of out-of-memory kills, and profiles of where memory goes.
///
/// Make it just before the tracer starts, which is where its sums begin.
public struct MemoryTelemetry: Sendable {
  private struct Subject: Hashable, Sendable {
    var process: Int32
    var command: String
  }

  private var pending: PendingTelemetry
  private var state: CumulativeState
  private var processes: StreamTable<Subject>
  private var losses = LossWatch(tracer: "memory")
  private var profiles: ProfileTelemetry
  private var delta = ProfileDelta()
  /// Victims that log records have told of.
  private var toldVictims = 0

  /// What was converted and what not.
  public var statistics: ConversionStatistics {
    var all = pending.statistics
    all.add(profiles.statistics)
    return all
  }

  /// Sums begin at `start`, in nanoseconds since 1970; nil for now.
  public init(_ options: TelemetryOptions, start: UInt64? = nil) {
    pending = PendingTelemetry(options)
    profiles = ProfileTelemetry(options)
    state = CumulativeState(start: start ?? Clock.wall.now)
    processes = StreamTable(limit: options.cardinalityLimit)
  }

  /// To be told when the tracer is started again: its sums begin anew then. That its sums are smaller
  /// shows it as well, but not when they grow fast.
  public mutating func beginAnew() { state.beginAnew() }

  /// The sums as they are now, and what is new since the last collection in profiles and log records.
  public mutating func collect(_ recording: MemoryRecording, at now: UInt64? = nil)
    -> [TelemetryExport]
  {
    let now = now ?? Clock.wall.now
    let begin = state.last
    if state.update(recording.statistics, at: now) {
      processes.reset()
      losses.beginAnew()
      delta = ProfileDelta()
      toldVictims = 0
    }
    losses.report(recording.statistics, at: now, &pending)
    losses.report(unwatchedPrograms: recording.unwatchedPrograms, at: now, &pending)
    for victim in recording.victims.dropFirst(toldVictims) { report(victim, at: now) }
    toldVictims = recording.victims.count

    var metrics = MetricBatch(start: state.start, time: now)
    addProcesses(recording.processes, recording.otherProcesses, &metrics)
    if recording.recordsAllocations { addAllocator(recording.totals, &metrics) }
    metrics.add(
      MetricDescriptor(
        "system.linux.memory.oom_kills", unit: "{process}",
        "Processes that the kernel killed for want of memory."),
      .counter, [NumberPoint([], recording.victims.count)])
    let news = delta.since(recording.profile)
    return pending.take(metrics) + profiles.collect(news, window: begin..<max(begin, now))
  }

  // MARK: - Metrics

  private mutating func addProcesses(
    _ growth: [ProcessGrowth], _ others: EndedProcessTotals, _ metrics: inout MetricBatch
  ) {
    var resident: [Subject: UInt64] = [:]
    var faults: [Subject: UInt64] = [:]
    for process in growth {
      let subject = Subject(process: process.process, command: process.command)
      faults[subject, default: 0] += process.faults
      if !process.hasEnded { resident[subject, default: 0] += process.residentAfter }
    }
    let ended = Set(faults.keys).subtracting(resident.keys)
    let limit = pending.options.attributeLengthLimit
    func attributes(_ subject: Subject) -> [Attribute] {
      var list = AttributeList(limit: limit)
      list.add(Key.processID, subject.process)
      list.add(Key.processName, subject.command)
      return list.attributes
    }
    // First, so that those that have ended have made room.
    let faultPoints = processes.points(
      faults, ended: ended, others: others.faults, &pending.statistics, attributes)
    metrics.add(
      MetricDescriptor("process.memory.usage", unit: "By", "Resident memory of processes."),
      .upDown, processes.points(resident, &pending.statistics, attributes))
    metrics.add(
      MetricDescriptor("process.paging.faults", unit: "{fault}", "Page faults of processes."),
      .counter, faultPoints)
  }

  private func addAllocator(_ totals: MemoryTotals, _ metrics: inout MetricBatch) {
    func add(
      _ name: String, _ unit: String, _ text: String, _ number: UInt64, _ kind: MetricBatch.Sum
    ) {
      let descriptor = MetricDescriptor("process.allocator.\(name)", unit: unit, text)
      metrics.add(descriptor, kind, [NumberPoint([], number)])
    }
    add(
      "allocations", "{allocation}", "Blocks that allocators gave out.", totals.allocations,
      .counter)
    add(
      "allocated", "By", "Bytes of the blocks that allocators gave out.", totals.allocatedBytes,
      .counter)
    add("frees", "{free}", "Such blocks that were freed.", totals.frees, .counter)
    add("freed", "By", "Bytes of such blocks that were freed.", totals.freedBytes, .counter)
    add("blocks", "{block}", "Such blocks in use.", totals.activeAllocations, .upDown)
    add("usage", "By", "Bytes of such blocks in use.", totals.currentBytes, .upDown)
    add("failures", "{call}", "Calls that gave out nothing.", totals.failures, .counter)
  }

  // MARK: - Log records

  private mutating func report(_ victim: MemoryVictim, at now: UInt64) {
    var list = pending.attributes
    list.add(Key.processID, victim.process)
    list.add(Key.processName, victim.command)
    list.add("linux.memory.anonymous", victim.anonymousBytes)
    list.add("linux.memory.file", victim.fileBytes)
    list.add("linux.memory.shared", victim.sharedBytes)
    let name = victim.command.isEmpty ? "" : " (\(victim.command))"
    pending.addRecord(
      "linux.memory.oom_kill", .error, at: victim.time, observed: now,
      "the kernel killed process \(victim.process)\(name): memory had run out", list)
  }
}

extension MemoryRecording {
  /// True when calls of the allocator were recorded.
  var recordsAllocations: Bool { profile.valueTypes.contains { $0.type == "alloc_space" } }
}
