internal import CEBPF
internal import Glibc
internal import Synchronization

/// A program that was started by us and waits, before its first instruction, until it is released.
///
/// So an observer can attach to its process id first and miss nothing. When the owner goes away
/// before ``release()``, the child ends without having run, and is waited for.
public struct ChildProcess: ~Copyable, Sendable {
  /// The process id.
  public let id: Int32
  private let barrier: OwnedDescriptor
  private let outcome: OwnedDescriptor
  /// Becomes readable when the process ends (`pidfd_open(2)`, Linux 5.3).
  public let descriptor: OwnedDescriptor
  private let isReleased = Atomic(false)

  /// Forks a child that will execute `arguments`; the first one is looked up in `PATH`.
  ///
  /// - Parameter isQuiet: leaves the terminal alone: standard streams that lead there lead nowhere.
  public init(_ arguments: [String], isQuiet: Bool = false) throws(Errno) {
    guard !arguments.isEmpty else { throw .invalid }
    var go: Int32 = -1
    var result: Int32 = -1
    // SAFETY: the strings are copied, terminated by a null pointer and freed after the fork, which
    // has its own copy of the memory.
    var pointers = unsafe arguments.map { argument in unsafe strdup(argument) }
    unsafe pointers.append(nil)
    let started = unsafe cebpf_child_start(pointers, isQuiet ? 1 : 0, &go, &result)
    unsafe pointers.forEach { unsafe free($0) }
    let process = try Errno.check(started)
    let barrier = OwnedDescriptor(owning: go)
    let outcome = OwnedDescriptor(owning: result)
    let descriptor = OwnedDescriptor(owning: try Errno.check(cebpf_process_descriptor(process)))
    id = process
    self.barrier = barrier
    self.outcome = outcome
    self.descriptor = descriptor
  }

  /// A child that nobody waited for would stay in the kernel's table, and be what every wait for any child
  /// finds first. One that runs is left alone.
  deinit {
    _ = cebpf_child_abandon(
      descriptor.rawValue, isReleased.load(ordering: .relaxed) ? 0 : 1)
  }

  /// Lets the child execute its program; throws what `execvp(3)` failed with.
  ///
  /// - Parameter start: holds the child where the program begins.
  public borrowing func release(watchedBy start: ProgramStart? = nil) throws(Errno) {
    var go: UInt8 = 1
    // SAFETY: one byte of a local variable.
    _ = try Errno.check(unsafe cebpf_write(barrier.rawValue, &go, 1))
    isReleased.store(true, ordering: .relaxed)
    start?.awaitExecution()
    var failure: Int32 = 0
    let size = MemoryLayout<Int32>.size
    // SAFETY: four bytes of a local variable.
    let count = try Errno.check(unsafe cebpf_read(outcome.rawValue, &failure, size))
    guard count == size else { return }
    throw Errno(rawValue: failure)
  }

  /// Waits for the end and says how it was.
  public borrowing func wait() throws(Errno) -> ExitStatus {
    var status: Int32 = 0
    // SAFETY: the status is written to a local variable.
    _ = try Errno.check(unsafe cebpf_child_wait(id, &status))
    return ExitStatus(waitStatus: status)
  }

  /// Sends a signal.
  public borrowing func send(signal: Int32) throws(Errno) {
    _ = try Errno.check(cebpf_send_signal(id, signal))
  }
}

/// How a process ended.
public enum ExitStatus: Sendable, Hashable, CustomStringConvertible {
  /// It returned this number.
  case exited(Int32)
  /// This signal ended it.
  case killed(signal: Int32)

  /// Reads `wait(2)`'s status word.
  init(waitStatus: Int32) {
    let signal = waitStatus & 0x7f
    self = signal == 0 ? .exited((waitStatus >> 8) & 0xff) : .killed(signal: signal)
  }

  /// `exit status 1`, `signal 9`.
  public var description: String {
    switch self {
    case .exited(let number): "exit status \(number)"
    case .killed(let signal): "signal \(signal)"
    }
  }
}
