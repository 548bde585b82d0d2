internal import CEBPF
internal import Glibc

/// A result file that appears whole or not at all.
public enum OutputFile {
  /// Writes `bytes` beside `path` and renames the file into place. What is no ordinary file, a pipe
  /// or something in `/dev` or `/proc`, is written directly; a pipe must have a reader: `ENXIO`.
  public static func write(_ bytes: [UInt8], path: String) throws(Errno) {
    if isDirect(path) {
      // A pipe that nobody reads would block here; one that somebody reads does not.
      let probe = try SystemFile.open(path, flags: O_WRONLY | O_NONBLOCK)
      let descriptor = try SystemFile.open(path, flags: O_WRONLY | O_TRUNC)
      withExtendedLifetime(probe) {}
      return try DescriptorWriter.write(bytes, to: descriptor.rawValue)
    }
    let descriptor = try openPartial(path)
    do throws(Errno) {
      try DescriptorWriter.write(bytes, to: descriptor.rawValue)
      _ = try Errno.check(unsafe cebpf_rename(partial(path), path))
    } catch {
      removePartial(path)
      throw error
    }
  }

  /// Throws what ``write(_:path:)`` would meet at this path now, as far as that can be known before
  /// there is something to write. Leaves everything as it is.
  public static func check(path: String) throws(Errno) {
    if isDirect(path) { return }
    _ = try openPartial(path)
    removePartial(path)
  }

  private static func partial(_ path: String) -> String { path + ".partial" }

  private static func openPartial(_ path: String) throws(Errno) -> OwnedDescriptor {
    if isDirectory(path) { throw .isDirectory }
    // The partial file's name can be guessed: a link planted there must not lead a root elsewhere.
    return try SystemFile.open(
      partial(path), flags: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o644)
  }

  /// The partial file is ours; when it cannot be removed the first error says more.
  private static func removePartial(_ path: String) { _ = unsafe cebpf_unlink(partial(path)) }

  private static func isDirectory(_ path: String) -> Bool {
    do throws(Errno) { return try FileStatus(path: path).isDirectory } catch { return false }
  }

  private static func isDirect(_ path: String) -> Bool {
    // Links there lead to open files: renaming would replace the link.
    if path.hasPrefix("/dev/") || path.hasPrefix("/proc/") { return FileSystem.exists(path) }
    do throws(Errno) {
      let status = try FileStatus(path: path)
      return !status.isRegular && !status.isDirectory
    } catch { return false }
  }
}
