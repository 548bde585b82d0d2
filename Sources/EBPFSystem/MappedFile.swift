internal import CEBPF
public import EBPFObject

/// A file's content as ``Bytes``: mapped read-only when it is large, read when it is small or when the
/// file system cannot map it (`/sys/kernel/btf/vmlinux` before 6.16).
///
/// A file that is cut short while it is mapped, by accident or by a process that means us harm, reads
/// as zeros from there on and ``EBPFObject/Bytes/wasCutShort`` tells; without that the kernel would
/// end us with SIGBUS. For it the first mapping installs a handler of that signal, which passes on
/// what does not concern mapped files. A program that installs its own later must pass on too.
public enum MappedFile {
  /// Files up to this size are copied: that is cheaper than mapping them.
  static let copyLimit: UInt64 = 16 << 10

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
        let owner = try MappedPages(region)
        // SAFETY: the owner keeps the pages mapped and readable; they are read-only for this process.
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

/// Keeps a file's pages mapped and readable as long as someone refers to them.
@safe
final class MappedPages: @unchecked Sendable {
  private let region: MappedRegion
  private let guardian: OpaquePointer
  let start: UnsafeRawPointer

  init(_ region: consuming MappedRegion) throws(Errno) {
    var guardian: OpaquePointer?
    // SAFETY: the region stays mapped until `deinit` has ended the watch.
    _ = try Errno.check(unsafe cebpf_guard_mapping(region.start, region.count, &guardian))
    guard let guardian = unsafe guardian else { throw .noMemory }
    unsafe self.guardian = guardian
    unsafe start = UnsafeRawPointer(region.start)
    self.region = region
  }

  // SAFETY: nobody reads any more, and the region is unmapped after this.
  deinit { unsafe cebpf_unguard_mapping(guardian) }

  var isDamaged: Bool { unsafe cebpf_mapping_is_damaged(guardian) != 0 }

  func release() {
    // SAFETY: nobody writes these pages, so that the next read finds the same in the file. It cannot
    // fail on a mapping of ours; the pages would then only stay.
    _ = unsafe cebpf_release_pages(start, region.count)
  }
}

extension Bytes {
  /// True when a read found that the file had become shorter since it was mapped: what was read from
  /// there on was zero. Ask after reading, before the result is believed.
  public var wasCutShort: Bool { (owner as? MappedPages)?.isDamaged ?? false }

  /// True when these bytes take memory of their own, and not the kernel's cache of a file.
  public var isInMemory: Bool { !(owner is MappedPages) }

  /// Gives the memory of the whole mapped file back to the kernel, which keeps it as cache; later
  /// reads bring in what they touch. Does nothing to bytes in memory.
  public func releasePages() { (owner as? MappedPages)?.release() }
}
