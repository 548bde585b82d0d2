internal import CEBPF

/// The memory of a process, read through `/proc/PID/mem`. Takes the rights of a debugger
/// (CAP_SYS_PTRACE for processes of others).
///
/// It stays with the memory it was opened for: after `exec` reads give nothing.
public struct ProcessMemory: ~Copyable, Sendable {
  /// The most that one read gives.
  public static let limit = 16 << 20

  private let descriptor: OwnedDescriptor

  /// Opens the memory of a process.
  public init(of process: Int32) throws(Errno) { try self.init(path: "/proc/\(process)/mem") }

  init(path: String) throws(Errno) { descriptor = try SystemFile.open(path) }

  /// A copy of `count` bytes: `EIO` where not all of them are mapped, `EINVAL` for more than ``limit``
  /// bytes and for addresses that no process has.
  public func read(at address: UInt64, count: Int) throws(Errno) -> [UInt8] {
    guard count >= 0, count <= Self.limit, let offset = Int64(exactly: address),
      !offset.addingReportingOverflow(Int64(count)).overflow
    else { throw .invalid }
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
}
