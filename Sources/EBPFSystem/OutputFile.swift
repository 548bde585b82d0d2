internal import CEBPF
internal import Glibc

/// A result file that appears whole or not at all.
public enum OutputFile {
  /// Writes `bytes` beside `path` and renames the file into place; `/dev/…` is written directly.
  public static func write(_ bytes: [UInt8], path: String) throws(Errno) {
    let direct = path.hasPrefix("/dev/")
    let target = direct ? path : path + ".partial"
    // The partial file's name can be guessed: a link planted there must not lead a root elsewhere.
    let flags = O_WRONLY | O_CREAT | O_TRUNC | (direct ? 0 : O_NOFOLLOW)
    let descriptor = try SystemFile.open(target, flags: flags, mode: 0o644)
    do throws(Errno) {
      try DescriptorWriter.write(bytes, to: descriptor.rawValue)
      if !direct { _ = try Errno.check(unsafe cebpf_rename(target, path)) }
    } catch {
      // The partial file is ours; when it cannot be removed the first error says more.
      if !direct { _ = unsafe cebpf_unlink(target) }
      throw error
    }
  }
}
