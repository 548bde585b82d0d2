internal import CEBPF
internal import Glibc

/// What happens to a program that has taken over its terminal, as something to wait for.
///
/// Make it before any other thread is started, as ``InterruptSignals``.
public struct TerminalSignals: ~Copyable, Sendable {
  /// What happened.
  public enum Event: Sendable, Hashable {
    /// The terminal has another size (SIGWINCH).
    case resized
    /// Ctrl-Z (SIGTSTP): give the terminal back, then ``stopProcess()``.
    case suspended
    /// The process was stopped and goes on (SIGCONT): the terminal may look different.
    case continued
    /// The terminal is gone (SIGHUP), or somebody wants a quick end (SIGQUIT).
    case ended
  }

  private static let numbers = [SIGWINCH, SIGTSTP, SIGCONT, SIGHUP, SIGQUIT]

  /// Readable when something has happened.
  public let descriptor: OwnedDescriptor

  /// Blocks the signals for this thread, and for every thread it starts from now on.
  public init() throws(Errno) {
    let result = unsafe TerminalSignals.numbers.withUnsafeBufferPointer { buffer -> Int32 in
      // SAFETY: a literal of five elements has a base address.
      guard let base = buffer.baseAddress else { return -EINVAL }
      return unsafe cebpf_signal_descriptor(base, buffer.count)
    }
    descriptor = OwnedDescriptor(owning: try Errno.check(result))
  }

  /// What has happened since the last time.
  public borrowing func take() throws(Errno) -> [Event] {
    var events: [Event] = []
    while true {
      let number = cebpf_signal_read(descriptor.rawValue)
      switch number {
      case -EAGAIN: return events
      case -EINTR: continue
      case SIGWINCH: events.append(.resized)
      case SIGTSTP: events.append(.suspended)
      case SIGCONT: events.append(.continued)
      case SIGHUP, SIGQUIT: events.append(.ended)
      default: _ = try Errno.check(number)
      }
    }
  }

  /// Stops this process as Ctrl-Z would have; returns when it is continued.
  public static func stopProcess() throws(Errno) {
    _ = try Errno.check(cebpf_send_signal(getpid(), SIGSTOP))
  }

  /// Lets the signals act as usual again, on the calling thread.
  public static func restore() throws(Errno) {
    let result = unsafe numbers.withUnsafeBufferPointer { buffer -> Int32 in
      // SAFETY: a literal of five elements has a base address.
      guard let base = buffer.baseAddress else { return -EINVAL }
      return unsafe cebpf_unblock(base, buffer.count)
    }
    _ = try Errno.check(result)
  }
}
