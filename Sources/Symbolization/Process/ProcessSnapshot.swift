import EBPFObject
import EBPFSystem

/// The code of one process, with its files held open so that they outlive it.
struct ProcessSnapshot: Sendable {
  /// The process as `/proc` numbers it.
  let pid: Int32
  let status: ProcessStatus
  private(set) var maps: ProcessMaps
  /// One for each mapping of a file; nil for the others.
  private(set) var files: [Result<ModuleFile, ModuleFileCache.Unopened>?]
  /// The process has ended or runs another program: what is known is all there will ever be.
  private(set) var isGone = false
  /// When it was last asked for, in calls of the table that keeps it.
  var lastUse: UInt64 = 0
  /// The id in its own pid namespace, once asked for.
  private var namespaceID: Int32?
  private var perfMap: PerfMapFile?
  private var perfMapVersion: ModuleIdentity?

  /// Reads a live process.
  init(pid: Int32, cache: inout ModuleFileCache) throws(EBPFError) {
    self.pid = pid
    (status, maps) = try Self.read(pid)
    files = []
    openFiles(&cache)
  }

  /// The mappings of the program that a process runs, and which program that is.
  ///
  /// The open file stays with the memory it was opened for: what it gives after the question which
  /// program runs is what that program has mapped, or nothing, when `exec` came between.
  private static func read(
    _ pid: Int32
  ) throws(EBPFError) -> (status: ProcessStatus, maps: ProcessMaps) {
    // An empty list is that of a process that has ended, of a kernel thread, or of an exec.
    for _ in 0..<3 {
      let status: ProcessStatus
      let text: [UInt8]
      do throws(Errno) {
        let file = try SystemFile.open("/proc/\(pid)/maps")
        status = try ProcessStatus(pid: pid)
        // 262,144 mappings with long paths.
        text = try SystemFile.read(file, limit: 64 << 20)
      } catch { throw failure(error, pid) }
      let maps = try EBPFError.at(.file("/proc/\(pid)/maps")) { () throws(EBPFError) in
        try ProcessMaps(parsing: text)
      }
      if !maps.mappings.isEmpty { return (status, maps) }
    }
    throw EBPFError(
      .notFound, "the process has ended, or is a kernel thread: it has no memory of its own",
      context: [.process(pid)])
  }

  private static func failure(_ errno: Errno, _ pid: Int32) -> EBPFError {
    let call = EBPFError.SystemCallFailure(
      call: "read(/proc/\(pid))", errno: errno.rawValue, name: errno.name)
    switch errno {
    case .noEntry, .noProcess:
      return EBPFError(
        .notFound, "there is no such process", context: [.process(pid)], systemCall: call)
    case .accessDenied, .notPermitted:
      return EBPFError(
        .denied, "the process may not be looked into", context: [.process(pid)], systemCall: call,
        hint: "run as root, or with CAP_SYS_PTRACE")
    default:
      return EBPFError(
        .system, "the process cannot be read", context: [.process(pid)], systemCall: call)
    }
  }

  private mutating func openFiles(_ cache: inout ModuleFileCache) {
    files = maps.mappings.map { mapping in
      mapping.kind == .file ? cache.open(mapping, of: pid) : nil
    }
  }

  /// Keeps one list of mappings with a process that has the same ones, as what `fork` copies has.
  mutating func share(_ other: ProcessSnapshot) {
    if maps == other.maps { maps = other.maps }
  }

  /// Looks whether this is still the same process running the same program; false when another one
  /// runs under its number. What is known of one that has ended stays.
  mutating func isCurrent() -> Bool {
    let now: ProcessStatus
    do throws(Errno) { now = try ProcessStatus(pid: pid) } catch {
      isGone = true
      return true
    }
    guard now != status else { return true }
    isGone = true
    // One that has ended and was not waited for has no program.
    return now.startTime == status.startTime && now.image == 0
  }

  /// Reads the mappings again: code may have been loaded since.
  mutating func refresh(_ cache: inout ModuleFileCache) {
    guard !isGone else { return }
    do throws(EBPFError) {
      let now = try Self.read(pid)
      // What a process had before it ended, or ran another program, is worth keeping.
      guard now.status == status else { return isGone = true }
      maps = now.maps
      openFiles(&cache)
    } catch {
      isGone = true
    }
  }

  /// The name of code made at run time. The map file is read again when it has changed.
  mutating func jitFunction(at address: UInt64) -> (name: String, address: UInt64)? {
    if let known = perfMap?.function(at: address) { return known }
    guard !isGone else { return nil }
    do {
      let namespaceID = try namespaceID ?? ProcessStatus.namespaceID(of: pid)
      self.namespaceID = namespaceID
      let path = "/proc/\(pid)/root/tmp/perf-\(namespaceID).map"
      let version = ModuleIdentity(try FileStatus(path: path))
      guard version != perfMapVersion else { return nil }
      perfMapVersion = version
      let map = try PerfMapFile.load(pid: pid, namespaceID: namespaceID)
      perfMap = map
      return map.function(at: address)
    } catch {
      // Most processes have none.
      return nil
    }
  }
}
