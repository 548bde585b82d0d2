internal import EBPF
internal import EBPFSystem
internal import Symbolization
internal import Synchronization

/// What the kernel knows for walking stacks: the rows of files in use, the mappings of each process
/// seen.
///
/// A file's rows are made when the first process that maps it is seen, those of a large file part by
/// part when walks come to them, and stay for the next process.
/// Used by one thread at a time that adds, and any that ask.
final class UnwindTables: Sendable {
  private let room: Mutex<UnwindRoom>
  private let processes: Map<UInt32, UnwindProcess>
  private let symbolizer: Symbolizer

  /// The maps of an object that includes stack_walk.h; `symbolizer` knows which processes are there.
  init(_ object: LoadedObject, symbolizer: Symbolizer) throws(EBPFError) {
    self.symbolizer = symbolizer
    processes = try Map(try object.map("unwind_processes"))
    room = Mutex(
      try UnwindRoom(
        rows: try object.map("unwind_rows"), mappings: try object.map("unwind_mappings")))
  }

  /// What was done so far.
  var statistics: UnwindStatistics { room.withLock { $0.statistics } }

  /// Makes the stacks of a process walkable; again after it has loaded more code.
  ///
  /// What cannot be done is counted, and the process is walked by frame pointer.
  func add(_ process: ProcessIdentity, code: [CodeMapping]) {
    room.withLock { room in
      do throws(EBPFError) {
        if room.isCrowded { try makeRoom(in: &room) }
        guard let run = try room.place(code, of: process.processID) else { return }
        try processes.update(
          process.processID,
          UnwindProcess(
            start: process.start / Symbolizer.Program.startUnit, image: process.image,
            first: run.lowerBound,
            count: UInt32(run.count)))
      } catch { room.countRefusal() }
    }
  }

  /// Makes the rows for an address that a walk came to, where they can be had.
  ///
  /// What cannot be done is counted, and the code is walked by frame pointer.
  func add(rowsFor address: UInt64, of process: UInt32) {
    room.withLock { room in
      do throws(EBPFError) {
        if room.isCrowded { try makeRoom(in: &room) }
        try room.place(rowsFor: address, of: process)
      } catch { room.countRefusal() }
    }
  }

  /// Forgets processes that have ended, and gives back what only they used.
  private func makeRoom(in room: inout UnwindRoom) throws(EBPFError) {
    for id in room.processes where !symbolizer.isThere(pid: Int32(truncatingIfNeeded: id)) {
      _ = try processes.delete(id)
      room.forget(id)
    }
    try room.retire()
    // From here on no program reads what the entries above referred to.
    do throws(Errno) { try GracePeriod.wait() } catch {
      throw EBPFError(
        .system, "cannot wait until no program uses an old unwind table",
        systemCall: .init(call: "membarrier", errno: error.rawValue, name: error.name))
    }
    room.reclaim()
  }
}

/// What became of the unwind tables.
struct UnwindStatistics: Sendable, Hashable {
  /// Tables made, of whole files or of parts.
  var tables = 0
  /// Rows in the kernel now.
  var rows = 0
  /// Tables of files or parts, and mappings of processes, that found no room: walked by frame pointer.
  var withoutRoom = 0
  /// Processes and tables that the kernel refused to be told about.
  var refused = 0
  /// Files with no usable table: none in the file, damaged, or another processor's.
  var withoutTable = 0
}
