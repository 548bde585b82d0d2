internal import EBPF
internal import EBPFSystem
internal import Profiles
internal import Symbolization

/// Turns waits and samples by key, with stacks by id, into a profile with names.
struct WallAssembler {
  let session: WallSession
  let received: SampleCollector.Received

  var configuration: WallProfilerConfiguration { session.configuration }
  private var isWall: Bool { configuration.coverage == .wall }

  func assemble(_ statistics: TracerStatistics) throws(EBPFError) -> WallProfile {
    var builder = ProfileBuilder(profile: emptyProfile(statistics))
    addWaits(&builder)
    let wakes = addWakes(&builder)
    if isWall { addRuns(&builder) }
    let (wall, stacks) = try session.counts()
    let names = try ProfileAssembler.machineNames()
    return WallProfile(
      profile: builder.profile, wakes: wakes,
      threads: WallAssembler.sorted(received.wall.threads.values),
      statistics: statistics,
      overhead: try session.overhead(), hooks: session.hooks,
      frequency: isWall ? configuration.frequency : nil, switches: wall.switches,
      inferredSwitches: wall.inferred,
      unplacedNanoseconds: wall.droppedTime,
      lostThreads: (wall.recordsLost + wall.threadsLost, wall.recordsTime),
      walks: try session.walks().map { _ in stacks.walks },
      unresolvedFrames: builder.unresolved.values.reduce(0, +), symbolSummary: builder.summary,
      host: names.node, kernelRelease: names.release)
  }

  private func emptyProfile(_ statistics: TracerStatistics) -> Profile {
    let type = Profile.ValueType(isWall ? "wall" : "off_cpu", unit: "nanoseconds")
    return Profile(
      valueTypes: [Profile.ValueType(isWall ? "events" : "waits", unit: "count"), type],
      periodType: type, period: 0, startTime: session.startTime.wall,
      duration: statistics.recordedNanoseconds)
  }

  /// Most time first, then by id.
  private static func sorted(_ threads: some Sequence<ThreadTimes>) -> [ThreadTimes] {
    threads.sorted {
      ($1.wall, $0.process, $0.thread) < ($0.wall, $1.process, $1.thread)
    }
  }

  // MARK: - Off the CPU

  private func addWaits(_ builder: inout ProfileBuilder) {
    // A fixed order, so that the same waits give the same profile.
    let keys = received.wall.waits.keys.filter(isShown).sorted(by: ProfilerKey.precedes)
    let (user, kernel) = frames(keys)
    for (index, key) in keys.enumerated() {
      let total = received.wall.waits[key] ?? WaitTotal()
      var markers = markers(of: key)
      markers.leaf = key.threadState.label
      builder.add(
        process: process(of: key), kernel: WallAssembler.withoutTracing(kernel[index]),
        user: user[index], markers: markers,
        values: [Int64(clamping: total.count), Int64(clamping: total.nanoseconds)])
    }
  }

  func isShown(_ key: ProfilerKey) -> Bool {
    key.flags & ProfilerKey.Flags.waitIsShort == 0 || configuration.minimumWait == 0 || isWall
  }

  /// The kernel's frames without those of the tracepoint itself, which come first.
  static func withoutTracing(_ frames: [SymbolizedFrame]) -> [SymbolizedFrame] {
    let first = frames.firstIndex { frame in
      guard let name = frame.function else { return true }
      return !["bpf_", "__bpf_", "__traceiter_", "__do_trace_"].contains { name.hasPrefix($0) }
    }
    return Array(frames[(first ?? frames.startIndex)...])
  }

  // MARK: - On the CPU

  /// Divides each thread's time on the CPU among its samples; the sum is its time, to the nanosecond.
  private func addRuns(_ builder: inout ProfileBuilder) {
    let keys = received.overflow.keys.sorted(by: ProfilerKey.precedes)
    let (user, kernel) = frames(keys)
    var samples: [WallLedger.Key: [Int]] = [:]
    for (index, key) in keys.enumerated() { samples[thread(of: key), default: []].append(index) }
    for (thread, indices) in samples.sorted(by: { $0.value[0] < $1.value[0] }) {
      let counts = indices.map { received.overflow[keys[$0]] ?? 0 }
      let period = UInt64(1_000_000_000 / configuration.frequency)
      let parts =
        received.wall.threads[thread].map { WallAssembler.divide($0.running, as: counts) }
        ?? counts.map { $0 &* period }
      for (place, index) in indices.enumerated() {
        builder.add(
          process: process(of: keys[index]), kernel: kernel[index], user: user[index],
          markers: markers(of: keys[index]),
          values: [Int64(clamping: counts[place]), Int64(clamping: parts[place])])
      }
    }
    let unseen = received.wall.threads.filter { samples[$0.key] == nil && $0.value.running > 0 }
    for times in WallAssembler.sorted(unseen.values) {
      builder.add(
        process: Profile.Process(pid: times.process, tid: times.thread, command: times.command),
        kernel: [], user: [],
        markers: ProfileBuilder.Markers(leaf: ThreadState.running.label, root: "[not sampled]"),
        values: [0, Int64(clamping: times.running)])
    }
  }

  private func thread(of key: ProfilerKey) -> WallLedger.Key {
    WallLedger.Key(
      process: key.process.processID, start: key.process.start, thread: key.threadID)
  }

  /// Parts of `whole` in proportion to `weights`, which add up to it.
  static func divide(_ whole: UInt64, as weights: [UInt64]) -> [UInt64] {
    var left = whole
    var weightLeft = weights.reduce(0, &+)
    return weights.map { weight in
      guard weightLeft > 0 else { return 0 }
      let (high, low) = left.multipliedFullWidth(by: weight)
      let part = weightLeft.dividingFullWidth((high, low)).quotient
      left -= part
      weightLeft -= weight
      return part
    }
  }

  // MARK: - Both

  func frames(
    _ keys: [ProfilerKey]
  ) -> (user: [[SymbolizedFrame]], kernel: [[SymbolizedFrame]]) {
    let user = keys.map { key in
      Symbolizer.UserStack(
        pid: Int32(truncatingIfNeeded: key.process.processID), program: key.process.program,
        addresses: addresses(key.userStack))
    }
    return (
      session.symbolizer.symbolize(user),
      session.symbolizer.symbolizeKernel(keys.map { addresses($0.kernelStack) })
    )
  }

  private func addresses(_ id: StackID) -> [UInt64] {
    id.isNone ? [] : received.stacks[id]?.addresses ?? []
  }

  func process(of key: ProfilerKey) -> Profile.Process {
    let pid = Int32(truncatingIfNeeded: key.process.processID)
    return Profile.Process(
      pid: pid, tid: key.threadID == 0 ? pid : Int32(truncatingIfNeeded: key.threadID),
      command: key.command.text,
      cgroup: received.cgroups[key.process] ?? received.cgroups[key.process.withoutImage])
  }

  /// What stands for the parts of a stack that are not there.
  func markers(of key: ProfilerKey) -> ProfileBuilder.Markers {
    var markers = ProfileAssembler.markers(of: key, stacks: received.stacks)
    if key.flags & ProfilerKey.Flags.beganBefore != 0 {
      markers.root = "[since before the recording]"
    } else if key.flags & ProfilerKey.Flags.waitIsShort != 0 {
      markers.root = "[short]"
    } else if key.flags & ProfilerKey.Flags.stacksLeftOut != 0 {
      markers.root = "[stack left out]"
    }
    return markers
  }
}
