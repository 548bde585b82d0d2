internal import EBPF
internal import EBPFSystem
internal import Symbolization
internal import Synchronization

/// Makes unwind tables on a thread of its own: a table of a large file takes a tenth of a second, and
/// whoever looks at processes that end soon must not wait for it.
final class UnwindBuilder: Sendable {
  private let tables: UnwindTables
  private let symbolizer: Symbolizer
  private let pending = Mutex(Pending())
  /// Held while a process is looked at, so that what was read last is what the kernel knows.
  private let looking = Mutex(())
  private let poller: Poller
  private let wake: Mutex<Poller.Wake?>

  private struct Pending {
    var processes: [ProcessIdentity] = []
    var rows: [(process: UInt32, address: UInt64)] = []
  }

  /// Begins to wait for processes, whose stacks an object with stack_walk.h walks; `symbolizer` knows
  /// their code.
  init(_ object: LoadedObject, symbolizer: Symbolizer) throws(EBPFError) {
    tables = try UnwindTables(object, symbolizer: symbolizer)
    self.symbolizer = symbolizer
    wake = Mutex(nil)
    do throws(Errno) {
      poller = try Poller()
      // The handler must not keep the builder alive, which owns the poller.
      let wake = try poller.addWake { [weak self] in self?.build() }
      self.wake.withLock { $0 = wake }
      try poller.start(isUrgent: true)
    } catch {
      throw EBPFError(
        .system, "cannot start the thread that makes unwind tables",
        systemCall: .init(call: "epoll_ctl", errno: error.rawValue, name: error.name))
    }
  }

  deinit { poller.stop() }

  /// What was done so far.
  var statistics: UnwindStatistics { tables.statistics }

  /// Makes the stacks of processes, as a filter names them, walkable before their next sample: returns
  /// when that is done.
  func prepare(_ processes: some Sequence<Int32>) throws(EBPFError) {
    let numbers = try ProcessNumbers()
    for pid in processes.map(numbers.outer) {
      // One that is gone, or may not be looked into, is counted when it is sampled.
      guard let program = symbolizer.program(of: pid) else { continue }
      build(
        ProcessIdentity(start: program.start, image: program.image, processID: UInt32(pid)))
    }
  }

  /// Makes the stacks of these processes walkable, the first ones first; again after they have loaded
  /// more code. Then makes the rows for addresses that walks came to. Returns at once.
  func add(_ processes: [ProcessIdentity], rowsFor rows: [(process: UInt32, address: UInt64)]) {
    guard !processes.isEmpty || !rows.isEmpty else { return }
    pending.withLock { pending in
      pending.processes.insert(contentsOf: processes, at: 0)
      pending.rows += rows
    }
    wake.withLock { $0 }?.send()
  }

  /// Makes the stacks of a process walkable before it returns, on the calling thread.
  func build(_ process: ProcessIdentity) {
    let pid = Int32(truncatingIfNeeded: process.processID)
    looking.withLock { _ in
      tables.add(process, code: symbolizer.code(of: process.program, in: pid))
    }
  }

  private func build() {
    while let process = pending.withLock({
      $0.processes.isEmpty ? nil : $0.processes.removeFirst()
    }) {
      // Of one that has ended no stack is taken any more.
      guard symbolizer.isThere(pid: Int32(truncatingIfNeeded: process.processID)) else { continue }
      build(process)
    }
    let rows = pending.withLock { pending in
      defer { pending.rows.removeAll() }
      return pending.rows
    }
    for (process, address) in rows { tables.add(rowsFor: address, of: process) }
  }
}
