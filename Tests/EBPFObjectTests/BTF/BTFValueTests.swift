import Testing

@testable import EBPFObject

@Suite struct BTFValueTests {
  private func reader(_ build: (inout BTFBuilder) -> UInt32) throws -> (BTFValueReader, UInt32) {
    var builder = BTFBuilder(order: .little)
    let id = build(&builder)
    return (BTFValueReader(try BTF(parsing: Bytes(builder.build()))), id)
  }

  @Test func `bit fields take their bits, and signed ones their sign`() throws {
    let (reader, id) = try reader { builder in
      let unsigned = builder.int("unsigned int", size: 4, encoding: 0)
      let signed = builder.int("int", size: 4, encoding: 1)
      return builder.structure(
        "flags", size: 4,
        members: [
          .init("low", unsigned, bitOffset: 0, bitFieldSize: 3),
          .init("middle", signed, bitOffset: 3, bitFieldSize: 5),
          .init("high", unsigned, bitOffset: 8, bitFieldSize: 24),
        ])
    }
    #expect(
      try reader.value(of: id, in: [0b1111_1101, 0x34, 0x12, 0xff])
        == .fields([
          .init(name: "low", value: .unsigned(5)), .init(name: "middle", value: .signed(-1)),
          .init(name: "high", value: .unsigned(0xff1234)),
        ]))
  }

  @Test func `the fields of an anonymous struct belong to the one around it`() throws {
    let (reader, id) = try reader { builder in
      let int = builder.int("int", size: 4, encoding: 1)
      let inner = builder.structure("", size: 4, members: [.init("a", int, bitOffset: 0)])
      return builder.structure(
        "outer", size: 8,
        members: [.init("", inner, bitOffset: 0), .init("b", int, bitOffset: 32)])
    }
    #expect(
      try reader.value(of: id, in: [1, 0, 0, 0, 254, 255, 255, 255])
        == .fields([.init(name: "a", value: .signed(1)), .init(name: "b", value: .signed(-2))]))
  }

  @Test func `numbers are read in the byte order of the types`() throws {
    var builder = BTFBuilder(order: .big)
    let int = builder.int("int", size: 4, encoding: 1)
    let big = BTFValueReader(try BTF(parsing: Bytes(builder.build())))
    #expect(try big.value(of: int, in: [0, 0, 1, 2]) == .signed(258))
    #expect(try big.value(of: int, in: [255, 255, 255, 254]) == .signed(-2))
  }

  @Test func `characters are text up to a zero, and numbers without one`() throws {
    let (reader, id) = try reader { builder in
      let character = builder.int("char", size: 1, encoding: 1)
      let int = builder.int("int", size: 4, encoding: 1)
      return builder.array(of: character, index: int, count: 4)
    }
    #expect(try reader.value(of: id, in: [0x61, 0x62, 0, 0x63]) == .text("ab"))
    #expect(try reader.value(of: id, in: [0, 0, 0, 0]) == .text(""))
    #expect(
      try reader.value(of: id, in: [0x61, 0x62, 0x63, 0xff])
        == .list([.signed(97), .signed(98), .signed(99), .signed(-1)]))
    #expect(
      try reader.value(of: id, in: [0x1b, 0x5b, 0, 0])
        == .list([.signed(27), .signed(91), .signed(0), .signed(0)]))
  }

  @Test func `an integer wider than 64 bits is shown as bytes`() throws {
    let (reader, id) = try reader { $0.int("__int128", size: 16, encoding: 1) }
    let bytes = (1...16).map { UInt8($0) }
    #expect(try reader.value(of: id, in: bytes) == .bytes(bytes))
  }

  @Test func `too few bytes are an error at every length`() throws {
    let (reader, id) = try reader { builder in
      let int = builder.int("int", size: 4, encoding: 1)
      let array = builder.array(of: int, index: int, count: 3)
      return builder.structure(
        "s", size: 17,
        members: [
          .init("a", int, bitOffset: 0), .init("b", array, bitOffset: 32),
          .init("c", int, bitOffset: 128, bitFieldSize: 8),
        ])
    }
    for length in 0..<17 {
      #expect(throws: EBPFError.self) {
        try reader.value(of: id, in: [UInt8](repeating: 1, count: length))
      }
    }
    _ = try reader.value(of: id, in: [UInt8](repeating: 1, count: 17))
  }

  @Test func `a member outside its struct, and an array beyond the address space, are errors`()
    throws
  {
    let (outside, id) = try reader { builder in
      let int = builder.int("int", size: 4, encoding: 1)
      return builder.structure(
        "s", size: 4,
        members: [
          .init("far", int, bitOffset: 0x00ff_fff8),
          .init("bits", int, bitOffset: 40, bitFieldSize: 8),
        ])
    }
    #expect(throws: EBPFError.self) { try outside.value(of: id, in: [1, 2, 3, 4]) }
    let (huge, array) = try reader { builder in
      let int = builder.int("int", size: 4, encoding: 1)
      let inner = builder.array(of: int, index: int, count: .max)
      return builder.array(of: inner, index: int, count: .max)
    }
    #expect(throws: EBPFError.self) { try huge.value(of: array, in: [1, 2, 3, 4]) }
  }

  @Test func `a struct that holds itself twice is an error at once, and takes no memory`() throws {
    let (reader, id) = try reader { builder in
      builder.structure(
        "loop", size: 4, members: [.init("a", 1, bitOffset: 0), .init("b", 1, bitOffset: 0)])
    }
    #expect(throws: EBPFError.self) { try reader.value(of: id, in: [1, 2, 3, 4]) }
  }
}
