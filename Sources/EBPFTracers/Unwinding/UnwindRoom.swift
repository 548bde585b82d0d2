internal import EBPF
internal import EBPFSystem
internal import Symbolization
internal import Unwinding

/// Who has which part of the arrays that the kernel program reads.
///
/// A run that was in use is not used again before ``reclaim()``, which the owner calls when no
/// program can be reading it any more.
struct UnwindRoom: Sendable {
  // Mapped only while something is written: what is mapped counts as this process's memory.
  private let rows: RawMap
  private let mappings: Map<UInt32, UnwindMapping>
  private var freeRows: RunAllocator
  private var freeMappings: RunAllocator
  private var retiredRows: [Range<UInt32>] = []
  private var retiredMappings: [Range<UInt32>] = []
  private var files: [ModuleIdentity: UnwindFile] = [:]
  /// Files that have no usable table.
  private var without: Set<ModuleIdentity> = []
  private var known: [UInt32: UnwindUser] = [:]
  private var clock: UInt64 = 0
  private(set) var statistics = UnwindStatistics()
  /// Something found no room since the last ``reclaim()``.
  private var isShort = false
  private var lastReclaim: UInt64 = 0
  /// The processes that were there at the last ``reclaim()``.
  private var survivors = 0

  init(rows: RawMap, mappings: RawMap) throws(EBPFError) {
    freeRows = RunAllocator(count: rows.information.maxEntries)
    freeMappings = RunAllocator(count: mappings.information.maxEntries)
    self.rows = rows
    self.mappings = try Map(mappings)
  }

  /// The ids of the processes that have mappings.
  var processes: [UInt32] { Array(known.keys) }

  /// True when it is time to look for something to give back.
  var isCrowded: Bool {
    known.count >= min(Self.processLimit, max(Self.fewProcesses, 2 * survivors))
      || isShort && clock - lastReclaim >= Self.reclaimInterval
  }

  /// Up to so many processes are remembered although they may have ended: half a megabyte.
  private static let fewProcesses = 512
  /// Up to so many files stay mapped although no process has them.
  private static let fewFiles = 256

  /// Processes and parts added between two looks for something to give back, which take some 10 ms.
  private static let reclaimInterval: UInt64 = 64

  /// What `unwind_processes` holds.
  private static let processLimit = 8192

  // MARK: Giving

  /// Writes the mappings of a process, and the rows of files that are read as a whole; the run of its
  /// mappings is what the kernel has to be told. Nil when there is nothing to walk by.
  mutating func place(
    _ code: [CodeMapping], of process: UInt32
  ) throws(EBPFError) -> Range<UInt32>? {
    clock += 1
    var entries: [UnwindMapping] = []
    var places: [UnwindUser.Place] = []
    for mapping in code.sorted(by: { $0.start < $1.start }) {
      guard let bias = mapping.bias, try know(mapping), let file = files[mapping.identity] else {
        // Known, and without rows: the walk goes on by frame pointer.
        entries.append(UnwindMapping(start: mapping.start, end: mapping.end, base: 0))
        continue
      }
      for (part, addresses) in file.parts(in: mapping, bias: bias) {
        places.append(
          UnwindUser.Place(
            file: mapping.identity, part: part, addresses: addresses, bias: bias,
            index: UInt32(clamping: entries.count)))
        entries.append(file.entry(part: part, addresses: addresses, bias: bias))
      }
    }
    guard !places.isEmpty else { return nil }
    guard let count = UInt32(exactly: entries.count), let run = freeMappings.take(count) else {
      statistics.withoutRoom += 1
      isShort = true
      return nil
    }
    try mappings.update(zip(run, entries).map { (key: $0, value: $1) })
    forget(process)
    for place in places { files[place.file]?.users.insert(process) }
    known[process] = UnwindUser(run: run, places: places.map { $0.moved(by: run.lowerBound) })
    return run
  }

  /// Makes the rows for an address that a walk of a process came to, and tells all who have them
  /// mapped.
  mutating func place(rowsFor address: UInt64, of process: UInt32) throws(EBPFError) {
    guard let place = known[process]?.place(holding: address),
      files[place.file]?.parts[place.part] == .unasked
    else { return }
    clock += 1
    try make(part: place.part, of: place.file)
    try tell(part: place.part, of: place.file)
  }

