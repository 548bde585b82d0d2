/// Why a process context could not be published.
public struct ProcessContextError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The call that failed: `mmap`.
  public var call: String
  /// Its `errno`; `E2BIG` where nothing was called because the context is too large.
  public var errno: Int32
  /// What can be done.
  public var hint: String

  /// What failed and what can be done, in one line.
  public var description: String {
    "cannot publish the process context: \(call) failed with errno \(errno); \(hint)"
  }
}
