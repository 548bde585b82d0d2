internal import CEBPF
internal import Glibc

/// The beginning of a child's program: holds the child before the program's first instruction, and
/// again, where a dynamic loader runs first, before the first one of the program itself, when its
/// libraries are mapped.
///
/// So what describes the program's code can be made ready before any of it runs. Uses `ptrace(2)`,
/// therefore all on the thread that made the child. When this process ends before the child is let go
/// the child ends too. A signal to the child ends the holding, as does anything else that was not
/// expected: the program then runs as it would have.
///
/// ```swift
/// let start = try ProgramStart(of: child)
/// try child.release(watchedBy: start)
/// while !start.isOver {
///   if start.isHeld() { …; start.proceed() }
/// }
/// ```
public final class ProgramStart {
  private let process: Int32
  private var stage = Stage.executing

  private enum Stage: Equatable {
    /// Before the end of `exec`.
    case executing
    /// On the way to this address, and from there to another one.
    case before(UInt64, next: UInt64?)
    case over
  }

  /// Watches a child that has not been released yet.
  ///
  /// Refused without CAP_SYS_PTRACE, with which a program that has the rights of its file keeps them,
  /// and on other processors than x86-64.
  public init(of child: borrowing ChildProcess) throws(Errno) {
    guard try CurrentProcess.capabilities().contains(.trace) else { throw .notPermitted }
    process = child.id
    _ = try Errno.check(cebpf_start_seize(process))
  }

  deinit { letGo() }

  /// True once the child is on its own.
  public var isOver: Bool { stage == .over }

  /// True when the child stands still before an instruction that was waited for. Does not wait.
  public func isHeld() -> Bool {
    guard case .before = stage, let stop = stop(waits: false) else { return false }
    guard isExpected(stop) else {
      detach(after: stop)
      return false
    }
    return true
  }

  /// Lets a child that is held go on, to the next place or for good.
  public func proceed() {
    guard case .before(_, let next) = stage else { return }
    if let next { run(to: next, next: nil) } else { detach(signal: 0) }
  }

  /// Lets the child go on for good, wherever it is.
  public func letGo() {
    guard !isOver else { return }
    // Nothing can be asked of a child that runs, but to stop. One that has stopped stays so.
    _ = cebpf_start_interrupt(process)
    if let stop = stop(waits: true) { detach(after: stop) }
  }

  /// Waits until the child has executed its program, or could not.
  func awaitExecution() {
    guard stage == .executing, let stop = stop(waits: true) else { return }
    // A program of another word size is not held.
    guard stop.isExecution, let first = place() else { return detach(after: stop) }
    let entry = ProgramStart.entry(of: process)
    run(to: first, next: entry == first ? nil : entry)
  }

  // MARK: - Requests

  private struct Stop {
    var signal: Int32 = 0
    var isEvent = false
    var isExecution = false
  }

  /// How the child has stopped; nil while it runs, and when it has ended.
  private func stop(waits: Bool) -> Stop? {
    var signal: Int32 = 0
    var isEvent: Int32 = 0
    var isExecution: Int32 = 0
    // SAFETY: the results are written to local variables.
    let state = unsafe cebpf_start_stop(process, waits ? 1 : 0, &signal, &isEvent, &isExecution)
    switch state {
    case Int32(CEBPF_START_RUNS.rawValue): return nil
    case Int32(CEBPF_START_STOPPED.rawValue):
      return Stop(signal: signal, isEvent: isEvent != 0, isExecution: isExecution != 0)
    default:
      stage = .over
      return nil
    }
  }

  /// True when a stop is the one that was asked for.
  private func isExpected(_ stop: Stop) -> Bool {
    guard case .before(let address, _) = stage else { return false }
    return stop.signal == SIGTRAP && !stop.isEvent && place() == address
  }

  /// Where a child that has stopped goes on; nil when that is not 64-bit code.
  private func place() -> UInt64? {
    var address: UInt64 = 0
    // SAFETY: the address is written to a local variable.
    return unsafe cebpf_start_instruction(process, &address) < 0 ? nil : address
  }

  private func run(to address: UInt64, next: UInt64?) {
    stage = .before(address, next: next)
    if cebpf_start_run_to(process, address) < 0 { detach(signal: 0) }
  }

  /// Passes on a signal that stopped the child.
  private func detach(after stop: Stop) {
    detach(signal: stop.isEvent || isExpected(stop) ? 0 : stop.signal)
  }

  private func detach(signal: Int32) {
    // It fails for a child that is being killed, which is on its own as well.
    _ = cebpf_start_detach(process, signal)
    stage = .over
  }

  /// Where the kernel says that a program itself begins: `AT_ENTRY` of `/proc/PID/auxv`.
  private static func entry(of process: Int32) -> UInt64? {
    struct Entry: BitwiseCopyable {
      var kind: UInt64
      var value: UInt64
    }
    let bytes: [UInt8]
    do throws(Errno) { bytes = try SystemFile.read("/proc/\(process)/auxv", limit: 1 << 16) } catch
    {
      return nil  // It is then held once.
    }
    for offset in stride(from: 0, to: bytes.count, by: MemoryLayout<Entry>.size) {
      let entry = BitwiseBytes.load(Entry.self, from: bytes.span.rawBytes, at: offset)
      if let entry, entry.kind == UInt64(AT_ENTRY) { return entry.value }
    }
    return nil
  }
}