  /// Looks at the file of a mapping, and makes its rows if it is read as a whole. False when it has no
  /// usable table.
  private mutating func know(_ mapping: CodeMapping) throws(EBPFError) -> Bool {
    let identity = mapping.identity
    if files[identity] == nil {
      guard !without.contains(identity) else { return false }
      do throws(EBPFError) { files[identity] = try UnwindFile(mapping) } catch {
        // Its code is walked by frame pointer, which the walk counts.
        without.insert(identity)
        statistics.withoutTable += 1
        return false
      }
    }
    files[identity]?.lastUse = clock
    if files[identity]?.isWhole == true, files[identity]?.parts[0] == .unasked {
      try make(part: 0, of: identity)
    }
    return true
  }

  /// Makes the rows of a part, or notes why there are none.
  private mutating func make(part: Int, of identity: ModuleIdentity) throws(EBPFError) {
    guard let file = files[identity] else { return }
    var made: [UnwindRow] = []
    var isTooLarge = false
    do throws(EBPFError) {
      made = try file.rows(ofPart: part, limit: Int(rows.information.maxEntries))
    } catch { isTooLarge = error.code == .tooLarge }
    if made.isEmpty {
      files[identity]?.parts[part] = .without
      if isTooLarge { statistics.withoutRoom += 1 } else { statistics.withoutTable += 1 }
      return
    }
    guard let count = UInt32(exactly: made.count), let run = freeRows.take(count) else {
      files[identity]?.parts[part] = .crowdedOut
      statistics.withoutRoom += 1
      isShort = true
      return
    }
    try MappedArray<UnwindRow>(rows).replace(from: Int(run.lowerBound), with: made)
    files[identity]?.parts[part] = .placed(run, lastUse: clock)
    files[identity]?.lastUse = clock
    statistics.tables += 1
    statistics.rows += run.count
  }

  /// Rewrites what the kernel knows of a part, for every process that has it mapped.
  ///
  /// A walk that reads an entry meanwhile sees either rows or none, and looks only at rows that stay
  /// until ``reclaim()``.
  private func tell(part: Int, of identity: ModuleIdentity) throws(EBPFError) {
    guard let file = files[identity] else { return }
    for user in file.users {
      for place in known[user]?.places ?? [] where place.part == part && place.file == identity {
        try mappings.update(
          place.index, file.entry(part: part, addresses: place.addresses, bias: place.bias))
      }
    }
  }

  /// The kernel could not be told about a process.
  mutating func countRefusal() { statistics.refused += 1 }

  // MARK: Taking back

  /// A process is no longer referred to; what it used may be reclaimed.
  mutating func forget(_ process: UInt32) {
    guard let old = known.removeValue(forKey: process) else { return }
    retiredMappings.append(old.run)
    for place in old.places { files[place.file]?.users.remove(process) }
  }

  /// Where something found no room, or many files are mapped in vain: lets go of the older half of what no
  /// process uses; when all is in use, of the older half of the parts of large files, which are asked for
  /// again where they are still met.
  mutating func retire() throws(EBPFError) {
    let unused = files.filter { $0.value.users.isEmpty }
      .sorted { $0.value.lastUse < $1.value.lastUse }
    guard isShort || unused.count > Self.fewFiles else { return }
    for (identity, file) in unused.prefix((unused.count + 1) / 2) {
      for part in file.parts { retire(part) }
      files[identity] = nil
    }
    if unused.isEmpty { try retireParts() }
    // What found no room may be asked for again.
    for (identity, file) in files {
      for (part, state) in file.parts.enumerated() where state == .crowdedOut {
        files[identity]?.parts[part] = .unasked
        try tell(part: part, of: identity)
      }
    }
  }

  private mutating func retireParts() throws(EBPFError) {
    var placed: [(identity: ModuleIdentity, part: Int, lastUse: UInt64)] = []
    for (identity, file) in files where !file.isWhole {
      for (part, state) in file.parts.enumerated() {
        if case .placed(_, let lastUse) = state { placed.append((identity, part, lastUse)) }
      }
    }
    placed.sort { $0.lastUse < $1.lastUse }
    for (identity, part, _) in placed.prefix((placed.count + 1) / 2) {
      if let state = files[identity]?.parts[part] { retire(state) }
      files[identity]?.parts[part] = .unasked
      try tell(part: part, of: identity)
    }
  }

  private mutating func retire(_ part: UnwindFile.Part) {
    guard case .placed(let run, _) = part else { return }
    retiredRows.append(run)
    statistics.rows -= run.count
  }

  /// Frees what was let go. Only when no program can be reading it.
  mutating func reclaim() {
    for run in retiredMappings { freeMappings.giveBack(run) }
    retiredMappings.removeAll()
    for run in retiredRows { freeRows.giveBack(run) }
    retiredRows.removeAll()
    isShort = false
    lastReclaim = clock
    survivors = known.count
  }
}
