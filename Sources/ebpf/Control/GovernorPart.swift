import EBPF
import EBPFSystem
import EBPFTracers

/// Keeps a recording below `--max-overhead`: measures each second what it cost, and leaves out what
/// the governor says.
///
/// The cost is the processor time of this process, all its threads together, and the time that the
/// kernel spent in its programs.
final class GovernorPart: RecordingPart {
  private static let interval = 1.0

  private var governor: OverheadGovernor
  private let tracers: [RunningTracer]
  private var before: (time: UInt64, cost: UInt64)
  private var isUnmeasured = false

  /// Measures from now on.
  init(limit: Double, _ tracers: [RunningTracer]) throws(EBPFError) {
    self.tracers = tracers
    let means = tracers.map(\.means).reduce(.init(sendsEvents: false, takesStacks: false), +)
    governor = OverheadGovernor(limit: limit, means: means)
    before = (0, 0)
    before = try reading()
  }

  func join(_ loop: RecordingLoop) { loop.setClock(every: Self.interval, for: self) }

  /// What was left out until now.
  var state: GovernorState { GovernorState(governor, isKernelTimeUnknown: isUnmeasured) }

  func wake(_ cause: RecordingLoop.Cause, in loop: RecordingLoop) throws(EBPFError) {
    let now = try reading()
    defer { before = now }
    // Nothing is learned while nothing is recorded.
    guard tracers.contains(where: { !$0.tracer.isPaused }) else { return }
    let step = governor.observe(
      nanoseconds: now.time - before.time, cost: now.cost - min(now.cost, before.cost))
    guard let step else { return }
    for tracer in tracers { try tracer.tracer.economize(step.economy) }
  }

  private func reading() throws(EBPFError) -> (time: UInt64, cost: UInt64) {
    var cost = Clock.processCPU.now
    for tracer in tracers {
      if let nanoseconds = try tracer.tracer.kernelNanoseconds() {
        cost &+= nanoseconds
      } else {
        isUnmeasured = true
      }
    }
    return (Clock.monotonic.now, cost)
  }
}

/// What a governor has done.
struct GovernorState {
  let governor: OverheadGovernor
  /// The time in the kernel is not part of the cost: the kernel does not tell it.
  let isKernelTimeUnknown: Bool

  init(_ governor: OverheadGovernor, isKernelTimeUnknown: Bool) {
    self.governor = governor
    self.isKernelTimeUnknown = isKernelTimeUnknown
  }
}

/// `economy` in JSON.
struct EconomyDocument: Encodable {
  let limitPercent: Double
  let worstPercent: Double
  let now: Economy
  let stepsTaken: Int
  /// The latest ones.
  let steps: [Step]
  let kernelTimeIncluded: Bool

  struct Economy: Encodable {
    let sampling: UInt32
    let takesStacks: Bool
    let minimumEventNs: UInt64
    let suspended: Bool

    init(_ economy: TracerEconomy) {
      sampling = economy.sampling
      takesStacks = economy.takesStacks
      minimumEventNs = economy.minimumEventNanoseconds
      suspended = economy.isSuspended
    }
  }

  struct Step: Encodable {
    let timeNs: UInt64
    let costPercent: Double
    let economy: Economy
  }

  init(_ state: GovernorState) {
    let governor = state.governor
    limitPercent = governor.limit * 100
    worstPercent = governor.worst * 100
    now = Economy(governor.economy)
    stepsTaken = governor.stepCount
    steps = governor.steps.map {
      Step(timeNs: $0.time, costPercent: $0.cost * 100, economy: Economy($0.economy))
    }
    kernelTimeIncluded = !state.isKernelTimeUnknown
  }
}
