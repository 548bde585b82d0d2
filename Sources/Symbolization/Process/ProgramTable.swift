import EBPFObject

/// What is known of programs in processes: of those that run, of those that ended, and of those that
/// `exec` replaced by others.
struct ProgramTable: Sendable {
  /// One program in one process.
  struct Key: Sendable, Hashable {
    var pid: Int32
    var image: UInt64
  }

  /// The number of programs remembered; the least recently used are forgotten.
  let limit: Int
  private var snapshots: [Key: ProcessSnapshot] = [:]
  /// The program that was found last in each process.
  private var latest: [Int32: Key] = [:]
  /// The process that a layout was found in last.
  private var families: [UInt64: Key] = [:]
  private var calls: UInt64 = 0
  /// What `/proc` calls a process; nil where it is the same.
  private let number: Symbolizer.ProcessNumber?

  init(limit: Int, number: Symbolizer.ProcessNumber?) {
    self.limit = limit
    self.number = number
  }

  /// The number of programs known.
  var count: Int { snapshots.count }

  /// What is known of a program.
  subscript(key: Key) -> ProcessSnapshot? {
    get { snapshots[key] }
    set { snapshots[key] = newValue }
  }

  /// Reads what a process runs now, unless it is known; the last program of one that has ended stays.
  mutating func snapshot(_ pid: Int32, _ files: inout ModuleFileCache) throws(EBPFError) {
    calls += 1
    if let key = latest[pid], snapshots[key]?.isCurrent() == true {
      snapshots[key]?.lastUse = calls
      return
    }
    guard let place = number.map({ $0(pid) }) ?? pid else {
      throw EBPFError(
        .notFound, "the process has ended, or is not in this pid namespace",
        context: [.process(pid)])
    }
    var snapshot = try ProcessSnapshot(pid: place, cache: &files)
    snapshot.lastUse = calls
    let key = Key(pid: pid, image: snapshot.status.image)
    if let family = families[key.image], let relative = snapshots[family] {
      snapshot.share(relative)
    }
    snapshots[key] = snapshot
    latest[pid] = key
    families[key.image] = key
    if count > limit { forgetOldest() }
  }

  /// Finds a program, in the process itself if need be; nil stands for the one it runs now or ran
  /// last. When it cannot be had: why.
  mutating func find(
    _ program: Symbolizer.Program?, in pid: Int32, _ files: inout ModuleFileCache
  ) -> Result<Key, UnresolvedProgram> {
    if let program {
      let key = Key(pid: pid, image: program.image)
      // Nothing more is learned of a program that does not run any more.
      if snapshots[key] != nil {
        _ = snapshots[key]?.isCurrent()
        return .success(key)
      }
    }
    do throws(EBPFError) { try snapshot(pid, &files) } catch {
      if let relative = relative(of: program) { return .success(relative) }
      if error.code == .denied { return .failure(UnresolvedProgram(reason: .denied)) }
      if let number, number(pid) == nil {
        return .failure(UnresolvedProgram(reason: .notInNamespace))
      }
      guard let program else { return .failure(UnresolvedProgram(reason: .processGone)) }
      return .failure(UnresolvedProgram(reason: whyMissing(program, pid)))
    }
    guard let last = latest[pid] else { preconditionFailure("a process just read is known") }
    guard let program, program.image != last.image else { return .success(last) }
    // Whether it has executed another program since cannot be seen. The addresses will not fit then.
    if let status = snapshots[last]?.status, status.isImageHidden, hasStart(status, of: program) {
      return .success(last)
    }
    if let relative = relative(of: program) { return .success(relative) }
    return .failure(UnresolvedProgram(reason: whyMissing(program, pid)))
  }

  /// A process with the same layout: the parent or a child of one that came and went too fast. What
  /// `fork` copies is laid out alike until it executes another program.
  private func relative(of program: Symbolizer.Program?) -> Key? {
    guard let program, program.image != 0, let key = families[program.image],
      snapshots[key] != nil
    else { return nil }
    return key
  }

  private func whyMissing(_ program: Symbolizer.Program, _ pid: Int32) -> UnresolvedReason {
    guard let last = latest[pid], let other = snapshots[last], last.image != program.image,
      hasStart(other.status, of: program)
    else { return .processGone }
    return other.status.isImageHidden ? .denied : .programReplaced
  }

  /// Whether a process is the one that the program was in.
  private func hasStart(_ status: ProcessStatus, of program: Symbolizer.Program) -> Bool {
    status.startTime == program.start / ProcessStatus.nanosecondsPerTick
  }

  /// Forgets a process.
  mutating func forget(_ pid: Int32) {
    latest[pid] = nil
    snapshots = snapshots.filter { $0.key.pid != pid }
    families = families.filter { $0.value.pid != pid }
  }

  private mutating func forgetOldest() {
    let excess = count - limit * 7 / 8
    for (key, _) in snapshots.sorted(by: { $0.value.lastUse < $1.value.lastUse }).prefix(excess) {
      snapshots[key] = nil
      if latest[key.pid] == key { latest[key.pid] = nil }
      if families[key.image] == key { families[key.image] = nil }
    }
  }
}

/// Why nothing is known of a program.
struct UnresolvedProgram: Error {
  let reason: UnresolvedReason
}
