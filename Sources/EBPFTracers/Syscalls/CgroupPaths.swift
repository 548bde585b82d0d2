internal import EBPF
internal import EBPFSystem

/// The paths of control groups by id, which is their folder's inode.
enum CgroupPaths {
  /// The most folders looked at.
  private static let limit = 65_536

  /// Every cgroup there is now, by id, as paths below the mount point. Those that cannot be read are
  /// left out: a group may go away at any moment.
  static func all() -> [UInt64: String] {
    let root: String
    do throws(EBPFError) { root = try ControlGroup.mountPoint() } catch { return [:] }
    var paths: [UInt64: String] = [:]
    var open = [""]
    while let path = open.popLast(), paths.count < limit {
      let folder = root + path
      do throws(Errno) {
        let status = try FileStatus(path: folder)
        guard status.isDirectory else { continue }
        paths[status.inode] = path.isEmpty ? "/" : path
        for name in try FileSystem.entries(folder) where !name.hasPrefix("cgroup.") {
          open.append(path + "/" + name)
        }
      } catch { continue }
    }
    return paths
  }
}
