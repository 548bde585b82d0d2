import Testing

@testable import EBPFTracers

@Suite struct DNSMessageTests {
  /// A query for `example.org`, type A, as a resolver sends it.
  private static let query: [UInt8] =
    [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + [7] + Array("example".utf8) + [3]
    + Array("org".utf8) + [0, 0, 1, 0, 1]

  @Test func `a question is read`() throws {
    let message = try #require(DNSMessage(Self.query))
    #expect(message.id == 0x1234)
    #expect(!message.isResponse && message.name == "example.org" && message.type == 1)
  }

  @Test func `the root is a dot`() throws {
    let message = try #require(
      DNSMessage([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1]))
    #expect(message.name == "." && DNSMessage.typeName(message.type) == "NS")
  }

  @Test func `bytes that cannot be printed, dots and backslashes in a label are quoted`() throws {
    let bytes: [UInt8] =
      [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + [5, 0x1b, 0x5b, 0x2e, 0x5c, 0xff] + [0, 0, 1, 0, 1]
    #expect(DNSMessage(bytes)?.name == #"\027[\.\\\255"#)
  }

  @Test func `every message that is cut short is malformed`() {
    for length in 0..<Self.query.count {
      #expect(DNSMessage(Array(Self.query.prefix(length))) == nil)
    }
  }

  @Test func `a pointer goes back, or the message is malformed`() {
    // A second question whose name points to the first; one that points to itself; one forward.
    let header: [UInt8] = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    #expect(DNSMessage(header + [0xc0, 12, 0, 1, 0, 1]) == nil)
    #expect(DNSMessage(header + [0xc0, 14, 0, 1, 0, 1]) == nil)
    #expect(DNSMessage(header + [0xc0, 2, 0, 1, 0, 1]) == nil)
    #expect(DNSMessage(header + [1, 0x61, 0xc0, 12, 0, 1, 0, 1]) == nil)
  }

  @Test func `names longer than 255 bytes and unknown label types are malformed`() {
    let header: [UInt8] = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    let label: [UInt8] = [63] + [UInt8](repeating: 0x61, count: 63)
    #expect(DNSMessage(header + label + label + label + [0, 0, 1, 0, 1]) != nil)
    #expect(DNSMessage(header + label + label + label + label + [0, 0, 1, 0, 1]) == nil)
    #expect(DNSMessage(header + [0x41, 0, 0, 1, 0, 1]) == nil)
    #expect(DNSMessage(header + [0x81, 0, 0, 1, 0, 1]) == nil)
  }

  @Test func `random bytes are an answer, never a trap`() {
    var random = SystemRandomNumberGenerator()
    for round in 0..<20_000 {
      var bytes = Self.query
      for _ in 0...(round % 8) {
        bytes[Int(random.next(upperBound: UInt(bytes.count)))] = UInt8.random(in: 0...255)
      }
      _ = DNSMessage(bytes)
      _ = DNSMessage((0..<(round % 64)).map { _ in UInt8.random(in: 0...255) })
    }
  }
}
