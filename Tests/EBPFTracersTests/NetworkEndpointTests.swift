import EBPFTracers
import Testing

@Suite struct NetworkEndpointTests {
  /// The texts of RFC 5952.
  @Test(
    arguments: [
      ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], "2001:db8::1"),
      ([0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], "2001:db8::1:0:0:1"),
      ([0x2001, 0xdb8, 0, 1, 1, 1, 1, 1], "2001:db8:0:1:1:1:1:1"),
      ([0x2001, 0, 0, 1, 0, 0, 0, 1], "2001:0:0:1::1"),
      ([0, 0, 0, 0, 0, 0, 0, 0], "::"), ([0, 0, 0, 0, 0, 0, 0, 1], "::1"),
      ([0xfe80, 0, 0, 0, 0, 0, 0, 0], "fe80::"),
      ([0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201], "192.0.2.1"),
    ] as [([UInt16], String)])
  func `an address is written as RFC 5952 says`(groups: [UInt16], text: String) throws {
    let bytes = groups.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
    #expect(try #require(NetworkAddress(bytes)).description == text)
  }

  @Test func `an IPv6 address is in brackets before a port`() throws {
    let four = try #require(NetworkAddress([127, 0, 0, 1]))
    let six = try #require(NetworkAddress([UInt8](repeating: 0, count: 15) + [1]))
    #expect(NetworkEndpoint(address: four, port: 80).description == "127.0.0.1:80")
    #expect(NetworkEndpoint(address: six, port: 443).description == "[::1]:443")
    #expect(four.isVersion4 && four.isLoopback && !six.isVersion4 && six.isLoopback)
    #expect(NetworkAddress([1, 2, 3]) == nil)
  }
}
