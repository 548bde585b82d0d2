internal import Glibc

/// The end of this process.
public enum ProcessEnd {
  /// Ends the process at once; what it still holds goes back with its memory.
  public static func now(status: Int32) -> Never { exit(status) }
}
