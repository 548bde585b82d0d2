import ArgumentParser
import EBPF

/// The command's exit statuses; scripts rely on them.
extension ExitCode {
  /// The answer is no: an invalid object, an incompatible system, data lost.
  static let no = ExitCode(1)
  /// Refused or failed: permission, kernel, input or output.
  static let failed = ExitCode(2)
}
