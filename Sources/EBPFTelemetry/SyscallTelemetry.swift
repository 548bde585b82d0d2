public import EBPFTracers
internal import EBPFSystem
public import OTLP

/// Makes spans of system calls that are slow or fail, and metrics of all.
///
/// Make it just before the tracer starts, which is where its sums begin.
public struct SyscallTelemetry: Sendable {
  /// What makes a stream of the metric of counts.
  private struct Stream: Hashable, Sendable {
    var call: Syscall
    var error: Int32?
    var process: String?
    var cgroup: String?
  }

  private var pending: PendingTelemetry
  private var state: CumulativeState
  private var streams: StreamTable<Stream>
  private var losses = LossWatch(tracer: "syscalls")
  private var time = MonotonicTime()

  /// What was converted and what not.
  public var statistics: ConversionStatistics { pending.statistics }

  /// Sums begin at `start`, in nanoseconds since 1970; nil for now.
  public init(_ options: TelemetryOptions, start: UInt64? = nil) {
    pending = PendingTelemetry(options)
    state = CumulativeState(start: start ?? Clock.wall.now)
    streams = StreamTable(limit: options.cardinalityLimit)
  }

  /// To be told when the tracer is started again: its sums begin anew then. That its sums are smaller
  /// shows it as well, but not when they grow fast.
  public mutating func beginAnew() { state.beginAnew() }

  /// Makes a span of an event if one is wanted of it.
  public mutating func add(_ event: SyscallEvent) {
    pending.statistics.events += 1
    guard pending.options.syscallSpans.wants(event) else {
      pending.statistics.unwanted += 1
      return
    }
    var list = pending.attributes
    list.add(Key.syscall, event.call.name)
    if event.call.isCompat { list.add(Key.syscallIsCompat, true) }
    list.add(Key.processID, event.process)
    list.add(Key.threadID, event.thread)
    list.add(Key.threadName, event.command)
    // One that was picked among several stands for all of them.
    if event.weight > 1 { list.add(Key.weight, event.weight) }
    var failure: String?
    if case .error(let number) = event.result {
      let error = Errno(rawValue: number)
      list.add(Key.errorType, error.name)
      failure = error.text
    }
    let start = time.unix(event.entered)
    pending.addSpan(
      event.call.name, .internal, from: start, to: start &+ event.nanoseconds, list,
      process: event.process, within: event.span, failure: failure)
  }

  /// The spans since the last collection, and the sums as they are now.
  public mutating func collect(_ summary: SyscallSummary, at now: UInt64? = nil)
    -> [TelemetryExport]
  {
    let now = now ?? Clock.wall.now
    time.measure()
    if state.update(summary.statistics, at: now) {
      streams.reset()
      losses.beginAnew()
    }
    losses.report(summary.statistics, at: now, &pending)
    var metrics = MetricBatch(start: state.start, time: now)
    metrics.add(
      MetricDescriptor(
        "process.linux.syscall.count", unit: "{call}", "System calls that were made."),
      .counter, counts(summary))
    metrics.add(
      MetricDescriptor(
        "process.linux.syscall.duration", unit: "s", "Time inside system calls that returned."),
      durations(summary))
    return pending.take(metrics)
  }

  // MARK: - Points

  private mutating func counts(_ summary: SyscallSummary) -> [NumberPoint] {
    var counts: [Stream: UInt64] = [:]
    for cell in summary.matrix {
      var stream = Stream(call: cell.call)
      if case .error(let number) = cell.outcome { stream.error = number }
      switch cell.owner {
      case .all: break
      case .process(_, _, let command): stream.process = command
      case .cgroup(let id, let path): stream.cgroup = path ?? String(id)
      }
      counts[stream, default: 0] &+= cell.count
    }
    // Where nobody is told apart the matrix has only calls that fail.
    if summary.matrix.allSatisfy({ $0.owner == .all }) {
      for total in summary.calls {
        let others =
          total.call.neverReturns ? total.count : total.returns - min(total.returns, total.errors)
        if others > 0 { counts[Stream(call: total.call), default: 0] &+= others }
      }
    }
    let limit = pending.options.attributeLengthLimit
    // What found no room in the matrix is in no line of it.
    return streams.points(counts, others: summary.losses.keys, &pending.statistics) { stream in
      var list = AttributeList(limit: limit)
      list.add(Key.syscall, stream.call.name)
      if stream.call.isCompat { list.add(Key.syscallIsCompat, true) }
      list.add(Key.processName, stream.process)
      list.add(Key.cgroup, stream.cgroup)
      list.add(Key.errorType, stream.error.map { Errno(rawValue: $0).name })
      return list.attributes
    }
  }

  private func durations(_ summary: SyscallSummary) -> [HistogramPoint] {
    summary.calls.compactMap { call in
      guard call.returns > 0 else { return nil }
      var attributes = [Attribute(Key.syscall, call.call.name)]
      if call.call.isCompat { attributes.append(Attribute(Key.syscallIsCompat, .boolean(true))) }
      return HistogramPoint(attributes, ExponentialHistogram(call))
    }
  }
}

extension ExponentialHistogram {
  /// A kernel's buckets, which have four to a power of two as those of scale 2 have.
  ///
  /// Their bounds differ (quarters and not roots, nanoseconds and not seconds), so each goes to the
  /// bucket that its middle is in: a value is at most a bucket from where it belongs. Number, sum and
  /// maximum are exact.
  init(_ totals: SyscallTotals) {
    let first = Double(SyscallHistogram.bounds(0).upperBound) / 1e9
    self.init(scale: 2, zeroThreshold: first)
    for (bucket, count) in totals.histogram.counts.enumerated() where count > 0 {
      let bounds = SyscallHistogram.bounds(bucket)
      let middle =
        bucket == 0
        ? 0
        : bucket == SyscallHistogram.bucketCount - 1
          ? Double(max(totals.maximumNanoseconds, bounds.lowerBound))
          : (Double(bounds.lowerBound) * Double(bounds.upperBound)).squareRoot()
      add(count, near: middle / 1e9)
    }
    sum = Double(totals.totalNanoseconds) / 1e9
    maximum = Double(totals.maximumNanoseconds) / 1e9
  }
}
