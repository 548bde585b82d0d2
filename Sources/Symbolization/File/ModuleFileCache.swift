import EBPFObject
import EBPFSystem

/// The files in use, so that each is opened once; the least recently used go when they cost too much.
///
/// A file that leaves stays open as long as a process's snapshot refers to it.
struct ModuleFileCache: Sendable {
  private var files: [ModuleIdentity: (file: ModuleFile, lastUse: UInt64)] = [:]
  private var clock: UInt64 = 0
  private let budget: Int

  /// `budget` is in bytes.
  init(budget: Int) { self.budget = budget }

  /// The number of files open.
  var count: Int { files.count }

  /// The file of a mapping, through the first of these that leads to it: the kernel's own link, which
  /// outlives deletion and mounts; the path in the process's file system; the path in ours.
  mutating func open(_ mapping: ProcessMapping, of pid: Int32) -> Result<ModuleFile, Unopened> {
    let range = String(mapping.start, radix: 16) + "-" + String(mapping.end, radix: 16)
    var candidates = ["/proc/\(pid)/map_files/\(range)"]
    if !mapping.isDeleted {
      candidates += ["/proc/\(pid)/root\(mapping.path)", mapping.path]
    }
    var failure = UnresolvedReason.fileGone
    for (index, path) in candidates.enumerated() {
      do throws(Errno) {
        let status = try FileStatus(path: path)
        // The link cannot be wrong; a path may by now lead to another file.
        guard index == 0 || status.inode == mapping.inode else { continue }
        return try open(
          path, ModuleIdentity(status), name: mapping.path, root: "/proc/\(pid)/root")
      } catch {
        if index > 0, error == .accessDenied || error == .notPermitted { failure = .denied }
      }
    }
    return .failure(Unopened(reason: failure))
  }

  /// Why a file is not open.
  struct Unopened: Error {
    var reason: UnresolvedReason
  }

  private mutating func open(
    _ path: String, _ identity: ModuleIdentity, name: String, root: String
  ) throws(Errno) -> Result<ModuleFile, Unopened> {
    clock += 1
    if let known = files[identity] {
      files[identity]?.lastUse = clock
      return .success(known.file)
    }
    let file = ModuleFile(
      try MappedFile.open(path), identity: identity, path: name, root: root)
    files[identity] = (file, clock)
    return .success(file)
  }

  /// Drops debug information that had to be expanded.
  func releaseExpanded() {
    for entry in files.values { entry.file.releaseExpanded() }
  }

  /// Drops the least recently used files until the rest fits the budget.
  mutating func trim() {
    var total = files.values.reduce(0) { $0 + $1.file.cost }
    guard total > budget else { return }
    for (identity, entry) in files.sorted(by: { $0.value.lastUse < $1.value.lastUse }) {
      files[identity] = nil
      total -= entry.file.cost
      if total <= budget { return }
    }
  }
}
