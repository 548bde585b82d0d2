internal import EBPF
internal import EBPFSystem
internal import Profiles
internal import Symbolization

/// Turns counts by key, with stacks by id, into a profile with names.
struct ProfileAssembler {
  let configuration: CPUProfilerConfiguration
  let stacks: StackTable
  let cgroups: [ProcessIdentity: UInt64]
  let symbolizer: Symbolizer
  let contexts: ContextWatch

  func assemble(
    _ samples: [SampleIdentity: UInt64], session: ProfilerSession, statistics: TracerStatistics
  ) throws(EBPFError) -> CPUProfile {
    let period = Int64(1_000_000_000 / configuration.frequency)
    var builder = ProfileBuilder(
      profile: Profile(
        valueTypes: [
          Profile.ValueType("samples", unit: "count"),
          Profile.ValueType("cpu", unit: "nanoseconds"),
        ], periodType: Profile.ValueType("cpu", unit: "nanoseconds"), period: period,
        startTime: session.startTime.wall, duration: statistics.recordedNanoseconds))

    // A fixed order, so that the same samples give the same profile.
    let identities = samples.keys.sorted(by: SampleIdentity.precedes)
    let keys = identities.map(\.key)
    let user = keys.map { key in
      Symbolizer.UserStack(
        pid: Int32(truncatingIfNeeded: key.process.processID), program: key.process.program,
        addresses: addresses(key.userStack))
    }
    let userFrames = symbolizer.symbolize(user)
    let kernelFrames = symbolizer.symbolizeKernel(
      keys.map { configuration.comparesUnwinding ? [] : addresses($0.kernelStack) })
    contexts.refresh()
    for (index, key) in keys.enumerated() {
      let count = Int64(clamping: samples[identities[index]] ?? 0)
      var markers = ProfileAssembler.markers(of: key, stacks: stacks)
      // The other walk of the user's stack is in the kernel's place.
      if configuration.comparesUnwinding { markers.kernelIsCut = false }
      var process = process(of: key)
      process.resource = contexts.resource(of: key.process).map { builder.index(ofResource: $0) }
      builder.add(
        process: process, kernel: kernelFrames[index], user: userFrames[index],
        markers: markers, span: identities[index].span.map { builder.index(of: $0) },
        values: [count, count.multipliedReportingOverflow(by: period).0])
    }
    let names = try ProfileAssembler.machineNames()
    let counts = try session.counts()
    return CPUProfile(
      profile: builder.profile, statistics: statistics, overhead: try session.overhead(),
      hooks: session.hooks, frequency: configuration.frequency, processors: session.processors,
      walks: try session.walks(), guessedFrames: counts.guessedFrames,
      comparison: comparison(keys, identities.map { samples[$0] ?? 0 }, userFrames),
      brokenStacks: UInt64(clamping: builder.brokenStacks),
      contexts: contexts.statistics(
        linked: counts.linked, lost: counts.linksLost, unreadable: counts.linksUnreadable),
      unresolvedFrames: builder.unresolved.values.reduce(0, +), symbolSummary: builder.summary,
      host: names.node, kernelRelease: names.release)
  }

  private func comparison(
    _ keys: [ProfilerKey], _ samples: [UInt64], _ walked: [[SymbolizedFrame]]
  ) -> UnwindComparison? {
    guard configuration.comparesUnwinding else { return nil }
    let followed = symbolizer.symbolize(
      keys.map { key in
        Symbolizer.UserStack(
          pid: Int32(truncatingIfNeeded: key.process.processID), program: key.process.program,
          addresses: addresses(key.kernelStack))
      })
    var comparison = UnwindComparison()
    // Without an image, while exec is at work or the process ends, no stack is taken.
    for (index, key) in keys.enumerated() where key.process.image != 0 {
      let stack = stacks[key.userStack]
      comparison.add(
        walked: walked[index], isWhole: stack.map { !$0.isCut && !$0.isBroken } ?? false,
        followed: followed[index], samples: samples[index])
    }
    return comparison
  }

  private func addresses(_ id: StackID) -> [UInt64] {
    id.isNone ? [] : stacks[id]?.addresses ?? []
  }

  private func process(of key: ProfilerKey) -> Profile.Process {
    let pid = Int32(truncatingIfNeeded: key.process.processID)
    return Profile.Process(
      pid: pid, tid: key.threadID == 0 ? pid : Int32(truncatingIfNeeded: key.threadID),
      command: key.process.processID == 0 ? "idle" : key.command.text,
      cgroup: cgroups[key.process] ?? cgroups[key.process.withoutImage])
  }

  /// What stands above the root where a stack is not whole.
  static func markers(of key: ProfilerKey, stacks: StackTable) -> ProfileBuilder.Markers {
    typealias Flags = ProfilerKey.Flags
    func isCut(_ id: StackID, lost: UInt32) -> Bool {
      guard !id.isNone else { return key.flags & lost != 0 }
      return stacks[id]?.isCut ?? true
    }
    return ProfileBuilder.Markers(
      userIsCut: isCut(key.userStack, lost: Flags.userStackLost),
      userIsBroken: stacks[key.userStack]?.isBroken ?? false,
      kernelIsCut: isCut(key.kernelStack, lost: Flags.kernelStackLost))
  }

  /// What this machine and its kernel are called.
  static func machineNames() throws(EBPFError) -> MachineNames {
    do throws(Errno) { return try MachineNames.current() } catch {
      throw EBPFError(
        .system, "uname failed",
        systemCall: .init(call: "uname", errno: error.rawValue, name: error.name))
    }
  }
}

extension ProcessIdentity {
  /// The same for the symbolizer.
  var program: Symbolizer.Program { Symbolizer.Program(start: start, image: image) }
}

extension ProfilerKey {
  /// By process, then by stacks.
  static func precedes(_ left: ProfilerKey, _ right: ProfilerKey) -> Bool {
    left.order.lexicographicallyPrecedes(right.order)
  }

  fileprivate var order: [UInt64] {
    [
      UInt64(process.processID), process.start, process.image, UInt64(threadID),
      command.first, command.second, userStack.low, userStack.high, kernelStack.low,
      kernelStack.high, UInt64(flags),
    ]
  }
}

extension SampleIdentity {
  /// By key, then by span.
  static func precedes(_ left: SampleIdentity, _ right: SampleIdentity) -> Bool {
    left.order.lexicographicallyPrecedes(right.order)
  }

  private var order: [UInt64] {
    guard let span else { return key.order }
    return key.order + [span.traceHigh, span.traceLow, span.spanID]
  }
}
