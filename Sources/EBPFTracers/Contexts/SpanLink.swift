internal import EBPF
internal import Profiles

/// `struct span_link`, its bytes as numbers whose first byte is the most significant one.
struct SpanLink: Hashable, Sendable {
  var traceHigh: UInt64
  var traceLow: UInt64
  var spanID: UInt64
}

extension SpanLink {
  /// The ids at `offset` of a record; nil when they do not fit.
  init?(record: RawSpan, at offset: Int) {
    guard let high = record.integer(at: offset, as: UInt64.self, order: .big),
      let low = record.integer(at: offset + 8, as: UInt64.self, order: .big),
      let span = record.integer(at: offset + 16, as: UInt64.self, order: .big)
    else { return nil }
    self.init(traceHigh: high, traceLow: low, spanID: span)
  }
}

/// `struct span_link` as it lies in memory.
struct SpanLinkRecord: BitwiseCopyable, Sendable {
  var traceID: (UInt64, UInt64) = (0, 0)
  var spanID: UInt64 = 0

  /// Nil for ids that are no span's: all zero.
  var span: Profile.Span? {
    Profile.Span(
      SpanLink(
        traceHigh: UInt64(bigEndian: traceID.0), traceLow: UInt64(bigEndian: traceID.1),
        spanID: UInt64(bigEndian: spanID)))
  }
}

extension Profile.Span {
  /// Nil for ids that are no span's: all zero.
  init?(_ link: SpanLink) {
    guard link.traceHigh | link.traceLow != 0, link.spanID != 0 else { return nil }
    self.init(traceHigh: link.traceHigh, traceLow: link.traceLow, spanID: link.spanID)
  }
}

/// `struct thread_context`: where a process's threads tell their span.
struct ThreadContextRecord: BitwiseCopyable, Sendable {
  var start: UInt64
  var image: UInt64
  var offset: UInt64
  var module: UInt32
  var stride: UInt32
}
