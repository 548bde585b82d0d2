/// One line of `/proc/PID/maps`.
public struct ProcessMapping: Sendable, Hashable {
  /// The first address.
  public var start: UInt64
  /// The first address after it.
  public var end: UInt64
  /// The offset in the file of `start`.
  public var fileOffset: UInt64
  /// The mapping's access rights.
  public var access: Access
  /// The device number of the file's file system: major << 20 | minor, 0 for none.
  public var device: UInt64
  /// The file's inode number; 0 for none.
  public var inode: UInt64
  /// The file's path as the process sees it, or a name in brackets such as `[vdso]`; may be empty.
  ///
  /// A path that is not UTF-8 cannot be opened by this text: open it through `/proc/PID/map_files`.
  public var path: String
  /// True when the file's name has been removed since it was mapped.
  public var isDeleted: Bool

  /// What may be done with the memory.
  public struct Access: OptionSet, Sendable, Hashable {
    /// The rights as bits.
    public let rawValue: UInt8
    /// Creates a set from bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// May be read.
    public static let read = Access(rawValue: 1)
    /// May be written.
    public static let write = Access(rawValue: 2)
    /// May be executed.
    public static let execute = Access(rawValue: 4)
    /// Writes reach the file.
    public static let shared = Access(rawValue: 8)
  }

  /// What kind of memory a mapping is.
  public enum Kind: Sendable, Hashable {
    /// A file with a path, perhaps deleted.
    case file
    /// A file without one: `memfd_create`, System V or `/dev/zero` shared memory.
    case memory
    /// No file: allocated, or code made at run time.
    case anonymous
    /// The kernel's code page `[vdso]`.
    case vdso
    /// The old fixed page `[vsyscall]`.
    case vsyscall
    /// Another of the kernel's names in brackets: `[stack]`, `[heap]`, `[uprobes]`.
    case special
  }

  /// What kind of memory this is.
  public var kind: Kind {
    if path.isEmpty || path.hasPrefix("[anon") || path.hasPrefix("//anon")
      || path == "/anon_hugepage"
    {
      return .anonymous
    }
    if path.hasPrefix("/memfd:") || path.hasPrefix("/SYSV") || path == "/dev/zero" {
      return .memory
    }
    if path.hasPrefix("/") { return .file }
    switch path {
    case "[vdso]": return .vdso
    case "[vsyscall]": return .vsyscall
    default: return path.hasPrefix("[") ? .special : .file
    }
  }

  /// The offset in the file of an address inside the mapping.
  public func fileOffset(of address: UInt64) -> UInt64? {
    guard address >= start, address < end else { return nil }
    let (offset, overflow) = (address - start).addingReportingOverflow(fileOffset)
    return overflow ? nil : offset
  }
}
