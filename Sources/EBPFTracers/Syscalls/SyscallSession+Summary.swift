internal import EBPF
internal import EBPFSystem
internal import Synchronization

extension SyscallSession: TracerSession {
  func setPaused(_ isPaused: Bool) { control[0].paused = isPaused ? 1 : 0 }

  func finish(recordedNanoseconds: UInt64) throws(EBPFError) -> SyscallSummary {
    let waiting = try detach()
    var statistics = try statistics()
    statistics.recordedNanoseconds = recordedNanoseconds
    var summary = try summary(statistics: statistics)
    summary.waitingAtEnd = waiting
    _ = readEvents(limit: .max) { summary.unreadEvents.append($0) }
    summary.overhead = try overhead()
    return summary
  }

  func statistics() throws(EBPFError) -> TracerStatistics { try reckon(try totals()) }

  /// The counts so far.
  func summary(statistics: TracerStatistics) throws(EBPFError) -> SyscallSummary {
    var summary = SyscallSummary()
    let totals = try totals()
    let countsUnreturned = !filtersResults
    summary.calls = totals.map { $0.publicValue(countsUnreturned: countsUnreturned) }
    let names = try owners()
    for (id, group) in names.groups { summary.cgroups[owner(id, names)] = group }
    summary.matrix = try matrix(names)
    summary.histograms = try histograms(names)
    summary.waitingAtStart = waitingAtStart
    summary.statistics = statistics
    summary.losses = try losses()
    summary.hooks = hooks
    let counts = try counts()
    summary.contexts = contexts?.statistics(
      linked: counts.spansFound, lost: 0, unreadable: counts.spansUnreadable)
    return summary
  }

  /// True when results decide what is recorded: a call without one is then not.
  private var filtersResults: Bool {
    typealias Flags = SyscallControl.Flags
    return control[0].flags & (Flags.failed | Flags.errnos | Flags.slow) != 0
  }

  private func reckon(_ totals: [SlotTotals]) throws(EBPFError) -> TracerStatistics {
    let counts = try counts()
    let missed = try missedRuns()
    // Events, without what picked ones stand for.
    let entered = totals.reduce(0) { $0 &+ $1.totals.count } &- counts.entersAdded
    let rejected = totals.reduce(0) { $0 &+ $1.rejected } &- counts.rejectedAdded
    let returned = totals.reduce(0) { $0 &+ $1.totals.returns } &- counts.returnsAdded
    let unreturned = entered &- min(entered, rejected &+ returned)
    var statistics = TracerStatistics()
    statistics.dropped = counts.threadLost &+ counts.lost &+ missed
    statistics.unfollowed = try unfollowed()
    statistics.sampledOut = counts.sampledOut
    statistics.unwanted =
      counts.paused &+ counts.excluded &+ counts.filtered &+ counts.sampledOut &+ rejected
    if filtersResults { statistics.unwanted &+= unreturned }
    statistics.seen =
      entered &+ counts.paused &+ counts.excluded &+ counts.filtered &+ counts.sampledOut
      &+ counts.threadLost &+ missed
    statistics.recorded =
      statistics.seen
      &- min(
        statistics.seen, statistics.dropped &+ statistics.unwanted)
    statistics.truncated = counts.textsCut &+ counts.stacksCut
    let first = control[0].firstEnter
    if first > requestTime { statistics.firstEventNanoseconds = first - requestTime }
    return statistics
  }

  private func losses() throws(EBPFError) -> SyscallLosses {
    let counts = try counts()
    var losses = SyscallLosses()
    losses.threads = counts.threadLost
    losses.keys = counts.matrixLost
    losses.histograms = counts.histogramsLost
    losses.events = counts.eventsLost
    losses.eventsSent = counts.eventsSent
    losses.eventsSpared = counts.eventsSpared
    losses.eventsUnwanted = counts.eventsUnwanted
    losses.cutTexts = counts.textsCut
    losses.cutStacks = counts.stacksCut
    losses.unfollowed = try unfollowed()
    losses.missedRuns = try missedRuns()
    losses.malformed = ring.withLock { $0.malformed }
    return losses
  }

  /// The kernel skips a program that is already running on the CPU, and counts that.
  private func missedRuns() throws(EBPFError) -> UInt64 {
    var missed: UInt64 = 0
    for program in object.programs { missed &+= try program.information().recursionMisses }
    return missed
  }

  // MARK: - Totals

  /// One slot's totals, summed over CPUs.
  struct SlotTotals {
    /// ``SyscallTotals/count`` has every enter here, also of calls whose result was not wanted.
    var totals: SyscallTotals
    var rejected: UInt64 = 0

    func publicValue(countsUnreturned: Bool) -> SyscallTotals {
      var value = totals
      value.count -= min(value.count, rejected)
      if !countsUnreturned { value.count = min(value.count, value.returns) }
      return value
    }
  }

