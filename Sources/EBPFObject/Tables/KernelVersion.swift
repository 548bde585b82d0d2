/// A Linux version, compared by its numbers.
public struct KernelVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// The first number.
  public var major: Int
  /// The second number.
  public var minor: Int
  /// The third number; 0 for a feature's first version.
  public var patch: Int

  /// Creates a version from its numbers.
  public init(_ major: Int, _ minor: Int, _ patch: Int = 0) {
    self.major = major
    self.minor = minor
    self.patch = patch
  }

  /// Reads a release as uname(2) reports it: `5.10.0-28-amd64`, `6.18.44-fc`, `5.8-rc1`.
  public init(release: String) throws(EBPFError) {
    var numbers: [Int] = []
    for part in release.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false) {
      let digits = part.prefix { $0.isASCII && $0.isNumber }
      guard let number = Int(digits) else { break }
      numbers.append(number)
      if digits.count != part.count { break }
    }
    guard numbers.count >= 2 else {
      throw EBPFError(
        .malformed, "'\(release)' is not a kernel release",
        hint: "a release begins with two numbers, as in 5.10.0-28-amd64")
    }
    self.init(numbers[0], numbers[1], numbers.count > 2 ? numbers[2] : 0)
  }

  /// True when `left` is the older version.
  public static func < (left: KernelVersion, right: KernelVersion) -> Bool {
    (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
  }

  /// `5.8`, or `5.8.3` when the third number is not zero.
  public var description: String {
    patch == 0 ? "\(major).\(minor)" : "\(major).\(minor).\(patch)"
  }
}
