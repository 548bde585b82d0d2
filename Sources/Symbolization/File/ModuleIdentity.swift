internal import EBPFSystem

/// What tells a file from any other, and from a later version of itself.
public struct ModuleIdentity: Sendable, Hashable {
  private var device: UInt64
  private var inode: UInt64
  private var size: UInt64
  private var modified: Int64

  init(_ status: FileStatus) {
    device = status.device
    inode = status.inode
    size = status.size
    modified = status.modified
  }

  /// Bytes that no file system has: the kernel's own image.
  static let notAFile = ModuleIdentity()

  private init() { (device, inode, size, modified) = (0, 0, 0, 0) }
}
