internal import EBPF
internal import EBPFSystem
internal import Profiles
internal import Symbolization

/// Turns what was read from the kernel into a recording with names.
struct MemoryAssembler {
  let configuration: MemoryTracerConfiguration
  let symbolizer: Symbolizer
  let baseline: ProcessBaseline
  let readings: MemorySession.Readings
  let weight: SampleWeight
  let usesStaticProbes: Bool

  private var recordsAllocations: Bool { configuration.allocations != .none }

  init(
    _ configuration: MemoryTracerConfiguration, _ readings: MemorySession.Readings,
    symbolizer: Symbolizer, baseline: ProcessBaseline, usesStaticProbes: Bool
  ) {
    self.usesStaticProbes = usesStaticProbes
    self.configuration = configuration
    self.readings = readings
    self.symbolizer = symbolizer
    self.baseline = baseline
    if case .sampled(let bytes) = configuration.allocations, !usesStaticProbes {
      weight = SampleWeight(mean: bytes)
    } else {
      weight = SampleWeight(mean: nil)
    }
  }

  /// What equal samples of the profile have in common.
  private struct Place: Hashable {
    var process: ProcessIdentity
    var stack: StackID
  }

  /// Sums at one place, weighted.
  private struct Sums {
    var amounts: [UInt32: (count: Double, bytes: Double)] = [:]
    var active: (count: Double, bytes: Double) = (0, 0)
  }

  func assemble(
    _ session: MemorySession, statistics: TracerStatistics
  ) throws(EBPFError) -> MemoryRecording {
    let sums = sums()
    // A fixed order, so that the same events give the same recording.
    let places = sums.keys.sorted { order($0).lexicographicallyPrecedes(order($1)) }
    let frames = symbolizer.symbolize(
      places.map { place in
        Symbolizer.UserStack(
          pid: Int32(truncatingIfNeeded: place.process.processID),
          program: Symbolizer.Program(start: place.process.start, image: place.process.image),
          addresses: addresses(place.stack))
      })
    var builder = ProfileBuilder(
      profile: Profile(
        valueTypes: valueTypes, periodType: Profile.ValueType("space", unit: "bytes"),
        period: Int64(clamping: weight.mean ?? 0), startTime: session.startTime.wall,
        duration: statistics.recordedNanoseconds))
    var stacks: [Place: Int] = [:]
    for (index, place) in places.enumerated() {
      guard let sum = sums[place] else { continue }
      stacks[place] =
        builder.add(
          process: process(place.process), kernel: [], user: frames[index],
          markers: markers(place.stack), values: values(sum)
        ).stack
    }
    let names = try machineNames()
    return MemoryRecording(
      totals: totals(), usesStaticProbes: usesStaticProbes, sampleBytes: weight.mean,
      blocks: blocks(stacks),
      sites: sites(sums, stacks), processes: growth(),
      otherProcesses: readings.others, unwatchedPrograms: readings.counts.unwatched,
      victims: victims(), walks: session.walks(readings.counts),
      guessedFrames: readings.counts.guessedFrames,
      profile: builder.profile, statistics: statistics, overhead: try session.overhead(),
      hooks: session.hooks, unresolvedFrames: builder.unresolved.values.reduce(0, +),
      symbolSummary: builder.summary, host: names.node, kernelRelease: names.release)
  }

  // MARK: - Sums

  private func sums() -> [Place: Sums] {
    var sums: [Place: Sums] = [:]
    for (key, amount) in readings.sites {
      let scaled =
        key.kind == MemorySiteKey.Kind.allocation
        ? scaled(key, amount) : faultsScaled(key, amount)
      let place = Place(process: key.process, stack: key.stack)
      let known = sums[place, default: Sums()].amounts[key.kind] ?? (0, 0)
      sums[place, default: Sums()].amounts[key.kind] = (
        known.count + scaled.count, known.bytes + scaled.bytes
      )
    }
    for (key, block) in readings.blocks {
      let scaled = scaled(block)
      let place = Place(process: key.process, stack: block.stack)
      let known = sums[place, default: Sums()].active
      sums[place, default: Sums()].active = (
        known.count + scaled.count, known.bytes + scaled.bytes
      )
    }
    return sums
  }

  /// Allocations of a place, weighted. Without picked bytes the kernel has done that.
  private func scaled(
    _ key: MemorySiteKey, _ amount: MemoryAmount
  ) -> (count: Double, bytes: Double) {
    weight.multiplied(by: key.factor).scaled(amount, size: key.size)
  }

