internal import EBPFTracers
internal import OTLP

/// Since when a tracer's sums count. They begin anew when the tracer does, which shows in sums that
/// have become smaller.
struct CumulativeState: Sendable {
  private(set) var start: UInt64
  /// The last collection.
  private(set) var last: UInt64
  private var seen: UInt64 = 0

  init(start: UInt64) {
    self.start = start
    last = start
  }

  /// The tracer is started again: the next sums are new ones, however large they are.
  mutating func beginAnew() { seen = .max }

  /// Takes in a collection; true when the sums have begun anew since the last.
  mutating func update(_ statistics: TracerStatistics, at now: UInt64) -> Bool {
    let isReset = statistics.seen < seen
    if isReset { start = last }
    seen = statistics.seen
    last = now
    return isReset
  }
}

/// The combinations of attributes that a metric has: who was first stays, and who comes when there is
/// no more room is summed into one point for all others.
struct StreamTable<Stream: Hashable & Sendable>: Sendable {
  private var admitted: Set<Stream> = []
  private let limit: Int

  /// `limit` includes the point for all others.
  init(limit: Int) { self.limit = max(limit, 1) }

  mutating func admits(_ stream: Stream) -> Bool {
    if admitted.contains(stream) { return true }
    guard admitted.count < limit - 1 else { return false }
    admitted.insert(stream)
    return true
  }

  mutating func reset() { admitted = [] }

  /// Points of counts, the greatest first where there is not room for all. Those that have ended make
  /// room for others then.
  mutating func points(
    _ counts: [Stream: UInt64], ended: Set<Stream> = [], others: UInt64 = 0,
    _ statistics: inout ConversionStatistics, _ attributes: (Stream) -> [Attribute]
  ) -> [NumberPoint] {
    let isCrowded = counts.count >= limit
    if isCrowded { admitted.subtract(ended) }
    var rest = others
    var points: [NumberPoint] = []
    for (stream, count) in counts.sorted(by: { $0.value > $1.value }) {
      if !(isCrowded && ended.contains(stream)), admits(stream) {
        points.append(NumberPoint(attributes(stream), count))
      } else {
        statistics.overflowed += 1
        rest += count
      }
    }
    if rest > 0 { points.append(NumberPoint([.overflow], rest)) }
    return points
  }
}

extension Attribute {
  /// What marks the point for all others.
  static var overflow: Attribute { Attribute(Key.overflow, .boolean(true)) }
}

/// Distributions by attributes, bounded as ``StreamTable`` is.
struct HistogramTable<Stream: Hashable & Sendable>: Sendable {
  private var table: StreamTable<Stream>
  private var histograms: [Stream: ExponentialHistogram] = [:]
  private var others = ExponentialHistogram()

  init(limit: Int) { table = StreamTable(limit: limit) }

  mutating func record(
    _ seconds: Double, _ stream: Stream, _ statistics: inout ConversionStatistics
  ) {
    if table.admits(stream) {
      histograms[stream, default: ExponentialHistogram()].record(seconds)
    } else {
      statistics.overflowed += 1
      others.record(seconds)
    }
  }

  func points(_ attributes: (Stream) -> [Attribute]) -> [HistogramPoint] {
    var points = histograms.map { HistogramPoint(attributes($0.key), $0.value) }
    if others.count > 0 { points.append(HistogramPoint([.overflow], others)) }
    return points
  }
}
