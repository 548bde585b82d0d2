import EBPF
import EBPFSystem
import EBPFTracers
import Synchronization

/// The containers of what is traced, for tables and JSON. Safe to share between threads.
final class ContainerNames: Sendable {
  private struct Key: Hashable {
    let cgroup: UInt64?
    let process: Int32?
  }
  private let directory = CgroupDirectory()
  private let known = Mutex<[Key: CgroupPlace?]>([:])

  /// Learns of groups that were made since the last time.
  func refresh() { directory.refresh() }

  /// Where something runs that is known by the id of its group, by its process, or by both.
  func place(cgroup: UInt64?, process: Int32?) -> CgroupPlace? {
    let key = Key(cgroup: cgroup, process: process)
    if let place = known.withLock({ $0[key] }) { return place }
    let place = directory.place(of: cgroup, process: process)
    known.withLock { $0[key] = .some(place) }
    return place
  }

  /// What a table's column CONTAINER has: the beginning of the id, as runtimes print it, or `-`.
  func column(cgroup: UInt64?, process: Int32?) -> String {
    guard let container = place(cgroup: cgroup, process: process)?.container else { return "-" }
    return container.id.count == 64 ? String(container.id.prefix(12)) : container.id
  }
}

/// `container` in JSON; null for what runs on the host.
struct ContainerDocument: Encodable {
  let id: String
  let runtime: String
  @Nullable var podUid: String?
  /// The process's id inside its pid namespace; null when it is gone, or there is no process.
  @Nullable var pid: Int32?

  init?(_ container: ContainerIdentity?, process: Int32?) {
    guard let container else { return nil }
    id = container.id
    runtime = container.runtime.rawValue
    podUid = container.podUID
    pid = process.flatMap(ContainerDocument.innerID)
  }

  /// The last number of `NSpid` in /proc/PID/status (proc_pid_status(5)).
  private static func innerID(of process: Int32) -> Int32? {
    guard process > 0 else { return nil }
    do throws(Errno) {
      let lines = try SystemFile.lines("/proc/\(process)/status")
      let line = lines.first { $0.hasPrefix("NSpid:") }
      return line?.split { $0 == " " || $0 == "\t" }.last.flatMap { Int32($0) }
    } catch { return nil }
  }
}

/// `cgroup` and `container` of one row in JSON.
struct PlaceDocument {
  let cgroup: String?
  let container: ContainerDocument?

  init(_ names: ContainerNames?, cgroup: UInt64?, process: Int32?) {
    let place = names?.place(cgroup: cgroup, process: process)
    self.cgroup = place?.path
    container = ContainerDocument(place?.container, process: process)
  }
}
