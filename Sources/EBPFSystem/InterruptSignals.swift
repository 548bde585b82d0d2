internal import CEBPF
internal import Glibc

/// Ctrl-C and the polite request to end (SIGINT, SIGTERM) as something to wait for.
///
/// Make it before any other thread is started: threads inherit the blocked signals, and one that does
/// not block them would end the process. Children started by ``ChildProcess`` get an empty mask.
public struct InterruptSignals: ~Copyable, Sendable {
  /// Readable when a signal has arrived.
  public let descriptor: OwnedDescriptor

  /// Blocks the signals for this thread, and for every thread it starts from now on.
  public init() throws(Errno) {
    let signals = [SIGINT, SIGTERM]
    let result = unsafe signals.withUnsafeBufferPointer { buffer -> Int32 in
      // SAFETY: a literal of two elements has a base address.
      guard let base = buffer.baseAddress else { return -EINVAL }
      return unsafe cebpf_signal_descriptor(base, buffer.count)
    }
    descriptor = OwnedDescriptor(owning: try Errno.check(result))
  }

  /// Takes one arrived signal off the queue and lets the next one end the process as usual.
  public borrowing func takeAndRestore() throws(Errno) {
    // sizeof(struct signalfd_siginfo), signalfd(2).
    var record = [UInt8](repeating: 0, count: 128)
    let count = unsafe record.withUnsafeMutableBytes { buffer -> Int64 in
      // SAFETY: 128 bytes have a base address.
      guard let base = buffer.baseAddress else { return 0 }
      return unsafe cebpf_read(descriptor.rawValue, base, buffer.count)
    }
    _ = try Errno.check(count)
    _ = try Errno.check(cebpf_unblock_signals())
  }

  /// Makes a write to a closed pipe fail with EPIPE instead of ending the process.
  public static func ignoreBrokenPipes() {
    _ = signal(SIGPIPE, SIG_IGN)
  }
}
