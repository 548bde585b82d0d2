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

  /// The value at a byte offset, which must be inside. Others may be writing it.
  public func load<Value: BitwiseCopyable>(
    at offset: Int, as type: Value.Type = Value.self
  ) -> Value {
    precondition(offset >= 0 && offset <= count - MemoryLayout<Value>.size)
    // SAFETY: checked by the precondition; every bit pattern is a value.
    return unsafe start.loadUnaligned(fromByteOffset: offset, as: Value.self)
  }

  /// Stores a value at a byte offset, which must be inside pages mapped for writing.
  public func store<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
    precondition(offset >= 0 && offset <= count - MemoryLayout<Value>.size)
    // SAFETY: checked by the precondition.
    unsafe start.storeBytes(of: value, toByteOffset: offset, as: Value.self)
  }

  /// Stores values one after the other, the first one at a byte offset; all must be inside pages mapped for
  /// writing.
  public func store<Value: BitwiseCopyable>(_ values: [Value], at offset: Int) {
    unsafe values.withUnsafeBytes { bytes in
      precondition(offset >= 0 && bytes.count <= count - offset)
      guard let first = bytes.baseAddress else { return }
      // SAFETY: checked by the precondition; the values are bitwise copyable.
      unsafe (start + offset).copyMemory(from: first, byteCount: bytes.count)
    }
  }

  /// The 64-bit integer at a multiple of 8, in one piece and before everything read later.
  public func loadAcquiring(at offset: Int) -> UInt64 {
    precondition(offset >= 0 && offset <= count - 8 && offset & 7 == 0)
    // SAFETY: checked by the precondition.
    return unsafe cebpf_load_acquire_64(start + offset)
  }

  /// Stores the 64-bit integer at a multiple of 8, in one piece and after everything written before.
  public func storeReleasing(_ value: UInt64, at offset: Int) {
    precondition(offset >= 0 && offset <= count - 8 && offset & 7 == 0)
    // SAFETY: checked by the precondition.
    unsafe cebpf_store_release_64(start + offset, value)
  }
}
