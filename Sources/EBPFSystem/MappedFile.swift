internal import CEBPF
public import EBPFObject

/// A file's content as ``Bytes``: mapped read-only when it is large, read when it is small or when the
/// file system cannot map it (`/sys/kernel/btf/vmlinux` before 6.16).
///
/// A mapped file must not be truncated while it is in use: the kernel then answers an access with
/// SIGBUS. Object files and libraries are replaced by renaming, which is safe.
public enum MappedFile {
  /// Files up to this size are copied.
  static let copyLimit: UInt64 = 1 << 20

  /// The content of a regular file.
  ///
  /// - Throws: `EISDIR` for a directory, `ESPIPE` for a pipe, socket or device, which are not opened
  ///   for reading, `EFBIG` for more than `limit` bytes, or what the system said.
  public static func open(_ path: String, limit: UInt64 = 4 << 30) throws(Errno) -> Bytes {
    try SystemFile.refuseSpecial(path)
    let descriptor = try SystemFile.open(path)
    // Again, because the name may mean another file by now.
    let status = try FileStatus(descriptor)
    try SystemFile.refuseSpecial(status)
    guard status.size <= limit else { throw .fileTooLarge }
    if status.size > copyLimit, let count = Int(exactly: status.size) {
      do throws(Errno) {
        let region = try LiveKernel().mapMemory(
          descriptor.rawValue, offset: 0, count: count, writable: false)
        let owner = MappedPages(region)
        // SAFETY: the owner keeps the pages mapped; they are read-only for this process.
        return unsafe Bytes(owner: owner, start: owner.start, count: count)
      } catch {
        guard
          error == .noSuchDevice || error == .inputOutput || error == .invalid
            || error == .notPermitted || error == .accessDenied || error == .noMemory
        else { throw error }
      }
    }
    return Bytes(try SystemFile.read(descriptor, limit: Int(clamping: limit)))
  }
}

/// Keeps pages mapped as long as someone refers to them.
@safe
final class MappedPages: @unchecked Sendable {
  private let region: MappedRegion
  let start: UnsafeRawPointer

  init(_ region: consuming MappedRegion) {
    unsafe start = UnsafeRawPointer(region.start)
    self.region = region
  }
}
