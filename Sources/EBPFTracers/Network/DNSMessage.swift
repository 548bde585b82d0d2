/// A DNS message's header and question (RFC 1035); answers are not looked at.
///
/// The bytes are a stranger's: anything that does not fit makes it malformed, nothing else.
struct DNSMessage: Sendable, Hashable {
  let id: UInt16
  let isResponse: Bool
  let isTruncated: Bool
  let responseCode: UInt8
  let answers: UInt16
  /// The name asked for, without the final dot; `.` for the root.
  let name: String
  let type: UInt16

  /// Reads a message; nil when it is malformed.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 12 else { return nil }
    func word(_ offset: Int) -> UInt16 { UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1]) }
    id = word(0)
    isResponse = bytes[2] & 0x80 != 0
    isTruncated = bytes[2] & 0x02 != 0
    responseCode = bytes[3] & 0x0f
    answers = word(6)
    guard word(4) > 0 else {
      // A refusal may leave the question out.
      guard isResponse else { return nil }
      name = ""
      type = 0
      return
    }
    guard let (name, end) = DNSMessage.name(in: bytes, at: 12), end <= bytes.count - 4 else {
      return nil
    }
    self.name = name
    type = word(end)
  }

  /// The name that starts at `offset`, and where what follows it starts.
  private static func name(in bytes: [UInt8], at offset: Int) -> (String, end: Int)? {
    var position = offset
    var end: Int?
    var text: [UInt8] = []
    var length = 0
    // Every jump goes back, so there are never more of them than bytes before.
    while position < bytes.count {
      let label = Int(bytes[position])
      switch label >> 6 {
      case 0 where label == 0:
        let name = text.isEmpty ? "." : String(decoding: text, as: UTF8.self)
        return (name, end ?? position + 1)
      case 0:
        length += label + 1
        guard length <= 255, position + label < bytes.count else { return nil }
        if !text.isEmpty { text.append(UInt8(ascii: ".")) }
        for byte in bytes[(position + 1)...(position + label)] { append(byte, to: &text) }
        position += label + 1
      case 3:
        guard position + 1 < bytes.count else { return nil }
        let target = (label & 0x3f) << 8 | Int(bytes[position + 1])
        guard target >= 12, target < position else { return nil }
        end = end ?? position + 2
        position = target
      default: return nil
      }
    }
    return nil
  }

  /// Master-file notation: a dot or backslash in a label is quoted, what cannot be printed is `\ddd`.
  private static func append(_ byte: UInt8, to text: inout [UInt8]) {
    switch byte {
    case UInt8(ascii: "."), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
    case 0x21...0x7e: text.append(byte)
    default:
      text.append(UInt8(ascii: "\\"))
      text += [byte / 100, byte / 10 % 10, byte % 10].map { UInt8(ascii: "0") + $0 }
    }
  }

  /// The name of a record type (IANA); `TYPE4711` for others, as RFC 3597 says.
  static func typeName(_ type: UInt16) -> String { types[type] ?? "TYPE\(type)" }

  private static let types: [UInt16: String] = [
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT",
    28: "AAAA", 29: "LOC", 33: "SRV", 35: "NAPTR", 39: "DNAME", 41: "OPT", 43: "DS", 44: "SSHFP",
    46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 50: "NSEC3", 52: "TLSA", 64: "SVCB", 65: "HTTPS",
    251: "IXFR", 252: "AXFR", 255: "ANY", 256: "URI", 257: "CAA",
  ]

  /// The name of a response code (IANA).
  static func codeName(_ code: UInt8) -> String {
    let names = [
      "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
      "NXRRSET", "NOTAUTH", "NOTZONE",
    ]
    return Int(code) < names.count ? names[Int(code)] : "RCODE\(code)"
  }
}
