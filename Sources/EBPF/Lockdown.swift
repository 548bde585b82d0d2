internal import EBPFSystem

/// What the kernel keeps from root (`CONFIG_SECURITY_LOCKDOWN_LSM`).
enum Lockdown {
  static let path = "/sys/kernel/security/lockdown"

  /// `none`, `integrity`, or `confidentiality`, in which programs cannot read kernel memory.
  static func mode() throws(Errno) -> String {
    let words = try SystemFile.text(path, limit: 4096).split(whereSeparator: \.isWhitespace)
    return words.first { $0.hasPrefix("[") }.map { String($0.dropFirst().dropLast()) } ?? "none"
  }

  /// True only where the kernel says so.
  static var isConfidential: Bool {
    do throws(Errno) { return try mode() == "confidentiality" } catch { return false }
  }
}
