extension Profile {
  /// A name with what it says: one of those by which a process describes itself, such as `service.name`.
  public struct Attribute: Sendable, Hashable {
    /// What an attribute says.
    public enum Value: Sendable, Hashable {
      /// A text.
      case string(String)
      /// Yes or no.
      case boolean(Bool)
      /// A whole number.
      case integer(Int64)
      /// A number.
      case double(Double)
      /// Texts in order.
      case strings([String])
    }

    /// Its name.
    public var key: String
    /// What it says.
    public var value: Value

    /// Creates an attribute.
    public init(_ key: String, _ value: Value) {
      self.key = key
      self.value = value
    }
  }

  /// A span of a trace, by the ids of W3C's Trace Context as numbers; their first byte is the most
  /// significant one.
  public struct Span: Sendable, Hashable {
    /// The first half of the trace's id.
    public var traceHigh: UInt64
    /// The second half of the trace's id.
    public var traceLow: UInt64
    /// The span's id.
    public var spanID: UInt64

    /// Creates a span.
    public init(traceHigh: UInt64, traceLow: UInt64, spanID: UInt64) {
      self.traceHigh = traceHigh
      self.traceLow = traceLow
      self.spanID = spanID
    }
  }
}
