internal import CEBPF
internal import Glibc

/// What stat(2) says of a file, as far as this package asks.
public struct FileStatus: Sendable, Hashable {
  /// The size in bytes; 0 for most of /proc and /sys.
  public let size: UInt64
  /// The inode; with ``device`` the file's identity.
  public let inode: UInt64
  /// The device of the file system.
  public let device: UInt64
  /// When the content last changed, in nanoseconds since 1970.
  public let modified: Int64
  private let mode: UInt32

  /// Follows symbolic links.
  public init(path: String) throws(Errno) {
    var found = cebpf_file_status()
    _ = try unsafe withPath(path) { pointer in unsafe cebpf_path_status(pointer, &found) }
    self.init(found)
  }

  /// Of a symbolic link itself, where the last part of the path is one.
  public init(ofLinkAt path: String) throws(Errno) {
    var found = cebpf_file_status()
    _ = try unsafe withPath(path) { pointer in unsafe cebpf_link_status(pointer, &found) }
    self.init(found)
  }

  /// Of an open file.
  public init(_ descriptor: borrowing OwnedDescriptor) throws(Errno) {
    var found = cebpf_file_status()
    _ = try Errno.check(unsafe cebpf_status(descriptor.rawValue, &found))
    self.init(found)
  }

  private init(_ found: cebpf_file_status) {
    size = found.size
    inode = found.inode
    device = found.device
    modified = found.modified
    mode = found.mode
  }

  /// Whether it is an ordinary file.
  public var isRegular: Bool { mode & UInt32(S_IFMT) == UInt32(S_IFREG) }
  /// Whether it is a socket.
  public var isSocket: Bool { mode & UInt32(S_IFMT) == UInt32(S_IFSOCK) }
  /// Whether it is a directory.
  public var isDirectory: Bool { mode & UInt32(S_IFMT) == UInt32(S_IFDIR) }
}

/// Directories and links.
public enum FileSystem {
  /// The names in a directory, without `.` and `..`, in the kernel's order.
  public static func entries(_ path: String) throws(Errno) -> [String] {
    let directory = try SystemFile.open(path, flags: SystemFile.directory)
    let number = directory.rawValue
    var names: [String] = []
    var buffer = [UInt8](repeating: 0, count: 32_768)
    while true {
      let filled = Int(
        try Errno.check(
          unsafe buffer.withUnsafeMutableBytes { bytes in
            // SAFETY: the buffer is not empty.
            unsafe cebpf_directory_entries(
              number, bytes.baseAddress.unsafelyUnwrapped, bytes.count)
          }))
      if filled == 0 { return names }
      // struct linux_dirent64: inode 8, offset 8, record length 2, type 1, then the name.
      var position = 0
      while position + 19 <= filled {
        let length = Int(buffer[position + 16]) | Int(buffer[position + 17]) << 8
        guard length > 19, position + length <= filled else { throw .inputOutput }
        let name = text(buffer[(position + 19)..<(position + length)])
        if name != ".", name != ".." { names.append(name) }
        position += length
      }
    }
  }

  /// What a symbolic link names.
  public static func link(_ path: String) throws(Errno) -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = try unsafe withPath(path) { pointer in
      unsafe buffer.withUnsafeMutableBytes { bytes in
        // SAFETY: the buffer is not empty.
        unsafe cebpf_read_link(pointer, bytes.baseAddress.unsafelyUnwrapped, bytes.count)
      }
    }
    return String(decoding: buffer.prefix(Int(count)), as: UTF8.self)
  }

  /// Removes a file, or a pin.
  public static func remove(_ path: String) throws(Errno) {
    _ = try unsafe withPath(path) { pointer in unsafe cebpf_unlink(pointer) }
  }

  /// Makes a directory.
  public static func makeDirectory(_ path: String, mode: UInt32 = 0o700) throws(Errno) {
    _ = try unsafe withPath(path) { pointer in unsafe cebpf_make_directory(pointer, mode) }
  }

  /// Whether something is there that can be looked at.
  public static func exists(_ path: String) -> Bool {
    do throws(Errno) {
      _ = try FileStatus(path: path)
      return true
    } catch { return false }
  }

  /// The magic number of the file system at `path` (`linux/magic.h`).
  public static func type(_ path: String) throws(Errno) -> UInt32 {
    UInt32(
      truncatingIfNeeded: try unsafe withPath(path) { pointer in
        unsafe cebpf_file_system_type(pointer)
      })
  }

  /// `BPF_FS_MAGIC`.
  public static let bpf: UInt32 = 0xcafe_4a11
  /// `TRACEFS_MAGIC`.
  public static let tracing: UInt32 = 0x7472_6163
  /// `CGROUP2_SUPER_MAGIC`.
  public static let cgroup2: UInt32 = 0x6367_7270
}

/// Calls `body` with a C path and turns its negative errno into a throw.
func withPath<Value: SignedInteger>(
  _ path: String, _ body: (UnsafePointer<CChar>) -> Value
) throws(Errno) -> Value {
  let bytes = try terminated(path)
  return try Errno.check(
    unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe buffer.withMemoryRebound(to: CChar.self) { path in
        // SAFETY: the array ends in a zero and is never empty.
        unsafe body(path.baseAddress.unsafelyUnwrapped)
      }
    })
}
