internal import EBPF
internal import EBPFSystem
internal import Synchronization

/// The paths of control groups (version 2) by id, which is their folder's inode, and of processes.
///
/// What was seen once stays known when it is gone, so call ``refresh()`` now and then while something
/// is recorded: a group that comes and goes between two calls has no path. Safe to share between
/// threads.
public final class CgroupDirectory: Sendable {
  /// The most groups that are kept.
  private static let limit = 65_536

  private struct State {
    var places: [UInt64: CgroupPlace] = [:]
    var processes: [Int32: CgroupPlace] = [:]
    /// What `cgroup.stat` of the root said at the last look.
    var told = ""
    /// When the last look ended, and how long it took.
    var looked: UInt64 = 0
    var cost: UInt64 = 0
  }
  private let state = Mutex(State())
  private let root: String?

  /// Knows nothing yet. Without a mounted hierarchy, only processes have places.
  public init() {
    do throws(EBPFError) { root = try ControlGroup.mountPoint() } catch { root = nil }
  }

  /// Knows the tree below a folder.
  init(root: String) { self.root = root }

  /// Looks at the tree, if groups were made or removed since the last time: the kernel says how many
  /// there are in one small file. One that took the place of another does not change that number, so
  /// the tree is also looked at again when that takes less than a hundredth of the time.
  public func refresh() {
    guard let root else { return }
    // Without that file (before Linux 4.14) every call looks at the tree.
    var told = ""
    do throws(Errno) { told = try SystemFile.text(root + "/cgroup.stat") } catch { told = "" }
    state.withLock { state in
      let start = Clock.monotonic.now
      let isDue = start &- state.looked >= state.cost &* 100
      guard told.isEmpty || told != state.told || isDue else { return }
      state.told = told
      CgroupDirectory.walk(root, &state.places)
      state.looked = Clock.monotonic.now
      state.cost = state.looked &- start
    }
  }

  /// Where the group with that id is, or was when it was last seen; nil when it never was.
  public func place(of id: UInt64) -> CgroupPlace? {
    if let known = state.withLock({ $0.places[id] }) { return known }
    refresh()
    return state.withLock { $0.places[id] }
  }

  /// Where a process runs, or ran when it was last asked for.
  ///
  /// Takes the path of version 2, unless only one of version 1 tells the container.
  public func place(ofProcess process: Int32) -> CgroupPlace? {
    let text: String
    do throws(Errno) { text = try SystemFile.text("/proc/\(process)/cgroup") } catch {
      return state.withLock { $0.processes[process] }
    }
    guard let place = CgroupDirectory.place(processCgroups: text) else { return nil }
    state.withLock { state in
      if state.processes.count >= CgroupDirectory.limit { state.processes.removeAll() }
      state.processes[process] = place
    }
    return place
  }

  /// Where a process runs: by its group's id, which is right even after it ended, or else by its
  /// own word.
  public func place(of id: UInt64?, process: Int32?) -> CgroupPlace? {
    let byID = id.flatMap { $0 == 0 ? nil : place(of: $0) }
    if let byID, byID.container != nil { return byID }
    let byProcess = process.flatMap { $0 <= 0 ? nil : place(ofProcess: $0) }
    if let byProcess, byProcess.container != nil { return byProcess }
    return byID ?? byProcess
  }

  /// Every group there is now, with its id.
  public func all() -> [UInt64: CgroupPlace] {
    var places: [UInt64: CgroupPlace] = [:]
    if let root { CgroupDirectory.walk(root, &places) }
    return places
  }

  // MARK: -

  /// Adds every group below `root`. Those that cannot be read are left out: a group may go away at
  /// any moment.
  private static func walk(_ root: String, _ places: inout [UInt64: CgroupPlace]) {
    var open = [""]
    var met = 0
    if places.count >= limit { places.removeAll() }
    while let path = open.popLast(), met < limit {
      let folder = root + path
      do throws(Errno) {
        let status = try FileStatus(path: folder)
        guard status.isDirectory else { continue }
        met += 1
        let name = path.isEmpty ? "/" : path
        if places[status.inode]?.path != name { places[status.inode] = CgroupPlace(path: name) }
        for entry in try FileSystem.entries(folder) where !entry.contains(".") || isGroup(entry) {
          open.append(path + "/" + entry)
        }
      } catch { continue }
    }
  }

  /// Every file of a group is named CONTROLLER.NAME; systemd's groups have a point as well.
  private static func isGroup(_ entry: String) -> Bool {
    let controllers = [
      "cgroup.", "cpu.", "cpuset.", "memory.", "io.", "pids.", "hugetlb.", "rdma.", "misc.",
      "irq.", "dmem.",
    ]
    let units = [".slice", ".scope", ".service"]
    return units.contains { entry.hasSuffix($0) }
      || !controllers.contains { entry.hasPrefix($0) }
  }

  /// What `/proc/PID/cgroup` says (cgroups(7)): lines of ID:CONTROLLERS:PATH, version 2 with id 0.
  static func place(processCgroups text: String) -> CgroupPlace? {
    var version2: CgroupPlace?
    var other: CgroupPlace?
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      var path = fields[2]
      if path.hasSuffix(" (deleted)") { path = path.dropLast(10) }
      let place = CgroupPlace(path: String(path))
      if fields[0] == "0", fields[1].isEmpty {
        version2 = place
      } else if other == nil || other?.container == nil {
        other = place
      }
    }
    if version2?.container == nil, other?.container != nil { return other }
    return version2 ?? other
  }
}
