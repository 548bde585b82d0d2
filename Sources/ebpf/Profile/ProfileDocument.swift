import EBPF
import EBPFTracers
import ProfileFormats
import Profiles

/// The JSON summary of a CPU profile.
struct ProfileDocument: Encodable {
  let totals: Totals
  let loss: LossDocument
  let brokenStacks: UInt64
  let overhead: OverheadDocument
  let hooks: [HookDocument]
  let durationNs: UInt64
  /// From the call that starts the profiler to its first sample.
  @Nullable var firstSampleNs: UInt64?
  let functions: [Function]
  let processes: [ProcessDocument]
  let file: String?

  struct Totals: Encodable {
    let samples: UInt64
    let periodNs: Int64
    let cpuTimeNs: Int64
    /// From the start of sampling to the first sample; absent when there was none.
    let firstSampleNs: UInt64?
  }

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
    _ result: CPUProfile, file: String?, top: Int, containers: ContainerNames?
  ) throws(EBPFError) {
    let statistics = result.statistics
    let period = result.profile.period
    let samples = result.profile.samples.reduce(Int64(0)) { $0 &+ $1.values[0] }
    totals = Totals(
      samples: statistics.recorded, periodNs: period, cpuTimeNs: samples &* period,
      firstSampleNs: statistics.firstEventNanoseconds)
    loss = LossDocument(
      recorded: statistics.recorded, dropped: statistics.dropped,
      truncated: statistics.truncated, unresolved: UInt64(result.unresolvedFrames),
      malformed: statistics.malformed)
    brokenStacks = result.brokenStacks
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
