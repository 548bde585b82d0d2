import EBPF
import EBPFSystem

/// Which processes have objects open, found in /proc/PID/fdinfo.
///
/// Objects may also be kept by pins, links and other objects: none of these is a process. Processes
/// that may not be looked at are left out.
struct ObjectHolders {
  /// A process that has an object open.
  struct Holder: Hashable, Encodable {
    let pid: Int32
    let comm: String
  }

  private var holders: [KernelObjectKind: [UInt32: [Holder]]] = [:]

  /// The processes that have the object open, by id.
  func of(_ kind: KernelObjectKind, _ id: UInt32) -> [Holder] { holders[kind]?[id] ?? [] }

  /// Looks at every process but this one.
  init() {
    let processes: [Int32]
    do throws(Errno) { processes = try FileSystem.entries("/proc").compactMap { Int32($0) } } catch
    {
      return
    }
    for process in processes.sorted() where process != CurrentProcess.id {
      // It may be gone, or another user's.
      do throws(Errno) { try look(at: process) } catch { continue }
    }
  }

  private mutating func look(at process: Int32) throws(Errno) {
    let path = "/proc/\(process)"
    var found: [KernelObjectKind: Set<UInt32>] = [:]
    for descriptor in try FileSystem.entries(path + "/fd") {
      let link: String
      do throws(Errno) { link = try FileSystem.link("\(path)/fd/\(descriptor)") } catch { continue }
      guard let kind = ObjectHolders.kind(link),
        let id = ObjectHolders.id(kind, "\(path)/fdinfo/\(descriptor)")
      else { continue }
      found[kind, default: []].insert(id)
    }
    guard !found.isEmpty else { return }
    let name = try SystemFile.text(path + "/comm")
    let holder = Holder(pid: process, comm: String(name.prefix { $0 != "\n" }))
    for (kind, ids) in found {
      for id in ids { holders[kind, default: [:]][id, default: []].append(holder) }
    }
  }

  private static func kind(_ link: String) -> KernelObjectKind? {
    switch link {
    case "anon_inode:bpf-prog": .program
    case "anon_inode:bpf-map": .map
    case "anon_inode:bpf_link", "anon_inode:bpf-link": .link
    case "anon_inode:btf": .btf
    default: nil
    }
  }

  /// The line that the kernel writes for each kind (`bpf_prog_show_fdinfo` and its siblings).
  private static func id(_ kind: KernelObjectKind, _ path: String) -> UInt32? {
    let label =
      switch kind {
      case .program: "prog_id:"
      case .map: "map_id:"
      case .link: "link_id:"
      case .btf: "btf_id:"
      }
    return DescriptorFigures(path)?[label].flatMap { UInt32(exactly: $0) }
  }
}

/// The numbers in a file of /proc/PID/fdinfo.
struct DescriptorFigures {
  private let lines: [Substring]

  /// Nil when the file cannot be read: the process has ended, or closed it.
  init?(_ path: String) {
    do throws(Errno) { lines = try SystemFile.lines(path) } catch { return nil }
  }

  /// Of a descriptor of this process.
  init?(own descriptor: Int32) { self.init("/proc/self/fdinfo/\(descriptor)") }

  /// The number after a label such as `memlock:`.
  subscript(label: String) -> UInt64? {
    for line in lines where line.hasPrefix(label) {
      return UInt64(line.dropFirst(label.count).filter { $0 != "\t" && $0 != " " })
    }
    return nil
  }
}