  private func totals() throws(EBPFError) -> [SlotTotals] {
    let map = try object.map("totals")
    let stride = map.valueStride
    let processors = map.valuesPerElement
    var slots: [SlotTotals] = []
    try map.forEachEntry(&slots) {
      (slots: inout [SlotTotals], key: RawSpan, value: RawSpan) throws(EBPFError) in
      guard let slot = key.integer(at: 0, as: UInt32.self, order: .host) else { return }
      var sum = SlotTotals(
        totals: SyscallTotals(Syscall(slot: slot) ?? Syscall(number: Syscall.otherNumber)))
      var isUsed = false
      for cpu in 0..<processors where sum.add(value, at: cpu * stride) { isUsed = true }
      if isUsed {
        sum.separateThreadStarts()
        slots.append(sum)
      }
    }
    return slots.sorted { $0.totals.call < $1.totals.call }
  }
}

extension Syscall {
  /// Stands for all numbers out of range where they are counted together.
  static let otherNumber: UInt32 = 0x7fff_ffff
}

extension SyscallSession.SlotTotals {
  /// Adds one CPU's `struct call_totals`; false when it is empty.
  fileprivate mutating func add(_ bytes: RawSpan, at offset: Int) -> Bool {
    typealias Layout = CallTotalsLayout
    func word(_ field: Int) -> UInt64 {
      bytes.integer(at: offset + field, as: UInt64.self, order: .host) ?? 0
    }
    let enters = word(Layout.enters)
    let unpaired = word(Layout.unpaired)
    guard enters != 0 || unpaired != 0 || word(Layout.returns) != 0 else { return false }
    totals.count &+= enters
    totals.returns &+= word(Layout.returns)
    totals.errors &+= word(Layout.errors)
    rejected &+= word(Layout.rejected)
    totals.enteredBefore &+= unpaired
    totals.threadStarts &+= word(Layout.unpairedZero)
    totals.totalNanoseconds &+= word(Layout.total)
    totals.maximumNanoseconds = max(totals.maximumNanoseconds, word(Layout.maximum))
    for bucket in 0..<SyscallHistogram.bucketCount {
      let count = word(Layout.buckets + 8 * bucket)
      if count != 0 { totals.histogram.add(count, bucket: bucket) }
    }
    return true
  }

  /// Returns with 0 that nobody entered are new threads, for calls that make them.
  fileprivate mutating func separateThreadStarts() {
    if totals.call.startsThread {
      totals.enteredBefore -= min(totals.enteredBefore, totals.threadStarts)
    } else {
      totals.threadStarts = 0
    }
  }
}

// MARK: - By process or cgroup

extension SyscallSession {
  /// What the ids of the matrix stand for.
  struct Owners {
    var commands: [UInt64: String] = [:]
    var groups: [UInt64: UInt64] = [:]
    var places: [UInt64: CgroupPlace] = [:]
  }

  private func owners() throws(EBPFError) -> Owners {
    var owners = Owners()
    switch configuration.grouping {
    case .none: break
    case .process:
      let names = try Map<UInt64, SyscallProcess>(try object.map("processes"))
      for entry in try names.entries() {
        owners.commands[entry.key] = entry.value.command.text
        owners.groups[entry.key] = entry.value.cgroup
      }
    case .cgroup: owners.places = CgroupDirectory().all()
    }
    return owners
  }

  private func owner(_ id: UInt64, _ owners: Owners) -> SyscallOwner {
    switch configuration.grouping {
    case .none: .all
    case .process:
      .process(
        id: Int32(truncatingIfNeeded: id), start: UInt32(truncatingIfNeeded: id >> 32),
        command: owners.commands[id] ?? "")
    case .cgroup: .cgroup(id: id, path: owners.places[id]?.path)
    }
  }

  private func matrix(_ owners: Owners) throws(EBPFError) -> [SyscallCount] {
    let map = try Map<MatrixKey, MatrixValue>(try object.map("matrix"))
    return try map.entries().map { entry in
      let outcome: SyscallCount.Outcome =
        switch entry.key.error {
        case 0: .success
        case MatrixKey.neverReturned: .neverReturned
        default: .error(Int32(truncatingIfNeeded: entry.key.error))
        }
      return SyscallCount(
        owner: owner(entry.key.id, owners), call: Syscall(word: entry.key.call), outcome: outcome,
        count: entry.value.count, totalNanoseconds: entry.value.total)
    }
  }

  private func histograms(_ owners: Owners) throws(EBPFError) -> [SyscallOwnerHistogram] {
    guard configuration.histogramsByOwner else { return [] }
    let map = try Map<HistogramKey, KeyHistogram>(try object.map("histograms"))
    return try map.entries().map { entry in
      SyscallOwnerHistogram(
        owner: owner(entry.key.id, owners), call: Syscall(word: entry.key.call),
        counts: (0..<KeyHistogram.count).map { entry.value.buckets[$0] })
    }
  }
}
