#if TracerMetrics
  public import EBPF
  public import EBPFTracers
  public import Metrics
  internal import Synchronization

  /// Reports what a tracer records, loses and costs to the metrics system that a service has already
  /// (swift-metrics), under the names that `ebpf agent` gives the same figures.
  ///
  /// ```swift
  /// let profiler = CPUProfiler(.thisProcess)
  /// let reporter = TracerReporter(profiler, name: "profile")
  /// try profiler.start()
  /// …
  /// try reporter.report()  // every some seconds
  /// …
  /// reporter.finish(try profiler.stop().statistics)
  /// ```
  ///
  /// | label | kind | what |
  /// | --- | --- | --- |
  /// | `ebpf.tracer.events` | counter | events by `ebpf.outcome`: `recorded`, `dropped`, `unwanted` |
  /// | `ebpf.tracer.events.truncated` | counter | recorded events whose stack is incomplete |
  /// | `ebpf.tracer.records.malformed` | counter | records of the kernel that made no sense |
  /// | `ebpf.tracer.kernel.time` | counter | seconds in the tracer's programs |
  /// | `ebpf.tracer.kernel.runs` | counter | how often they ran |
  /// | `ebpf.tracer.map.usage` | gauge | bytes that the kernel holds for the tracer's maps |
  /// | `ebpf.process.cpu.utilization` | gauge | CPUs that this process used on average since the start |
  /// | `ebpf.process.memory.usage` | gauge | resident bytes of this process |
  ///
  /// All have the dimension `ebpf.tracer.name`. Figures that could not be measured are left out
  /// (``TracerOverhead/unavailable``).
  ///
  /// A tracer lives once, and its figures begin at zero; another one has a reporter of its own. With the same
  /// name both add to the same counters, which only ever go up.
  public final class TracerReporter: Sendable {
    private let tracer: any Tracer
    private let recorded: Counter
    private let dropped: Counter
    private let unwanted: Counter
    private let truncated: Counter
    private let malformed: Counter
    private let kernelTime: FloatingPointCounter
    private let kernelRuns: Counter
    private let mapBytes: Gauge
    private let cpus: Gauge
    private let residentBytes: Gauge
    private let totals = Mutex(Totals())

    /// What counters were told already.
    private struct Totals {
      var recorded = ReportedTotal()
      var dropped = ReportedTotal()
      var unwanted = ReportedTotal()
      var truncated = ReportedTotal()
      var malformed = ReportedTotal()
      var kernelNanoseconds = ReportedTotal()
      var kernelRuns = ReportedTotal()
    }

    /// A reporter of a tracer that may not have been started yet.
    ///
    /// - Parameters:
    ///   - name: the value of `ebpf.tracer.name`: `profile`.
    ///   - dimensions: more of them, the same for all metrics.
    ///   - factory: where the metrics are made; that of the metrics system when there is none.
    public init(
      _ tracer: any Tracer, name: String, dimensions: [(String, String)] = [],
      factory: (any MetricsFactory)? = nil
    ) {
      self.tracer = tracer
      let factory = factory ?? MetricsSystem.factory
      let dimensions = [("ebpf.tracer.name", name)] + dimensions
      func counter(_ label: String, _ more: [(String, String)] = []) -> Counter {
        Counter(label: label, dimensions: dimensions + more, factory: factory)
      }
      func events(_ outcome: String) -> Counter {
        counter("ebpf.tracer.events", [("ebpf.outcome", outcome)])
      }
      func gauge(_ label: String) -> Gauge {
        Gauge(label: label, dimensions: dimensions, factory: factory)
      }
      recorded = events("recorded")
      dropped = events("dropped")
      unwanted = events("unwanted")
      truncated = counter("ebpf.tracer.events.truncated")
      malformed = counter("ebpf.tracer.records.malformed")
      kernelTime = FloatingPointCounter(
        label: "ebpf.tracer.kernel.time", dimensions: dimensions, factory: factory)
      kernelRuns = counter("ebpf.tracer.kernel.runs")
      mapBytes = gauge("ebpf.tracer.map.usage")
      cpus = gauge("ebpf.process.cpu.utilization")
      residentBytes = gauge("ebpf.process.memory.usage")
    }

    /// Reports the figures of a tracer that runs or is paused; any thread may do that, at any time. Asks
    /// the kernel about each program and map of the tracer.
    ///
    /// Throws before the tracer's start and after its stop.
    public func report() throws(EBPFError) {
      let overhead = try tracer.overhead()
      add(try tracer.statistics(), overhead)
      cpus.record(overhead.cpuPercent / 100)
      residentBytes.record(overhead.residentBytes)
      if let bytes = overhead.mapBytes { mapBytes.record(bytes) }
    }

    /// Reports the last figures, those of a stopped tracer's result.
    public func finish(_ statistics: TracerStatistics, _ overhead: TracerOverhead? = nil) {
      add(statistics, overhead)
      mapBytes.record(0)
    }

    private func add(_ statistics: TracerStatistics, _ overhead: TracerOverhead?) {
      totals.withLock { totals in
        recorded.add(&totals.recorded, statistics.recorded)
        dropped.add(&totals.dropped, statistics.dropped)
        unwanted.add(&totals.unwanted, statistics.unwanted)
        truncated.add(&totals.truncated, statistics.truncated)
        malformed.add(&totals.malformed, statistics.malformed)
        if let runs = overhead?.kernelRuns { kernelRuns.add(&totals.kernelRuns, runs) }
        guard let time = overhead?.kernelNanoseconds else { return }
        let more = totals.kernelNanoseconds.more(at: time)
        if more > 0 { kernelTime.increment(by: Double(more) / 1e9) }
      }
    }
  }

  extension Counter {
    fileprivate func add(_ reported: inout ReportedTotal, _ total: UInt64) {
      let more = reported.more(at: total)
      if more > 0 { increment(by: Int64(clamping: more)) }
    }
  }

  /// How much of a growing sum was reported.
  struct ReportedTotal {
    private var reported: UInt64 = 0

    /// What is to be reported besides: nothing while the sum is less than it was once, as that of a
    /// tracer that has stopped.
    mutating func more(at total: UInt64) -> UInt64 {
      guard total > reported else { return 0 }
      defer { reported = total }
      return total - reported
    }
  }
#endif
