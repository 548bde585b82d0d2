/// Turns linkers' names into names for people: Swift, C++ and Rust.
///
/// Swift and C++ by the runtimes that are linked into every Swift program, static ones too; Rust,
/// both manglings, by our own code. A name that is not mangled, is damaged, or could become
/// unreasonably long is given back as it is. Nothing is cached here: ask once for each name.
public struct Demangler: Sendable, Hashable {
  /// How much of a Swift or Rust name to show.
  public enum Style: Sendable, Hashable {
    /// Everything the mangled name says.
    case full
    /// Without what tells thunks, specializations and private scopes apart, and without Rust hashes.
    case simplified
  }

  /// Which compiler's rules a name follows.
  public enum Scheme: Sendable, Hashable {
    /// `$s`, `$S`, `$e`, `_T0`.
    case swift
    /// `_Z`.
    case itanium
    /// `_ZN…17h<16 hexadecimal digits>E`.
    case rustLegacy
    /// `_R`.
    case rustV0
  }

  /// How much to show.
  public var style: Style

  /// Creates a demangler.
  public init(style: Style = .simplified) { self.style = style }

  /// Names longer than this are not demangled.
  public static let longestName = 4096

  /// The name for people; `name` itself when it is not mangled.
  public func demangle(_ name: String) -> String {
    guard name.utf8.count <= Self.longestName, let scheme = Self.scheme(of: name) else {
      return name
    }
    let bytes = Array(name.utf8)
    let result: String? =
      switch scheme {
      case .swift: swift(bytes)
      case .itanium: MangledGrowth.isBoundedCxx(bytes) ? RuntimeDemangler.cxx(bytes) : nil
      case .rustLegacy: RustLegacyName.demangle(bytes, keepingHash: style == .full)
      case .rustV0: RustName.demangle(bytes, style: style)
      }
    guard let result, !result.isEmpty else { return name }
    return result
  }

  private func swift(_ name: [UInt8]) -> String? {
    guard MangledGrowth.isBoundedSwift(name), let full = RuntimeDemangler.swift(name) else {
      return nil
    }
    return style == .full ? full : SwiftNameSimplifier.simplify(full)
  }

  /// The scheme a name follows by its first characters, or nil.
  public static func scheme(of name: String) -> Scheme? {
    let bytes = name.utf8
    guard let first = bytes.first, bytes.count > 3 else { return nil }
    if first == 0x24 {  // $
      let second = bytes.dropFirst().first
      return second == 0x73 || second == 0x53 || second == 0x65 ? .swift : nil
    }
    guard first == 0x5f else { return nil }
    switch bytes.dropFirst().first {
    case 0x5a: return RustLegacyName.hasHash(bytes) ? .rustLegacy : .itanium
    case 0x54: return bytes.dropFirst(2).first == 0x30 ? .swift : nil
    case 0x52: return .rustV0
    default: return nil
    }
  }
}
