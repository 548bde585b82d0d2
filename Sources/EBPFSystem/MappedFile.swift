internal import CEBPF
public import EBPFObject

/// A file's content as ``Bytes``: mapped read-only when it is large, read when it is small or when the
/// file system cannot map it (`/sys/kernel/btf/vmlinux` before 6.16).
///
/// A mapped file must not be truncated while it is in use: the kernel then answers an access with
/// SIGBUS. Object files and libraries are replaced by renaming, which is safe.
public enum MappedFile {
  /// Files up to this size are copied, unless the caller says otherwise.
  public static let copyLimit: UInt64 = 1 << 20

  /// The content of a regular file; one of more than `copyLimit` bytes is mapped.
  ///
  /// - Throws: `EISDIR` for a directory, `ESPIPE` for a pipe, socket or device, which are not opened
  ///   for reading, `EFBIG` for more than `limit` bytes, or what the system said.
  public static func open(
    _ path: String, limit: UInt64 = 4 << 30, copyLimit: UInt64 = MappedFile.copyLimit
  ) throws(Errno) -> Bytes {
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
        let isReloadable = try FileSystem.type(path) != FileSystem.sysfs
        let owner = MappedPages(region, isReloadable: isReloadable)
        // SAFETY: the owner keeps the pages mapped; they are read-only for this process.
        return unsafe Bytes(owner: owner, start: owner.start, count: count)
      } catch {
        guard
          error == .noSuchDevice || error == .inputOutput || error == .invalid
            || error == .notPermitted || error == .accessDenied || error == .noMemory
        else { throw error }
      }
    }
    let expected = Int(clamping: status.size) + 1
    return Bytes(
      try SystemFile.read(
        descriptor, limit: Int(clamping: limit), reserving: expected, firstRead: expected))
  }

  /// Lets go of the memory of a mapped file, of which `bytes` may be a part; it is read again when it
  /// is used again. Does nothing for a file that was copied, and for one of sysfs.
  public static func dropPages(of bytes: Bytes) {
    (bytes.owner as? MappedPages)?.drop()
  }
}

/// Keeps pages mapped as long as someone refers to them.
@safe
final class MappedPages: @unchecked Sendable {
  private let region: MappedRegion
  /// False for sysfs, which maps its pages once and for all: one that was dropped would be missing.
  private let isReloadable: Bool
  let start: UnsafeRawPointer

  init(_ region: consuming MappedRegion, isReloadable: Bool) {
    unsafe start = UnsafeRawPointer(region.start)
    self.isReloadable = isReloadable
    self.region = region
  }

  func drop() {
    guard isReloadable else { return }
    // SAFETY: the region is mapped as long as `self` lives, read-only and from a file, so that its
    // content comes back. A failure would leave the pages where they are.
    _ = unsafe cebpf_drop_pages(region.start, region.count)
  }
}
