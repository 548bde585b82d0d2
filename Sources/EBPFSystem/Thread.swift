internal import CEBPF
internal import Glibc

/// A thread of the operating system.
package enum Thread {
  /// Runs `body` on this thread before other threads of the machine, where this process may ask for
  /// that (`CAP_SYS_NICE`); afterwards the thread is as it was.
  package static func urgently<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let before = cebpf_thread_niceness()
    guard before > 0, cebpf_set_thread_niceness(0) == 0 else { return try body() }
    // To ask for less is always granted.
    defer { _ = cebpf_set_thread_niceness(before) }
    return try body()
  }

  private final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// Runs `body` on a new thread that nobody waits for.
  package static func detach(_ body: @escaping @Sendable () -> Void) throws(Errno) {
    pthread_detach(try start(body))
  }

  /// A thread beside this one. Its owner waits for its end before it goes away.
  package struct Companion: ~Copyable {
    private let thread: pthread_t

    /// Runs `body` on a new thread.
    package init(_ body: @escaping @Sendable () -> Void) throws(Errno) {
      thread = try Thread.start(body)
    }

    deinit { _ = pthread_join(thread, nil) }
  }

  private static func start(_ body: @escaping @Sendable () -> Void) throws(Errno) -> pthread_t {
    let work = unsafe Unmanaged.passRetained(Work(body))
    var thread = pthread_t()
    let result = unsafe pthread_create(
      &thread, nil,
      { context in
        // SAFETY: the context is the retained work, taken exactly once.
        if let context = unsafe context {
          unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
        }
        return nil
      }, work.toOpaque())
    guard result == 0 else {
      unsafe work.release()
      throw Errno(rawValue: result)
    }
    return thread
  }
}
