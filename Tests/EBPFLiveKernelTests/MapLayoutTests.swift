import EBPF
import TestSupport
import Testing

/// Capability 13: a Swift type is compared with the C type that the object says a map holds.
@Suite struct MapLayoutTests {
  // struct key and struct value of maps_btf.bpf.c.
  private struct Key: BTFRepresentable {
    var a: UInt32
    var b: UInt16
    var c: UInt16
    static var btfFields: [BTFField] {
      [BTFField("a", \Self.a), BTFField("b", \Self.b), BTFField("c", \Self.c)]
    }
  }
  private struct Value: BTFRepresentable {
    var count: UInt64
    var name: InlineArray<8, UInt8>
    static var btfFields: [BTFField] {
      [BTFField("count", \Self.count), BTFField("name", \Self.name)]
    }
  }
  // The sizes are right, and the fields are not.
  private struct SwappedKey: BTFRepresentable {
    var b: UInt16
    var c: UInt16
    var a: UInt32
    static var btfFields: [BTFField] {
      [BTFField("a", \Self.a), BTFField("b", \Self.b), BTFField("c", \Self.c)]
    }
  }
  private struct NarrowValue: BTFRepresentable {
    var count: UInt32
    var spare: UInt32
    var name: InlineArray<8, UInt8>
    static var btfFields: [BTFField] {
      [BTFField("count", \Self.count), BTFField("name", \Self.name)]
    }
  }

  private let object: LoadedObject

  init() throws { object = try LoadedObject(LoadedObjectTests.object("maps_btf.bpf.o")) }

  @Test func `the C type's fields in Swift are read and written`() throws {
    let map = try object.map("hash", key: Key.self, value: Value.self)
    _ = try object.program("use_maps").testRun()
    let value = try #require(try map.value(for: Key(a: 1, b: 2, c: 3)))
    #expect(value.count == 4)
    #expect(value.name[0] == UInt8(ascii: "f"))
    #expect(value.name[4] == 0)
    let perCPU = try object.perCPUMap("percpu_array", key: UInt32.self, value: Value.self)
    #expect(try perCPU.values(for: 0)?.allSatisfy { $0.count == 0 } == true)
  }

  @Test func `fields in another order are refused, though the size is right`() {
    let error = #expect(throws: EBPFError.self) {
      _ = try object.map("hash", key: SwappedKey.self, value: Value.self)
    }
    #expect(
      error?.description == """
        layout_mismatch: SwappedKey.a is 4 bytes at 4, but 'key.a' is 4 bytes at 0
          map          hash
        """)
  }

  @Test func `a field of another size is refused, in per-CPU maps too`() {
    let error = #expect(throws: EBPFError.self) {
      _ = try object.map("hash", key: Key.self, value: NarrowValue.self)
    }
    #expect(
      error?.message == "NarrowValue.count is 4 bytes at 0, but 'value.count' is 8 bytes at 0")
    let perCPU = #expect(throws: EBPFError.self) {
      _ = try object.perCPUMap("percpu_array", key: UInt32.self, value: NarrowValue.self)
    }
    #expect(perCPU?.message == error?.message)
    #expect(perCPU?.context == [.map("percpu_array")])
  }

  @Test func `a map declared by sizes alone is compared by sizes`() throws {
    struct Words: BTFRepresentable {
      var words: InlineArray<3, UInt32>
      static var btfFields: [BTFField] { [BTFField("words", \Self.words)] }
    }
    let map = try object.map("array_of_sizes", key: UInt32.self, value: Words.self)
    #expect(try map.value(for: 0)?.words[2] == 0)
    let error = #expect(throws: EBPFError.self) {
      _ = try object.map("array_of_sizes", key: UInt32.self, value: Value.self)
    }
    #expect(error?.code == .layoutMismatch)
  }
}
