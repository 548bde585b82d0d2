import EBPFObject
import Testing

@Suite struct BTFLayoutTests {
  private struct Connection: BTFRepresentable {
    var pid: UInt32
    var port: UInt16
    var pad: UInt16
    static var btfFields: [BTFField] {
      [BTFField("pid", \Self.pid), BTFField("port", \Self.port), BTFField("pad", \Self.pad)]
    }
  }

  private struct Padded: BTFRepresentable {
    var pid: UInt32
    var port: UInt16
    static var btfFields: [BTFField] { [BTFField("pid", \Self.pid), BTFField("port", \Self.port)] }
  }

  private static func connection(
    portSize: UInt32 = 2, pad: Bool = true
  ) throws -> (BTFLayout, UInt32) {
    var builder = BTFBuilder()
    let word = builder.int("u32", size: 4)
    let half = builder.int("u16", size: 2)
    var members: [BTFBuilder.Member] = [
      .init("pid", word, bitOffset: 0),
      .init("port", portSize == 2 ? half : word, bitOffset: 32),
    ]
    if pad { members.append(.init("pad", half, bitOffset: 48)) }
    let id = builder.structure("connection", size: 8, members: members)
    return (BTFLayout(try BTF(parsing: Bytes(builder.build()))), id)
  }

  private static func message<Value: BitwiseCopyable>(
    _ type: Value.Type, _ layout: BTFLayout, _ id: UInt32, isKey: Bool = false
  ) -> String? {
    do throws(EBPFError) {
      try layout.check(type, against: id, isKey: isKey)
      return nil
    } catch { return error.description }
  }

  @Test func `equal layouts pass, as keys too`() throws {
    let (layout, id) = try Self.connection()
    #expect(Self.message(Connection.self, layout, id, isKey: true) == nil)
    #expect(Self.message(UInt64.self, layout, id) == nil)
  }

  @Test func `a field of another size names both sides`() throws {
    let (layout, id) = try Self.connection(portSize: 4, pad: false)
    #expect(
      Self.message(Padded.self, layout, id)
        == "layout_mismatch: Padded.port is 2 bytes at 4, but 'connection.port' is 4 bytes at 4")
  }

  @Test func `padding is refused in a key, not in a value`() throws {
    let (layout, id) = try Self.connection(pad: false)
    #expect(Self.message(Padded.self, layout, id) == nil)
    #expect(
      Self.message(Padded.self, layout, id, isKey: true) == """
        layout_mismatch: Padded has padding at 6, and the kernel would hash it
          hint         give the padding a name in C and in Swift, and keep it zero
        """)
  }

  @Test func `a C field without a property is an error`() throws {
    let (layout, id) = try Self.connection()
    #expect(
      Self.message(Padded.self, layout, id) == """
        layout_mismatch: 'connection.pad' has no field in Padded
          hint         name every C field, padding too, in btfFields
        """)
  }

  @Test func `a plain type must have the size`() throws {
    let (layout, id) = try Self.connection()
    #expect(
      Self.message(UInt32.self, layout, id)
        == "layout_mismatch: UInt32 has 4 bytes, but 'struct connection' has 8")
  }
}
