import EBPF
import EBPFTracers
import ProfileFormats
import Profiles

/// The JSON summary of a CPU profile.
struct ProfileDocument: Encodable {
  let totals: ProfileTotalsDocument
  let loss: LossDocument
  let brokenStacks: UInt64
  /// Absent where no stack was walked by unwind table.
  let walks: WalkEndsDocument?
  let overhead: OverheadDocument
  let hooks: [HookDocument]
  let durationNs: UInt64
  /// From the call that starts the profiler to its first sample.
  @Nullable var firstSampleNs: UInt64?
  let functions: [Function]
  let processes: [ProcessDocument]
  let file: String?
  let economy: EconomyDocument?
  let contexts: ContextsDocument?

  struct Function: Encodable {
    let name: String
    let module: String
    let selfSamples: Int64
    let totalSamples: Int64
  }

  struct ProcessDocument: Encodable {
    let pid: Int32
    let command: String
    let samples: Int64
    @Nullable var cgroup: String?
    @Nullable var container: ContainerDocument?
  }

  init(
    _ result: CPUProfile, file: String?, top: Int, containers: ContainerNames?,
    economy: GovernorState?
  ) throws(EBPFError) {
    let statistics = result.statistics
    totals = ProfileTotalsDocument(result)
    self.economy = economy.map(EconomyDocument.init)
    loss = LossDocument(statistics, unresolved: result.unresolvedFrames)
    brokenStacks = result.brokenStacks
    walks = result.walks.map(WalkEndsDocument.init)
    contexts = ContextsDocument(result.contexts)
    overhead = OverheadDocument(result.overhead)
    hooks = result.hooks.map(HookDocument.init)
    durationNs = statistics.recordedNanoseconds
    firstSampleNs = statistics.firstEventNanoseconds
    self.file = file
    processes = ProfiledProcess.list(result.profile).map { process in
      let place = PlaceDocument(containers, cgroup: process.cgroup, process: process.id)
      return ProcessDocument(
        pid: process.id, command: process.command, samples: process.samples, cgroup: place.cgroup,
        container: place.container)
    }
    do throws(ProfileFormatError) {
      functions = try HottestFunctions(result.profile, limit: top).rows.map { row in
        Function(
          name: row.function, module: row.module, selfSamples: row.own, totalSamples: row.total)
      }
    } catch { throw EBPFError(.unsupported, "\(error)") }
  }
}

/// `totals` of a CPU profile.
struct ProfileTotalsDocument: Encodable {
  let samples: UInt64
  let periodNs: Int64
  let cpuTimeNs: Int64
  /// From the start of sampling to the first sample; absent when there was none.
  let firstSampleNs: UInt64?

  init(_ result: CPUProfile) {
    samples = result.statistics.recorded
    periodNs = result.profile.period
    cpuTimeNs = result.profile.samples.reduce(Int64(0)) { $0 &+ $1.values[0] } &* periodNs
    firstSampleNs = result.statistics.firstEventNanoseconds
  }
}
