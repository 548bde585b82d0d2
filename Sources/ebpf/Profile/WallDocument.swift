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
  }

  init(
    _ result: WallProfile, file: String?, top: Int, containers: ContainerNames?,
    economy: GovernorState?
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
    let longest = profile.samples.sorted {
      ($1.values[1], $0.stack, $0.process) < ($0.values[1], $1.stack, $1.process)
    }
    waits = longest.prefix(top).map { sample in
      Wait(
        command: profile.processes[sample.process].command, timeNs: sample.values[1],
        count: sample.values[0],
        stack: profile.stacks[sample.stack].map {
          profile.frames[$0].name ?? "0x" + String(profile.frames[$0].address, radix: 16)
        })
    }
  }
}