  /// What a block in use stands for.
  private func scaled(_ block: MemoryBlockRecord) -> (count: Double, bytes: Double) {
    guard weight.mean == nil else {
      return weight.multiplied(by: block.factor).scaled(
        MemoryAmount(count: 1, bytes: block.size), size: block.size)
    }
    guard block.weighted == 0 else {
      // The nearest whole number of blocks, as the kernel counts them.
      let count = block.size == 0 ? 1 : (Double(block.weighted) / Double(block.size)).rounded()
      return (max(1, count), Double(block.weighted))
    }
    let count = Double(max(1, block.factor))
    return (count, count * Double(block.size))
  }

  private func faultsScaled(_ key: MemorySiteKey, _ amount: MemoryAmount)
    -> (count: Double, bytes: Double)
  {
    let count = Double(amount.count)
    let isFault = key.kind == MemorySiteKey.Kind.fault
    return (count, isFault ? count * Double(CurrentProcess.pageSize) : Double(amount.bytes))
  }

  private var valueTypes: [Profile.ValueType] {
    recordsAllocations
      ? [
        Profile.ValueType("alloc_objects", unit: "count"),
        Profile.ValueType("alloc_space", unit: "bytes"),
        Profile.ValueType("inuse_objects", unit: "count"),
        Profile.ValueType("inuse_space", unit: "bytes"),
      ]
      : [
        Profile.ValueType("page_faults", unit: "count"),
        Profile.ValueType("mapped_space", unit: "bytes"),
        Profile.ValueType("fault_space", unit: "bytes"),
      ]
  }

  private func values(_ sum: Sums) -> [Int64] {
    typealias Kind = MemorySiteKey.Kind
    func amount(_ kind: UInt32) -> (count: Double, bytes: Double) { sum.amounts[kind] ?? (0, 0) }
    let all =
      recordsAllocations
      ? [
        amount(Kind.allocation).count, amount(Kind.allocation).bytes, sum.active.count,
        sum.active.bytes,
      ]
      : [
        amount(Kind.fault).count, amount(Kind.map).bytes + amount(Kind.programBreak).bytes,
        amount(Kind.fault).bytes,
      ]
    return all.map { Int64(clamping: MemoryAssembler.rounded($0)) }
  }

  /// The nearest whole number; what is too large is the largest.
  private static func rounded(_ value: Double) -> UInt64 {
    value < 1.8e19 ? UInt64(max(0, value.rounded())) : .max
  }

  func totals() -> MemoryTotals {
    let counts = readings.counts
    var totals = MemoryTotals()
    totals.released = counts.released
    totals.replaced = counts.replaced
    totals.untracked = counts.untracked
    totals.untrackedBytes = counts.untrackedBytes
    totals.unknownFrees = counts.unknownFrees
    totals.nullFrees = counts.nullFrees
    totals.failures = counts.failures
    totals.nested = counts.nested
    totals.abandoned = counts.abandoned
    var active: (count: Double, bytes: Double) = (0, 0)
    for (_, block) in readings.blocks {
      let scaled = scaled(block)
      active = (active.count + scaled.count, active.bytes + scaled.bytes)
    }
    totals.activeAllocations = MemoryAssembler.rounded(active.count)
    totals.currentBytes = MemoryAssembler.rounded(active.bytes)
    guard weight.mean != nil else {
      totals.allocations = counts.allocations
      totals.allocatedBytes = counts.allocatedBytes
      totals.frees = counts.frees
      totals.freedBytes = counts.freedBytes
      return totals
    }
    var all: (count: Double, bytes: Double) = (0, 0)
    for (key, amount) in readings.sites where key.kind == MemorySiteKey.Kind.allocation {
      let scaled = scaled(key, amount)
      all = (all.count + scaled.count, all.bytes + scaled.bytes)
    }
    totals.allocations = MemoryAssembler.rounded(all.count)
    totals.allocatedBytes = MemoryAssembler.rounded(all.bytes)
    // What was picked and is not in use was freed.
    totals.frees = MemoryAssembler.rounded(all.count - active.count)
    totals.freedBytes = MemoryAssembler.rounded(all.bytes - active.bytes)
    return totals
  }

  // MARK: - Lists

  private func blocks(_ stacks: [Place: Int]) -> [MemoryBlock] {
    readings.blocks.map { key, block in
      MemoryBlock(
        address: key.address, size: block.size,
        age: readings.endTime > block.time ? readings.endTime - block.time : 0,
        process: Int32(truncatingIfNeeded: key.process.processID),
        thread: Int32(truncatingIfNeeded: block.threadID), command: command(key.process),
        isOfEndedProcess: !readings.running.contains(key.process),
        stack: stacks[Place(process: key.process, stack: block.stack)] ?? 0)
    }
    .sorted { ($1.size, $0.process, $0.address) < ($0.size, $1.process, $1.address) }
  }

