internal import CEBPF

/// Pages of memory with one owner, unmapped when that owner goes away.
@safe
public struct MappedRegion: ~Copyable, @unchecked Sendable {
  /// The first byte.
  @usableFromInline package let start: UnsafeMutableRawPointer
  /// The length in bytes.
  public let count: Int

  package init(owning start: UnsafeMutableRawPointer, count: Int) {
    unsafe self.start = start
    self.count = count
  }

  /// Private zeroed memory, for tests and scratch.
  package static func anonymous(count: Int) throws(Errno) -> MappedRegion {
    var address: UnsafeMutableRawPointer?
    _ = try Errno.check(unsafe cebpf_map_anonymous(count, &address))
    guard let address = unsafe address else { throw .noMemory }
    return unsafe MappedRegion(owning: address, count: count)
  }

  // SAFETY: the pages were mapped with this length and nobody else unmaps them.
  deinit { _ = unsafe cebpf_unmap_memory(start, count) }

  /// The size of a page on this machine.
  public static var pageSize: Int { Int(cebpf_page_size()) }
}
