import EBPFObject
import Testing

@Suite struct BTFTests {
  /// struct pair { const int a; unsigned b: 3; char name[4]; struct pair *next; }
  private static func pair(order: ByteOrder = .host) -> BTFBuilder {
    var builder = BTFBuilder(order: order)
    let int = builder.int("int", size: 4, encoding: 1)
    let const = builder.reference(.const, to: int)
    let char = builder.int("char", size: 1, encoding: 2)
    let array = builder.array(of: char, index: int, count: 4)
    let pointer = builder.reference(.pointer, to: 6)
    let pair = builder.structure(
      "pair", size: 24,
      members: [
        .init("a", const, bitOffset: 0), .init("b", int, bitOffset: 32, bitFieldSize: 3),
        .init("name", array, bitOffset: 64), .init("next", pointer, bitOffset: 128),
      ])
    _ = builder.reference(.typedef, to: pair, name: "pair_t")
    return builder
  }

  @Test(arguments: [ByteOrder.little, .big])
  func `types, names and members are read in either byte order`(order: ByteOrder) throws {
    let btf = try BTF(parsing: Bytes(Self.pair(order: order).build()))
    #expect(btf.typeCount == 8)
    let pair = try btf.type(6)
    #expect(pair.kind == .structure)
    #expect(pair.kindFlag)
    #expect(try btf.name(of: pair) == "pair")
    let members = try btf.members(of: pair)
    #expect(try members.map { try btf.string(at: $0.nameOffset) } == ["a", "b", "name", "next"])
    #expect(members.map(\.bitOffset) == [0, 32, 64, 128])
    #expect(members.map(\.bitFieldSize) == [0, 3, 0, 0])
    #expect(try btf.integer(of: btf.type(1)).isSigned)
    let array = try btf.array(of: btf.type(4))
    #expect((array.elementID, array.indexID, array.count) == (3, 1, 4))
    #expect(try btf.type(0).kind == .void)
  }

  @Test func `a name is found with its kind, and only then`() throws {
    let btf = try BTF(parsing: Bytes(Self.pair().build()))
    #expect(try btf.firstID(named: "pair", kind: .structure) == 6)
    #expect(try btf.firstID(named: "pair", kind: .union) == nil)
    #expect(try btf.firstID(named: "pai", kind: .structure) == nil)
    #expect(try btf.firstID(named: "pair_t", kind: .typedef) == 7)
    #expect(try btf.firstID(named: "", kind: .pointer) == nil)
    #expect(try btf.ids(named: "pair") == [6])
  }

  @Test func `sizes and alignments follow typedefs, modifiers and arrays`() throws {
    let btf = try BTF(parsing: Bytes(Self.pair().build()))
    #expect(try btf.size(of: 7) == 24)
    #expect(try btf.size(of: 2) == 4)
    #expect(try btf.size(of: 4) == 4)
    #expect(try btf.size(of: 5) == 8)
    #expect(try btf.alignment(of: 7) == 8)
    #expect(try btf.alignment(of: 4) == 1)
    #expect(throws: EBPFError.self) { try btf.size(of: 0) }
  }

  @Test func `a split blob continues its base's ids and strings`() throws {
    let base = try BTF(parsing: Bytes(Self.pair().build()))
    var builder = BTFBuilder(base: base)
    let local = builder.structure("local", size: 24, members: [.init("p", 6, bitOffset: 0)])
    let same = builder.structure("pair", size: 0, members: [])
    let split = try BTF(parsing: Bytes(builder.build()), base: base)
    #expect(local == 8)
    #expect(split.typeCount == 10)
    #expect(try split.name(of: split.type(6)) == "pair")
    #expect(try split.name(of: split.type(8)) == "local")
    #expect(try split.firstID(named: "local", kind: .structure) == 8)
    #expect(try split.ids(named: "pair") == [6, same])
    #expect(try split.size(of: split.members(of: split.type(8))[0].typeID) == 24)
    #expect(try base.firstID(named: "local", kind: .structure) == nil)
  }

  @Test func `a cycle of typedefs is an error, not a hang`() throws {
    var builder = BTFBuilder()
    _ = builder.reference(.typedef, to: 2, name: "a")
    _ = builder.reference(.const, to: 3)
    _ = builder.array(of: 1, index: 1, count: 1)
    let loop = builder.reference(.const, to: 4)
    let btf = try BTF(parsing: Bytes(builder.build()))
    #expect(throws: EBPFError.self) { try btf.size(of: 1) }
    #expect(throws: EBPFError.self) { try btf.alignment(of: 1) }
    #expect(throws: EBPFError.self) { try btf.skipModifiers(loop) }
  }

  @Test func `a type cut short says which and where`() throws {
    var builder = BTFBuilder()
    _ = builder.add(.structure, name: "s", count: 2, sizeOrType: 8, words: [0, 0, 0])
    let error = #expect(throws: EBPFError.self) { try BTF(parsing: Bytes(builder.build())) }
    #expect(
      error?.description == """
        malformed: type 1 needs 36 bytes, but the type section ends after 24
          type         1
          offset       0x18
        """)
  }
}
