internal import EBPF
internal import EBPFSystem

/// A `struct sockaddr` as a person reads it.
enum SocketAddressText {
  /// `127.0.0.1:80`, `[::1]:80`, `unix:/run/x.sock`, `unix:@abstract`; the family when it is another.
  static func text(_ bytes: [UInt8]) -> String {
    let raw = bytes.span.rawBytes
    guard let family = raw.integer(at: 0, as: UInt16.self, order: .host) else { return "{}" }
    switch family {
    case 1: return unix(bytes.dropFirst(2))
    case 2 where bytes.count >= 8:
      let port = raw.integer(at: 2, as: UInt16.self, order: .big) ?? 0
      return bytes[4..<8].map(String.init).joined(separator: ".") + ":\(port)"
    case 10 where bytes.count >= 24:
      let port = raw.integer(at: 2, as: UInt16.self, order: .big) ?? 0
      return "[\(internet6(Array(bytes[8..<24])))]:\(port)"
    case 16 where bytes.count >= 12:
      let port = raw.integer(at: 4, as: UInt32.self, order: .host) ?? 0
      return "netlink:\(port)"
    default: return "{\(FlagNames.family.value(UInt64(family)))}"
    }
  }

  private static func unix(_ path: ArraySlice<UInt8>) -> String {
    guard let first = path.first else { return "unix:" }
    // unix(7): an abstract name begins with a zero and has no other end than its length.
    let isAbstract = first == 0
    let name = isAbstract ? path.dropFirst() : path.prefix { $0 != 0 }
    let text = name.map { (0x20..<0x7f).contains($0) ? String(UnicodeScalar($0)) : "." }.joined()
    return "unix:" + (isAbstract ? "@" : "") + text
  }

  /// RFC 5952: lower case, the longest run of zeros left out.
  static func internet6(_ bytes: [UInt8]) -> String {
    let words = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
    var best = 0..<0
    var index = 0
    while index < 8 {
      var end = index
      while end < 8, words[end] == 0 { end += 1 }
      if end - index > max(1, best.count) { best = index..<end }
      index = max(end, index + 1)
    }
    func join(_ part: ArraySlice<UInt16>) -> String {
      part.map { String($0, radix: 16) }.joined(separator: ":")
    }
    if best.isEmpty { return join(words[...]) }
    return join(words[..<best.lowerBound]) + "::" + join(words[best.upperBound...])
  }
}
