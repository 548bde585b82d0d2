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

  @Test func `sections get their sizes and offsets from the symbols, in order`() throws {
    var builder = BTFBuilder()
    let int = builder.int("int", size: 4, encoding: 1)
    let (a, b) = (builder.variable("a", type: int), builder.variable("b", type: int))
    _ = builder.dataSection(".data", size: 0, variables: [(a, 0, 4), (b, 0, 4)])
    let prototype = builder.prototype(returning: int, parameters: [("", int)])
    _ = builder.function("hidden", prototype: prototype)
    let extern = builder.function("kfunc", prototype: prototype, linkage: .extern)
    let symbol = builder.variable("jiffies", type: 0, linkage: .extern)
    _ = builder.dataSection(".ksyms", size: 0, variables: [(extern, 0, 0), (symbol, 0, 0)])
    let btf = try BTF(parsing: Bytes(builder.build()))
    let fixup = BTFSectionFixup(
      sections: [.init(name: ".data", size: 8, offsets: ["a": 4, "b": 0])],
      hiddenSymbols: ["hidden", "a"])
    let fixed = try BTF(parsing: Bytes(try fixup.apply(to: btf)))
    let printer = BTFPrinter(fixed)
    #expect(
      try (2..<fixed.typeCount).map { try printer.raw($0) } == [
        "[2] VAR 'a' type_id=1, linkage=static",
        "[3] VAR 'b' type_id=1, linkage=global",
        "[4] DATASEC '.data' size=8 vlen=2\n\ttype_id=3 offset=0 size=4 (VAR 'b')\n"
          + "\ttype_id=2 offset=4 size=4 (VAR 'a')",
        "[5] FUNC_PROTO '(anon)' ret_type_id=1 vlen=1\n\t'dummy_ksym' type_id=1",
        "[6] FUNC 'hidden' type_id=5 linkage=static",
        "[7] FUNC 'kfunc' type_id=5 linkage=global",
        "[8] VAR 'jiffies' type_id=10, linkage=global",
        "[9] DATASEC '.ksyms' size=8 vlen=2\n\ttype_id=11 offset=0 size=4 (VAR 'dummy_ksym')\n"
          + "\ttype_id=8 offset=4 size=4 (VAR 'jiffies')",
        "[10] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED",
        "[11] VAR 'dummy_ksym' type_id=10, linkage=global",
      ])
  }

  @Test func `a variable without a symbol is an error`() throws {
    var builder = BTFBuilder()
    let int = builder.int("int", size: 4, encoding: 1)
    let lost = builder.variable("lost", type: int)
    _ = builder.dataSection(".bss", size: 0, variables: [(lost, 0, 4)])
    let btf = try BTF(parsing: Bytes(builder.build()))
    let error = #expect(throws: EBPFError.self) {
      try BTFSectionFixup(sections: [.init(name: ".bss", size: 4, offsets: [:])]).apply(to: btf)
    }
    #expect(
      error?.description == """
        malformed: BTF has a variable 'lost' in this section, but there is no such symbol
          section      .bss
          type         2
          hint         the object was stripped or changed after it was compiled; compile it again
        """)
  }
}
