internal import CEBPF

/// What uname(2) says of the running kernel.
public struct KernelRelease: Sendable, Hashable {
  /// The whole text: `6.1.0-28-amd64`.
  public let text: String
  /// `6` of `6.1.0`.
  public let major: Int
  /// `1` of `6.1.0`.
  public let minor: Int
  /// `0` of `6.1.0`; 0 when the text has none.
  public let patch: Int

  /// Reads a release text: two or three numbers, then anything that does not begin with a digit.
  /// Nil for a text that does not begin like one.
  public init?(_ text: String) {
    var numbers: [Int] = []
    var rest = Substring(text)
    while numbers.count < 3 {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      guard !digits.isEmpty, let number = Int(digits) else { break }
      numbers.append(number)
      rest = rest.dropFirst(digits.count)
      guard rest.first == "." else { break }
      rest = rest.dropFirst()
    }
    guard numbers.count >= 2 else { return nil }
    self.text = text
    major = numbers[0]
    minor = numbers[1]
    patch = numbers.count > 2 ? numbers[2] : 0
  }

  /// The running kernel's; `EINVAL` when it does not look like a release.
  public static func running() throws(Errno) -> KernelRelease {
    guard let release = KernelRelease(try MachineNames.current().release) else { throw .invalid }
    return release
  }

  /// Whether this release is `major.minor` or newer.
  public func isAtLeast(_ major: Int, _ minor: Int) -> Bool {
    (self.major, self.minor) >= (major, minor)
  }

  /// `LINUX_VERSION_CODE`: the patch level is capped at 255.
  public var code: UInt32 {
    UInt32(clamping: min(major, 65_535)) << 16 | UInt32(clamping: min(minor, 255)) << 8
      | UInt32(clamping: min(patch, 255))
  }
}

/// The five texts of uname(2).
public struct MachineNames: Sendable, Hashable {
  /// `Linux`.
  public let system: String
  /// The host's name.
  public let node: String
  /// The kernel's release.
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
