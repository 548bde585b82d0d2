/// Which span is at work: the ids that W3C's Trace Context passes between services.
public struct SpanContext: Sendable, Hashable {
  /// The first half of the trace's id; its first byte is the most significant one.
  public let traceHigh: UInt64
  /// The second half of the trace's id.
  public let traceLow: UInt64
  /// The span's id.
  public let spanID: UInt64
  /// The flags of Trace Context; 1 for a trace that is sampled.
  public let flags: UInt8

  /// Creates one of numbers; nil where one of the ids is 0, which means none.
  public init?(traceHigh: UInt64, traceLow: UInt64, spanID: UInt64, flags: UInt8 = 1) {
    guard traceHigh | traceLow != 0, spanID != 0 else { return nil }
    self.traceHigh = traceHigh
    self.traceLow = traceLow
    self.spanID = spanID
    self.flags = flags
  }

  /// Creates one of 16 and 8 bytes; nil for other lengths, and where one is all zero.
  public init?(
    traceID: some Collection<UInt8>, spanID: some Collection<UInt8>, flags: UInt8 = 1
  ) {
    guard traceID.count == 16, spanID.count == 8 else { return nil }
    self.init(
      traceHigh: Self.word(traceID.prefix(8)), traceLow: Self.word(traceID.dropFirst(8)),
      spanID: Self.word(spanID), flags: flags)
  }

  /// Reads the header `traceparent` (W3C Trace Context, section 3.2): `00-trace-span-flags`, in lower-case
  /// hexadecimal. Nil for anything else.
  ///
  /// Of a version that is newer it reads what version 00 has, as that document asks.
  public init?(traceparent: String) {
    let parts = traceparent.utf8.split(
      separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[0].count == 2, parts[1].count == 32, parts[2].count == 16,
      parts[3].count == 2, let version = Self.number(parts[0]), version != 0xff,
      version != 0 || parts.count == 4, let high = Self.number(parts[1].prefix(16)),
      let low = Self.number(parts[1].dropFirst(16)), let span = Self.number(parts[2]),
      let flags = Self.number(parts[3])
    else { return nil }
    self.init(traceHigh: high, traceLow: low, spanID: span, flags: UInt8(flags))
  }

  private static func word(_ bytes: some Collection<UInt8>) -> UInt64 {
    bytes.reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// At most 16 hexadecimal digits.
  private static func number(_ digits: some Collection<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for digit in digits {
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - 0x30)
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - 0x57)
      default: return nil
      }
    }
    return value
  }
}
