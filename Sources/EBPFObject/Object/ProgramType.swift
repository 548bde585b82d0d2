/// The kernel's number for it; members are named in the tables that follow.
public struct ProgramType: RawRepresentable, Sendable, Hashable {
  /// The value of the C enumerator.
  public var rawValue: UInt32
  /// Wraps a kernel number.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
}

extension ProgramType {
  /// `BPF_PROG_TYPE_UNSPEC`: not known yet; the caller sets it before loading.
  public static let unspecified = ProgramType(rawValue: 0)
}
