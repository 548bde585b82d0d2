internal import EBPFSystem

/// Control groups (cgroup v2) as BPF programs know them: by number.
public enum ControlGroup {
  /// The id of the cgroup at `path`, which is its folder's inode (`bpf-helpers(7)`,
  /// `bpf_get_current_cgroup_id`).
  ///
  /// `path` is a folder (`/sys/fs/cgroup/system.slice`), or relative to where cgroup2 is mounted.
  public static func id(of path: String) throws(EBPFError) -> UInt64 {
    let root = try mountPoint()
    let isAbsolute = path == root || path.hasPrefix(root + "/")
    let folder = isAbsolute ? path : root + (path.hasPrefix("/") ? "" : "/") + path
    do throws(Errno) {
      let status = try FileStatus(path: folder)
      guard status.isDirectory else { throw .notDirectory }
      return status.inode
    } catch {
      throw EBPFError(
        error == .noEntry || error == .notDirectory ? .notFound : .system,
        "no cgroup at '\(folder)'",
        systemCall: .init(call: "stat", errno: error.rawValue, name: error.name),
        hint: "list the cgroups with: find \(root) -type d")
    }
  }

  /// Where the cgroup2 hierarchy is mounted.
  public static func mountPoint() throws(EBPFError) -> String {
    let lines: [Substring]
    do throws(Errno) { lines = try SystemFile.lines("/proc/self/mountinfo") } catch {
      throw EBPFError(
        .system, "cannot read the mounts",
        context: [.file("/proc/self/mountinfo")],
        systemCall: .init(call: "read", errno: error.rawValue, name: error.name),
        hint: "mount /proc")
    }
    for line in lines {
      // … mount point is the fifth field; the type follows " - " (proc_pid_mountinfo(5)).
      let fields = line.split(separator: " ")
      guard fields.count > 4, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count,
        fields[dash + 1] == "cgroup2"
      else { continue }
      return String(fields[4])
    }
    throw EBPFError(
      .unsupported, "no cgroup2 hierarchy is mounted",
      hint: "mount -t cgroup2 none /sys/fs/cgroup/unified")
  }
}
