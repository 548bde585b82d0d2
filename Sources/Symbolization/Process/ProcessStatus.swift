import EBPFObject
import EBPFSystem

/// What tells one process from a later one with the same id.
struct ProcessStatus: Sendable, Hashable {
  /// When it started, in clock ticks since boot.
  var startTime: UInt64
  /// The executable's device and inode, which `exec` changes; nil when they cannot be read.
  var executable: FileKey?

  /// A file of this machine.
  struct FileKey: Sendable, Hashable {
    var device: UInt64
    var inode: UInt64
  }

  /// Asks /proc; throws `ENOENT` or `ESRCH` when there is no such process.
  init(pid: Int32) throws(Errno) {
    let stat = try SystemFile.read("/proc/\(pid)/stat", limit: 1 << 16)
    guard let startTime = Self.startTime(stat) else { throw .inputOutput }
    self.startTime = startTime
    do throws(Errno) {
      let status = try FileStatus(path: "/proc/\(pid)/exe")
      executable = FileKey(device: status.device, inode: status.inode)
    } catch {
      // A kernel thread has none, and another user's may not be looked at.
      executable = nil
    }
  }

  /// The id a process has in its own pid namespace.
  static func namespaceID(of pid: Int32) throws(Errno) -> Int32 {
    namespaceID(try SystemFile.read("/proc/\(pid)/status", limit: 1 << 16)) ?? pid
  }

  /// Field 22 of `/proc/PID/stat`. The command is in parentheses and may itself hold blanks and
  /// parentheses, so that fields are counted from the last one.
  static func startTime(_ stat: [UInt8]) -> UInt64? {
    guard let close = stat.lastIndex(of: 0x29) else { return nil }
    let fields = stat[(close + 1)...].split { $0 == 0x20 || $0 == 0x0a }
    guard fields.count > 19 else { return nil }
    return UInt64(String(decoding: fields[19], as: UTF8.self))
  }

  /// The last number of the line `NSpid:` in `/proc/PID/status`: the innermost namespace's.
  static func namespaceID(_ status: [UInt8]) -> Int32? {
    for line in status.split(separator: 0x0a) where line.starts(with: "NSpid:".utf8) {
      let ids = line.dropFirst(6).split { $0 == 0x20 || $0 == 0x09 }
      return ids.last.flatMap { Int32(String(decoding: $0, as: UTF8.self)) }
    }
    return nil
  }
}
