/// Waits of one kind, all ended by wake-ups of one kind.
public struct WallWake: Sendable, Hashable {
  /// Who ended them.
  public var waker: WallWaker
  /// Who waited: an index of the profile's processes.
  public var process: Int
  /// An index of the profile's stacks: the one of the wait with that of the waker above it.
  public var stack: Int
  /// Waits.
  public var count: Int64
  /// Their blocked time, up to the wake-up.
  public var nanoseconds: Int64

  /// The name of the frame between the stack of the wait and the waker's.
  public static let separator = "--"
}

/// Who ended a wait.
public struct WallWaker: Sendable, Hashable {
  /// What ran where the thread was woken.
  public enum Context: String, Sendable, Hashable, CaseIterable {
    /// A thread, of itself: by a system call, a fault or as a kernel thread.
    case thread
    /// An interrupt, or what it left to do later; whom it came upon has nothing to do with it.
    case interrupt
    /// A thread, or an interrupt that came upon it: kernel functions have no names here, or the stack
    /// was lost.
    case undecided
    /// Nobody saw the wake-up, or stacks were left out to save.
    case unknown
  }

  /// What ran.
  public var context: Context
  /// The process id, in the initial namespace; 0 for interrupts and what is not known.
  public var process: Int32 = 0
  /// The thread id; 0 where threads are not told apart.
  public var thread: Int32 = 0
  /// The thread's command name; empty for interrupts and what is not known.
  public var command = ""

  /// What a flame graph calls it.
  public var label: String {
    switch context {
    case .thread: command
    case .interrupt: "[interrupt]"
    case .undecided: "\(command) [or an interrupt]"
    case .unknown: "[unknown waker]"
    }
  }
}
