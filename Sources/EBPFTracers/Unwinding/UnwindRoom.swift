internal import EBPF
internal import EBPFSystem
internal import Symbolization
internal import Unwinding

/// Who has which part of the arrays that the kernel program reads.
///
/// A run that was in use is not used again before ``reclaim()``, which the owner calls when no
/// program can be reading it any more.
struct UnwindRoom: Sendable {
  private struct Table {
    var run: Range<UInt32>
    var base: UInt64
    var users: Set<UInt32> = []
    var lastUse: UInt64 = 0
  }

  private struct Process {
    var run: Range<UInt32>
    var files: Set<ModuleIdentity>
  }

  // Mapped only while something is written: what is mapped counts as this process's memory.
  private let rows: RawMap
  private let mappings: RawMap
  private var freeRows: RunAllocator
  private var freeMappings: RunAllocator
  private var retiredMappings: [Range<UInt32>] = []
  private var tables: [ModuleIdentity: Table] = [:]
  /// Files that have no usable table.
  private var without: Set<ModuleIdentity> = []
  /// Files whose table found no room; looked at again once something was given back.
  private var crowdedOut: Set<ModuleIdentity> = []
  private var known: [UInt32: Process] = [:]
  private var clock: UInt64 = 0
  private(set) var statistics = UnwindStatistics()
  /// Something found no room since the last ``reclaim()``.
  private var isShort = false
  private var lastReclaim: UInt64 = 0

  init(rows: RawMap, mappings: RawMap) {
    freeRows = RunAllocator(count: rows.information.maxEntries)
    freeMappings = RunAllocator(count: mappings.information.maxEntries)
    self.rows = rows
    self.mappings = mappings
  }

  /// The ids of the processes that have mappings.
  var processes: [UInt32] { Array(known.keys) }

  /// True when it is time to look for processes that have ended.
  var isCrowded: Bool {
    known.count >= Self.processLimit || isShort && clock - lastReclaim >= Self.reclaimInterval
  }

  /// Processes added between two looks for something to give back, which take some 10 ms.
  private static let reclaimInterval: UInt64 = 64

  /// What `unwind_processes` holds.
  private static let processLimit = 8192

  /// Writes the rows and the mappings of a process; the run of its mappings is what the kernel has to
  /// be told. Nil when there is nothing to walk by.
  mutating func place(
    _ code: [CodeMapping], of process: UInt32
  ) throws(EBPFError) -> Range<UInt32>? {
    clock += 1
    var entries: [UnwindMapping] = []
    var files: Set<ModuleIdentity> = []
    for mapping in code.sorted(by: { $0.start < $1.start }) {
      guard let bias = mapping.bias, let table = try table(of: mapping) else {
        // Known, and without rows: the walk goes on by frame pointer.
        entries.append(
          UnwindMapping(start: mapping.start, end: mapping.end, base: 0, first: 0, count: 0))
        continue
      }
      files.insert(mapping.identity)
      entries.append(
        UnwindMapping(
          start: mapping.start, end: mapping.end, base: table.base &+ bias,
          first: table.run.lowerBound, count: UInt32(table.run.count)))
    }
    guard !files.isEmpty else { return nil }
    let written = try MappedArray<UnwindMapping>(mappings)
    guard let count = UInt32(exactly: entries.count), let run = freeMappings.take(count) else {
      statistics.withoutRoom += 1
      isShort = true
      return nil
    }
    for (place, entry) in zip(run, entries) { written[Int(place)] = entry }
    forget(process)
    for file in files {
      tables[file]?.users.insert(process)
      tables[file]?.lastUse = clock
    }
    known[process] = Process(run: run, files: files)
    return run
  }

  /// The kernel could not be told about a process.
  mutating func countRefusal() { statistics.refused += 1 }

  /// A process is no longer referred to; what it used may be reclaimed.
  mutating func forget(_ process: UInt32) {
    guard let old = known.removeValue(forKey: process) else { return }
    retiredMappings.append(old.run)
    for file in old.files { tables[file]?.users.remove(process) }
  }

  /// Frees what nothing refers to any more: all old mappings, and of the tables without a user the
  /// older half. Only when no program can be reading them.
  mutating func reclaim() {
    for run in retiredMappings { freeMappings.giveBack(run) }
    retiredMappings.removeAll()
    let unused = tables.filter { $0.value.users.isEmpty }.sorted {
      $0.value.lastUse < $1.value.lastUse
    }
    for (file, table) in unused.prefix((unused.count + 1) / 2) {
      freeRows.giveBack(table.run)
      statistics.rows -= table.run.count
      tables[file] = nil
    }
    if !unused.isEmpty { crowdedOut.removeAll() }
    isShort = false
    lastReclaim = clock
  }

  /// The table of a mapping's file, made now if it is not there.
  private mutating func table(of mapping: CodeMapping) throws(EBPFError) -> Table? {
    if let table = tables[mapping.identity] { return table }
    guard !without.contains(mapping.identity), !crowdedOut.contains(mapping.identity) else {
      return nil
    }
    let unwinding: UnwindTable
    do throws(EBPFError) {
      unwinding = try UnwindTable(
        try mapping.file(), rowLimit: Int(rows.information.maxEntries))
    } catch {
      if error.code == .tooLarge { statistics.withoutRoom += 1 }
      // Its code is walked by frame pointer, which the walk counts.
      return refuse(mapping.identity)
    }
    guard !unwinding.rows.isEmpty else { return refuse(mapping.identity) }
    let written = try MappedArray<UInt64>(rows)
    guard let count = UInt32(exactly: unwinding.rows.count), let run = freeRows.take(count) else {
      statistics.withoutRoom += 1
      crowdedOut.insert(mapping.identity)
      isShort = true
      return nil
    }
    for (place, row) in zip(run, unwinding.rows) { written[Int(place)] = row.bits }
    mapping.releasePages()
    let table = Table(run: run, base: unwinding.base)
    tables[mapping.identity] = table
    statistics.tables += 1
    statistics.rows += run.count
    return table
  }

  private mutating func refuse(_ file: ModuleIdentity) -> Table? {
    without.insert(file)
    statistics.withoutTable += 1
    return nil
  }
}
