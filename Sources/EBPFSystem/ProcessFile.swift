internal import CEBPF
internal import CZlib
public import EBPFObject
internal import Glibc

/// What is read of other processes' files and of our own memory.
public enum ProcessFile {
  /// The content of an ordinary file that a process we do not trust may have put there.
  ///
  /// A symbolic link as the last part of the path is refused with `ELOOP`: below `/proc/PID/root` an
  /// absolute one would lead out of that process's file system into ours.
  public static func readUntrusted(_ path: String, limit: Int) throws(Errno) -> [UInt8] {
    let descriptor = try SystemFile.open(path, flags: SystemFile.readOnly | O_NOFOLLOW)
    try SystemFile.refuseSpecial(try FileStatus(descriptor))
    return try SystemFile.read(descriptor, limit: limit)
  }

  /// A copy of this process's own memory, read through `/proc/self/mem`: `EIO` where nothing is
  /// mapped, `EINVAL` for more than 16 MiB.
  public static func ownMemory(at address: UInt64, count: Int) throws(Errno) -> [UInt8] {
    try ProcessMemory(path: "/proc/self/mem").read(at: address, count: count)
  }

  /// The CRC-32 of all bytes, as `.gnu_debuglink` has it.
  public static func checksum(_ bytes: Bytes) -> UInt32 {
    let span = bytes.span
    // SAFETY: zlib reads the span's bytes and keeps nothing.
    return unsafe span.withUnsafeBytes { buffer in
      guard let start = buffer.baseAddress else { return 0 }
      return unsafe UInt32(
        truncatingIfNeeded: crc32_z(0, start.assumingMemoryBound(to: UInt8.self), buffer.count))
    }
  }
}
