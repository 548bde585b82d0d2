import EBPF
import EBPFTracers
import Profiles

/// The JSON summary of `ebpf profile --off-cpu` and `--wall`.
struct WallDocument: Encodable {
  let totals: Times
  let loss: LossDocument
  /// What is in the figures of threads and in no stack; and threads that are in no figure.
  let unplacedNs: UInt64
  let lostThreads: UInt64
  let overhead: OverheadDocument
  let economy: EconomyDocument?
  let hooks: [HookDocument]
  let durationNs: UInt64
  @Nullable var firstEventNs: UInt64?
  let processes: [Process]
  let threads: [Thread]
  let waits: [Wait]
  /// The waits that ended, by what ended them; null without `--wakers`.
  @Nullable var wakers: [String: WakeTotal]?
  let file: String?

  /// What is known before the end, when threads' open time is not counted yet.
  struct Progress: Encodable {
    let intervals: UInt64
    let recordedNs: UInt64

    init(_ statistics: TracerStatistics) {
      intervals = statistics.recorded
      recordedNs = statistics.recordedNanoseconds
    }
  }

  /// Where time went, in nanoseconds; running + runnable + blocked = wall.
  struct Times: Encodable {
    let wallNs: UInt64
    let runningNs: UInt64
    let runnableNs: UInt64
    let blockedNs: UInt64
    let states: [String: UInt64]
    let voluntarySwitches: UInt64
    let involuntarySwitches: UInt64

    init(_ times: [ThreadTimes]) {
      func sum(_ part: (ThreadTimes) -> UInt64) -> UInt64 { times.reduce(0) { $0 &+ part($1) } }
      wallNs = sum(\.wall)
      runningNs = sum(\.running)
      runnableNs = sum(\.runnable)
      blockedNs = sum(\.blocked)
      var states: [String: UInt64] = [:]
      for state in ThreadState.allCases { states["\(state)"] = sum { $0[state] } }
      self.states = states
      voluntarySwitches = sum(\.voluntarySwitches)
      involuntarySwitches = sum(\.involuntarySwitches)
    }
  }

  struct Process: Encodable {
    let pid: Int32
    let command: String
    let times: Times
    @Nullable var cgroup: String?
    @Nullable var container: ContainerDocument?
  }

  struct Thread: Encodable {
    let pid: Int32
    let tid: Int32
    let command: String
    let kernelThread: Bool
    let existedBefore: Bool
    let ended: Bool
    let times: Times
  }

  /// One of the stacks with most time.
  struct Wait: Encodable {
    let command: String
    let timeNs: Int64
    let count: Int64
    /// From the state, or the innermost function, to the root.
    let stack: [String]
    /// Who ended it; null where nobody did, or without `--wakers`.
    @Nullable var waker: Waker?
  }

  /// Who ended waits.
  struct Waker: Encodable {
    /// `thread`, `interrupt`, `undecided` or `unknown`.
    let context: String
    /// Null for interrupts and what is not known.
    @Nullable var command: String?
    @Nullable var pid: Int32?
    /// Null where threads are not told apart.
    @Nullable var tid: Int32?
    /// From the innermost function to the root.
    let stack: [String]
  }

  /// Wake-ups of one context.
  struct WakeTotal: Encodable {
    let count: UInt64
    let timeNs: UInt64
  }

  init(
    _ result: WallProfile, file: String?, top: Int, recordsWakers: Bool,
    containers: ContainerNames?, economy: GovernorState?
  ) {
    let statistics = result.statistics
    let profile = result.profile
    totals = Times(result.threads)
    loss = LossDocument(statistics, unresolved: result.unresolvedFrames)
    self.economy = economy.map(EconomyDocument.init)
    unplacedNs = result.unplacedNanoseconds
    lostThreads = result.lostThreads.count
    overhead = OverheadDocument(result.overhead)
    hooks = result.hooks.map(HookDocument.init)
    durationNs = statistics.recordedNanoseconds
    firstEventNs = statistics.firstEventNanoseconds
    self.file = file
    threads = result.threads.map { thread in
      Thread(
        pid: thread.process, tid: thread.thread, command: thread.command,
        kernelThread: thread.isKernelThread, existedBefore: thread.existedBefore,
        ended: thread.hasEnded, times: Times([thread]))
    }
    var cgroups: [Int32: UInt64] = [:]
    for process in profile.processes {
      cgroups[process.pid] = process.cgroup ?? cgroups[process.pid]
    }
    processes = ThreadTimes.byProcess(result.threads).map { process in
      let place = PlaceDocument(
        containers, cgroup: cgroups[process.process], process: process.process)
      return Process(
        pid: process.process, command: process.command, times: Times([process]),
        cgroup: place.cgroup, container: place.container)
    }
    waits = WallDocument.waits(result, top: top)
    wakers = recordsWakers ? WallDocument.wakers(result.wakes) : nil
  }

  private static func waits(_ result: WallProfile, top: Int) -> [Wait] {
    let profile = result.profile
    // Those with a waker are listed with what the profile's samples do not tell: which process it was.
    let woken = Set(result.wakes.map(\.stack))
    let others = profile.samples.filter { !woken.contains($0.stack) }.map { sample in
      wait(profile, sample.process, sample.stack, sample.values[0], sample.values[1], nil)
    }
    let wakes = result.wakes.map { wake in
      wait(profile, wake.process, wake.stack, wake.count, wake.nanoseconds, wake.waker)
    }
    return Array(
      (others + wakes).sorted {
        ($1.timeNs, $1.count, $0.command) < ($0.timeNs, $0.count, $1.command)
      }.prefix(top))
  }

  private static func wait(
    _ profile: Profile, _ process: Int, _ stack: Int, _ count: Int64, _ time: Int64,
    _ waker: WallWaker?
  ) -> Wait {
    let indices = profile.stacks[stack]
    let parts = WallStack(profile, indices)
    let end = waker == nil ? 0 : indices.count - parts.frames.count - 1
    return Wait(
      command: profile.processes[process].command, timeNs: time, count: count,
      stack: indices[end...].map { WallStack.name(profile.frames[$0]) },
      waker: waker.map { waker in
        let isKnown = waker.context == .thread || waker.context == .undecided
        return Waker(
          context: waker.context.rawValue, command: isKnown ? waker.command : nil,
          pid: isKnown ? waker.process : nil, tid: waker.thread == 0 ? nil : waker.thread,
          stack: parts.wakerFrames.map(WallStack.name))
      })
  }

  private static func wakers(_ wakes: [WallWake]) -> [String: WakeTotal] {
    Dictionary(
      uniqueKeysWithValues: WallWaker.Context.allCases.map { context in
        let those = wakes.filter { $0.waker.context == context }
        return (
          context.rawValue,
          WakeTotal(
            count: those.reduce(0) { $0 + UInt64($1.count) },
            timeNs: those.reduce(0) { $0 + UInt64($1.nanoseconds) })
        )
      })
  }
}
