import EBPFObject
import EBPFSystem

/// The code of one process, with its files held open so that they outlive it.
struct ProcessSnapshot: Sendable {
  let pid: Int32
  private(set) var status: ProcessStatus
  private(set) var maps: ProcessMaps
  /// One for each mapping of a file; nil for the others.
  private(set) var files: [Result<ModuleFile, ModuleFileCache.Unopened>?]
  /// The process has ended: what is known is all there will ever be.
  private(set) var isGone = false
  /// When it was last asked for, in calls.
  var lastUse: UInt64 = 0
  /// The id in its own pid namespace, once asked for.
  private var namespaceID: Int32?
  private var perfMap: PerfMapFile?
  private var perfMapVersion: ModuleFile.Identity?

  /// Reads a live process.
  init(pid: Int32, cache: inout ModuleFileCache) throws(EBPFError) {
    self.pid = pid
    do throws(Errno) { status = try ProcessStatus(pid: pid) } catch {
      throw Self.failure(error, pid)
    }
    maps = try Self.readMaps(pid)
    guard !maps.mappings.isEmpty else {
      throw EBPFError(
        .notFound, "the process has ended, or is a kernel thread: it has no memory of its own",
        context: [.process(pid)])
    }
    files = []
    openFiles(&cache)
  }

  private static func readMaps(_ pid: Int32) throws(EBPFError) -> ProcessMaps {
    let text: [UInt8]
    do throws(Errno) {
      // 262,144 mappings with long paths.
      text = try SystemFile.read("/proc/\(pid)/maps", limit: 64 << 20)
    } catch { throw failure(error, pid) }
    return try EBPFError.at(.file("/proc/\(pid)/maps")) { () throws(EBPFError) in
      try ProcessMaps(parsing: text)
    }
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

  /// Looks whether this is still the same process running the same program; false when it is not.
  mutating func isCurrent() -> Bool {
    do throws(Errno) {
      let now = try ProcessStatus(pid: pid)
      guard now.startTime == status.startTime else { return false }
      if let before = status.executable, let after = now.executable, before != after {
        return false
      }
    } catch {
      isGone = true
    }
    return true
  }

  /// Reads the mappings again: code may have been loaded since.
  mutating func refresh(_ cache: inout ModuleFileCache) {
    guard !isGone else { return }
    do throws(EBPFError) {
      let now = try Self.readMaps(pid)
      // A process that is ending has none left; what it had is worth keeping.
      guard !now.mappings.isEmpty else { return isGone = true }
      maps = now
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
      let version = ModuleFile.Identity(try FileStatus(path: path))
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
