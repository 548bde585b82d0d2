internal import Profiles

/// What language a frame's code was written in, as far as its names tell.
enum FrameType {
  /// A value of `profile.frame.type`; nil for what is no code. `swift` and `jit` are ours.
  static func of(_ frame: Profile.Frame, in mapping: Profile.Mapping?) -> String? {
    switch frame.kind {
    case .kernel: return "kernel"
    case .jit: return "jit"
    case .marker: return nil
    case .native: break
    }
    let name = frame.systemName ?? frame.name ?? ""
    if ["$s", "$S", "$e", "_$s", "_T0"].contains(where: name.hasPrefix) { return "swift" }
    if name.hasPrefix("_R") || isLegacyRust(name) { return "rust" }
    // Functions of C in a program of Go have no package.
    if let mapping, !mapping.goBuildID.isEmpty, name.contains(".") { return "go" }
    return "native"
  }

  /// `_ZN`, names with their lengths, `17h` and 16 hexadecimal digits, `E`.
  private static func isLegacyRust(_ name: String) -> Bool {
    let bytes = Array(name.utf8.prefix { $0 != UInt8(ascii: ".") })
    guard name.hasPrefix("_ZN"), bytes.count > 23, bytes.last == UInt8(ascii: "E") else {
      return false
    }
    let hash = bytes.suffix(20).dropLast()
    return hash.starts(with: Array("17h".utf8))
      && hash.dropFirst(3).allSatisfy { byte in
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
      }
  }
}
