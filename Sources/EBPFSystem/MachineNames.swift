internal import CEBPF

/// The five texts of uname(2).
public struct MachineNames: Sendable, Hashable {
  /// `Linux`.
  public let system: String
  /// The host's name.
  public let node: String
  /// The kernel's release: `6.1.0-28-amd64`.
  public let release: String
  /// The kernel's build.
  public let version: String
  /// `x86_64` or `aarch64`.
  public let machine: String

  /// Asks the kernel.
  public static func current() throws(Errno) -> MachineNames {
    var names = cebpf_names()
    _ = try Errno.check(unsafe cebpf_names(&names))
    return MachineNames(
      system: read(names.system), node: read(names.node), release: read(names.release),
      version: read(names.version), machine: read(names.machine))
  }

  /// A C array, which Swift sees as a tuple, up to its first zero.
  private static func read<Characters: BitwiseCopyable>(_ field: Characters) -> String {
    BitwiseBytes.read(field) { bytes in EBPFSystem.text(BitwiseBytes.array(bytes)) }
  }
}
