internal import FoundationEssentials

/// What identifies a trace, and a profile: 16 bytes, never all zero.
public struct TraceID: Sendable, Hashable {
  private let high: UInt64
  private let low: UInt64

  /// One that nobody else has.
  public static func random(
    using generator: inout some RandomNumberGenerator
  ) -> TraceID {
    TraceID(
      first: .random(in: 1...UInt64.max, using: &generator),
      second: .random(in: 1...UInt64.max, using: &generator))
  }

  /// One that is known; nil for all zero.
  public init?(high: UInt64, low: UInt64) {
    guard high != 0 || low != 0 else { return nil }
    self.high = high
    self.low = low
  }

  private init(first: UInt64, second: UInt64) {
    high = first
    low = second
  }

  var data: Data { Data(Identifier.bytes(high) + Identifier.bytes(low)) }
  static var zero: Data { Data(count: 16) }
}

/// What identifies a span in its trace: 8 bytes, never all zero.
public struct SpanID: Sendable, Hashable {
  private let value: UInt64

  /// One that nobody else has.
  public static func random(using generator: inout some RandomNumberGenerator) -> SpanID {
    SpanID(value: .random(in: 1...UInt64.max, using: &generator))
  }

  /// One that is known; nil for zero.
  public init?(_ value: UInt64) {
    guard value != 0 else { return nil }
    self.value = value
  }

  private init(value: UInt64) { self.value = value }

  var data: Data { Data(Identifier.bytes(value)) }
  static var zero: Data { Data(count: 8) }
}

enum Identifier {
  /// In network order.
  static func bytes(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(56 - 8 * $0)) }
  }
}