  private func sites(_ sums: [Place: Sums], _ stacks: [Place: Int]) -> [MemorySite] {
    let kinds: [(UInt32, MemorySite.Kind)] = [
      (MemorySiteKey.Kind.allocation, .allocation), (MemorySiteKey.Kind.fault, .fault),
      (MemorySiteKey.Kind.map, .map), (MemorySiteKey.Kind.programBreak, .programBreak),
    ]
    var sites: [MemorySite] = []
    for (place, sum) in sums {
      for (number, kind) in kinds {
        guard let amount = sum.amounts[number] else { continue }
        let active = kind == .allocation ? sum.active : (0, 0)
        sites.append(
          MemorySite(
            kind: kind, process: Int32(truncatingIfNeeded: place.process.processID),
            command: command(place.process), stack: stacks[place] ?? 0,
            count: MemoryAssembler.rounded(amount.count),
            bytes: MemoryAssembler.rounded(amount.bytes),
            activeCount: MemoryAssembler.rounded(active.0),
            activeBytes: MemoryAssembler.rounded(active.1)))
      }
    }
    return sites.sorted {
      ($1.bytes, $1.count, $0.process, $0.stack, $0.kind.rawValue)
        < ($0.bytes, $0.count, $1.process, $1.stack, $1.kind.rawValue)
    }
  }

  private func growth() -> [ProcessGrowth] {
    // Of the programs that one process ran, the first had what was resident at the start.
    var first: [UInt32: UInt64] = [:]
    var last: [UInt32: UInt64] = [:]
    for (key, record) in readings.processes {
      first[key.processID] = min(first[key.processID] ?? .max, record.firstSeen)
      last[key.processID] = max(last[key.processID] ?? 0, record.firstSeen)
    }
    let pageSize = UInt64(CurrentProcess.pageSize)
    return readings.processes.map { key, record in
      let process = Int32(truncatingIfNeeded: key.processID)
      let before = first[key.processID] == record.firstSeen ? baseline.resident(key) : nil
      let isLast = last[key.processID] == record.firstSeen && readings.running.contains(key)
      let now =
        isLast
        ? symbolizer.number(of: process).flatMap { ProcessBaseline.residentBytes(of: $0) } : nil
      let told = record.residentPages &* pageSize
      return ProcessGrowth(
        process: process, command: record.command.text, cgroup: record.cgroup,
        isExisting: before != nil,
        hasEnded: now == nil, residentBefore: before ?? 0, residentAfter: now ?? told,
        residentPeak: record.peakPages &* pageSize, faults: record.faults, maps: record.maps,
        mappedBytes: record.mappedBytes, unmaps: record.unmaps,
        unmappedBytes: record.unmappedBytes, breakBytes: record.breakBytes)
    }
    .sorted { ($1.growth, $1.faults, $0.process) < ($0.growth, $0.faults, $1.process) }
  }

  private func victims() -> [MemoryVictim] {
    let offset = Clock.monotonic.wallOffset
    let pageSize = UInt64(CurrentProcess.pageSize)
    return readings.received.victims.map { event in
      MemoryVictim(
        process: Int32(truncatingIfNeeded: event.process.processID),
        command: event.growth.figures.command.text,
        time: UInt64(clamping: Int64(clamping: event.time) &+ offset),
        anonymousBytes: event.growth.figures.anonymousPages &* pageSize,
        fileBytes: event.growth.figures.filePages &* pageSize,
        sharedBytes: event.growth.figures.sharedPages &* pageSize,
        history: event.growth.orderedHistory.map { point in
          MemoryVictim.Point(
            before: event.time > point.time ? event.time - point.time : 0,
            residentBytes: point.pages &* pageSize)
        })
    }
  }

  // MARK: - Names

  private func order(_ place: Place) -> [UInt64] {
    [
      UInt64(place.process.processID), place.process.start, place.process.image, place.stack.low,
      place.stack.high,
    ]
  }

  private func addresses(_ id: StackID) -> [UInt64] {
    id.isNone ? [] : readings.received.stacks[id]?.addresses ?? []
  }

  private func markers(_ id: StackID) -> ProfileBuilder.Markers {
    let stack = readings.received.stacks[id]
    return ProfileBuilder.Markers(
      userIsCut: id.isNone ? false : stack?.isCut ?? true, userIsBroken: stack?.isBroken ?? false)
  }

  private func command(_ process: ProcessIdentity) -> String {
    readings.processes[process]?.command.text ?? ""
  }

  private func process(_ process: ProcessIdentity) -> Profile.Process {
    let pid = Int32(truncatingIfNeeded: process.processID)
    return Profile.Process(pid: pid, tid: pid, command: command(process))
  }

  private func machineNames() throws(EBPFError) -> MachineNames {
    do throws(Errno) { return try MachineNames.current() } catch {
      throw EBPFError(
        .system, "uname failed",
        systemCall: .init(call: "uname", errno: error.rawValue, name: error.name))
    }
  }
}
