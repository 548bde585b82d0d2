internal import EBPF
internal import EBPFSystem

/// Measures what a tracer costs, from a moment on.
struct OverheadMeter: Sendable {
  private let cpuAtStart: UInt64
  private let begin: UInt64
  /// Keeps the kernel's run-time statistics on; nil when it refused.
  private let statistics: StatisticsHandle?
  private let refusal: String?

  private final class StatisticsHandle: Sendable {
    let descriptor: OwnedDescriptor
    init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
  }

  /// Starts measuring now.
  ///
  /// - Parameter countsProgramTime: switches the kernel's run-time statistics on, which reads the
  ///   clock twice for each run of every BPF program on the machine.
  init(kernel: any KernelInterface, countsProgramTime: Bool = true) {
    cpuAtStart = ProcessUsage.now().cpuNanoseconds
    begin = Clock.monotonic.now
    guard countsProgramTime else {
      statistics = nil
      refusal =
        "time in the kernel was not measured: measuring (BPF_ENABLE_STATS) would add to each event"
      return
    }
    do throws(Errno) {
      statistics = StatisticsHandle(try kernel.enableStatistics(0))
      refusal = nil
    } catch {
      statistics = nil
      refusal =
        "time in the kernel is unknown: BPF_ENABLE_STATS was refused (\(error.name)); "
        + "it needs CAP_SYS_ADMIN and Linux 5.8"
    }
  }

  /// What was used since the meter was made, by an object and the lists that it filters by. Lists that
  /// it shares are left out.
  func read(
    _ object: LoadedObject, _ lists: ProcessLists, latencies: LatencyHistogram
  ) throws(EBPFError) -> TracerOverhead {
    let usage = ProcessUsage.now()
    let elapsed = Clock.monotonic.now - begin
    let cpu = usage.cpuNanoseconds - min(usage.cpuNanoseconds, cpuAtStart)
    var missing: [String] = []
    let programs = try OverheadMeter.runs(object, lists)
    if let refusal { missing.append(refusal) }
    let isMeasured = refusal == nil
    let maps = OverheadMeter.bytes(of: OverheadMeter.own(object, lists))
    if maps == nil {
      missing.append("memory of maps is unknown: /proc/self/fdinfo is not readable")
    }
    if latencies.count == 0 {
      missing.append("event latency is unknown: no event was sent from the kernel")
    }
    return TracerOverhead(
      cpuPercent: elapsed == 0 ? 0 : Double(cpu) / Double(elapsed) * 100,
      residentBytes: usage.residentBytes ?? 0, mapBytes: maps,
      kernelNanoseconds: isMeasured ? programs.reduce(0) { $0 &+ $1.nanoseconds } : nil,
      kernelRuns: isMeasured ? programs.reduce(0) { $0 &+ $1.count } : nil,
      latencyMedian: latencies.quantile(0.5), latencyP99: latencies.quantile(0.99),
      unavailable: missing, programs: programs)
  }

  /// Time in the programs of an object and of its own lists; nil where it is not measured.
  func kernelNanoseconds(
    _ object: LoadedObject, _ lists: ProcessLists
  ) throws(EBPFError) -> UInt64? {
    guard refusal == nil else { return nil }
    return try OverheadMeter.runs(object, lists).reduce(0) { $0 &+ $1.nanoseconds }
  }

  private static func runs(
    _ object: LoadedObject, _ lists: ProcessLists
  ) throws(EBPFError) -> [ProgramRuns] {
    try runs(object.programs + (lists.isShared ? [] : lists.programs))
  }

  private static func own(_ object: LoadedObject, _ lists: ProcessLists) -> [RawMap] {
    guard lists.isShared else { return object.maps }
    let shared = lists.maps.map(\.id)
    return object.maps.filter { !shared.contains($0.id) }
  }

  /// What the kernel counted of programs.
  static func runs(_ programs: [Program]) throws(EBPFError) -> [ProgramRuns] {
    var runs: [ProgramRuns] = []
    for program in programs {
      let information = try program.information()
      runs.append(
        ProgramRuns(
          id: information.id, name: information.name, type: program.type.name,
          loadTime: information.loadTime, count: information.runCount,
          nanoseconds: information.runTime))
    }
    return runs
  }

  /// The sum of `memlock` in the maps' fdinfo (kernel document bpf/map_*.rst; `bpftool map` shows
  /// the same figure).
  static func bytes(of maps: [RawMap]) -> UInt64? {
    var total: UInt64 = 0
    for map in maps {
      let lines: [Substring]
      do throws(Errno) {
        lines = try SystemFile.lines("/proc/self/fdinfo/\(map.fileDescriptor)")
      } catch { return nil }
      for line in lines where line.hasPrefix("memlock:") {
        let digits = line.drop { !$0.isNumber }
        total += UInt64(digits) ?? 0
      }
    }
    return total
  }
}
