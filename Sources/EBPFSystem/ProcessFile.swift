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
    guard count >= 0, count <= 16 << 20, let offset = Int64(exactly: address) else {
      throw .invalid
    }
    let descriptor = try SystemFile.open("/proc/self/mem")
    let number = descriptor.rawValue
    var content = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let start = done
      let got = try Errno.check(
        unsafe content.withUnsafeMutableBytes { buffer in
          let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[start...])
          // SAFETY: `start` is less than the count, so the rest is not empty.
          return unsafe cebpf_read_at(
            number, rest.baseAddress.unsafelyUnwrapped, rest.count, offset + Int64(start))
        })
      guard got > 0 else { throw .inputOutput }
      done += Int(got)
    }
    return content
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
