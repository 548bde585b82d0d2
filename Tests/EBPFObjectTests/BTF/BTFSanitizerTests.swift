import EBPFObject
import Testing

@Suite struct BTFSanitizerTests {
  /// One type of each kind that kernels learned late.
  private static func sample() throws -> BTF {
    var builder = BTFBuilder()
    let int = builder.int("int", size: 4, encoding: 1)
    let variable = builder.variable("counter", type: int)
    _ = builder.dataSection("?.data.x", size: 4, variables: [(variable, 0, 4)])
    let prototype = builder.prototype(returning: int, parameters: [("a", int), ("", int)])
    _ = builder.function("f", prototype: prototype)
    _ = builder.add(.float, name: "double", sizeOrType: 8)
    _ = builder.declarationTag("tag", on: variable)
    _ = builder.reference(.typeTag, to: int, name: "user")
    _ = builder.enumeration("e", isSigned: true, values: [("A", -1)])
    _ = builder.enumeration("w", size: 8, wide: true, values: [("B", 1 << 40)])
    return try BTF(parsing: Bytes(builder.build()))
  }

  private static func dump(_ features: BTFFeatures) throws -> [String] {
    let bytes = try BTFSanitizer(features: features).sanitize(sample())
    let btf = try BTF(parsing: Bytes(bytes))
    let printer = BTFPrinter(btf)
    return try (1..<btf.typeCount).map { try printer.raw($0) }
  }

  @Test func `a kernel that knows all gets the same bytes`() throws {
    let btf = try Self.sample()
    #expect(try BTFSanitizer(features: .all).sanitize(btf) == btf.bytes.array)
  }

  @Test func `a kernel that knows nothing gets only the oldest kinds, under the same ids`() throws {
    #expect(
      try Self.dump([]) == [
        "[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED",
        "[2] INT 'counter' size=1 bits_offset=0 nr_bits=8 encoding=(none)",
        "[3] STRUCT '__data_x' size=4 vlen=1\n\t'counter' type_id=2 bits_offset=0",
        "[4] ENUM '(anon)' encoding=UNSIGNED size=4 vlen=2\n\t'a' val=1\n\t'parameter' val=1",
        "[5] TYPEDEF 'f' type_id=4",
        "[6] STRUCT '(anon)' size=8 vlen=0",
        "[7] INT 'tag' size=1 bits_offset=0 nr_bits=8 encoding=(none)",
        "[8] CONST '(anon)' type_id=1",
        "[9] ENUM 'e' encoding=UNSIGNED size=4 vlen=1\n\t'A' val=4294967295",
        "[10] UNION 'w' size=8 vlen=1\n\t'B' type_id=11 bits_offset=0",
        "[11] INT 'enum64_placeholder' size=1 bits_offset=0 nr_bits=8 encoding=(none)",
      ])
  }

  @Test func `one missing feature changes one kind`() throws {
    let all = try Self.dump(.all)
    func changed(_ missing: BTFFeatures) throws -> [String] {
      try zip(all, Self.dump(BTFFeatures.all.subtracting(missing))).filter { $0 != $1 }.map(\.1)
    }
    #expect(try changed(.globalFunctions) == ["[5] FUNC 'f' type_id=4 linkage=static"])
    #expect(
      try changed(.optionalSectionNames) == [
        "[3] DATASEC '_.data.x' size=4 vlen=1\n\ttype_id=2 offset=0 size=4 (VAR 'counter')"
      ])
    #expect(try changed(.floats) == ["[6] STRUCT '(anon)' size=8 vlen=0"])
    #expect(try changed(.layout) == [])
  }
}
