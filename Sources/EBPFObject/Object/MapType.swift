/// The kernel's number for it; members are named in the tables that follow.
public struct MapType: RawRepresentable, Sendable, Hashable {
  /// The value of the C enumerator.
  public var rawValue: UInt32
  /// Wraps a kernel number.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
}
