/// One end of a connection: an address and a port.
public struct NetworkEndpoint: Sendable, Hashable, CustomStringConvertible {
  /// The address; an IPv4 address that an IPv6 socket uses (`::ffff:10.0.0.1`) is IPv4.
  public var address: NetworkAddress
  /// The port, 0 when there is none yet.
  public var port: UInt16

  /// Creates an endpoint.
  public init(address: NetworkAddress, port: UInt16) {
    self.address = address
    self.port = port
  }

  /// `10.0.0.1:443`, `[2001:db8::1]:443`.
  public var description: String {
    address.isVersion4 ? "\(address):\(port)" : "[\(address)]:\(port)"
  }
}

/// An IPv4 or IPv6 address.
public struct NetworkAddress: Sendable, Hashable, CustomStringConvertible {
  /// Its 16 bytes in network order, as two big-endian numbers; IPv4 mapped into `::ffff:0:0/96`.
  private let high: UInt64
  private let low: UInt64

  /// An address from 4 or 16 bytes in network order; nil for another number of bytes.
  public init?(_ bytes: [UInt8]) {
    switch bytes.count {
    case 4:
      high = 0
      low = bytes.reduce(0xffff) { $0 << 8 | UInt64($1) }
    case 16:
      high = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
      low = bytes[8...].reduce(0) { $0 << 8 | UInt64($1) }
    default: return nil
    }
  }

  init(_ words: AddressWords) {
    high = UInt64(bigEndian: words.first)
    low = UInt64(bigEndian: words.second)
  }

  /// True for IPv4, also where an IPv6 socket uses it.
  public var isVersion4: Bool { high == 0 && low >> 32 == 0xffff }

  /// True for the unspecified address of either version: `0.0.0.0`, `::`.
  public var isUnspecified: Bool { high == 0 && (low == 0 || low == 0xffff << 32) }

  /// True for 127.0.0.0/8 and ::1.
  public var isLoopback: Bool {
    isVersion4 ? low >> 24 & 0xff == 127 : high == 0 && low == 1
  }

  /// The address as RFC 5952 writes it.
  public var description: String {
    if isVersion4 {
      return "\(low >> 24 & 0xff).\(low >> 16 & 0xff).\(low >> 8 & 0xff).\(low & 0xff)"
    }
    let groups = [high, low].flatMap { half in
      [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: half >> UInt64($0)) }
    }
    let gap = NetworkAddress.longestGap(groups)
    guard gap.count > 1 else { return NetworkAddress.text(groups[...]) }
    return NetworkAddress.text(groups[..<gap.lowerBound]) + "::"
      + NetworkAddress.text(groups[gap.upperBound...])
  }

  private static func text(_ groups: ArraySlice<UInt16>) -> String {
    groups.map { String($0, radix: 16) }.joined(separator: ":")
  }

  /// The first of the longest runs of zero groups.
  private static func longestGap(_ groups: [UInt16]) -> Range<Int> {
    var best = 0..<0
    var start: Int?
    for index in 0...groups.count {
      if index < groups.count, groups[index] == 0 {
        start = start ?? index
      } else if let begin = start {
        if index - begin > best.count { best = begin..<index }
        start = nil
      }
    }
    return best
  }
}
