import EBPFObject
import TestSupport
import Testing

@Suite struct BTFPrinterTests {
  @Test func `the kernel's types are printed as bpftool prints them`() throws {
    let path = "/sys/kernel/btf/vmlinux"
    try Self.compare(
      try BTF(parsing: Bytes(try contents(ofFile: path))),
      try Command.run(["bpftool", "btf", "dump", "file", path, "format", "raw"]).bytes)
  }

  @Test(arguments: ["core_differential.bpf.o", "globals.bpf.o", "maps_btf.bpf.o"])
  func `an object's types are printed as bpftool prints them`(fixture: String) throws {
    let elf = try ELFFile(try Fixtures.bytes(fixture))
    let section = try #require(elf.section(named: ".BTF"))
    try Self.compare(
      try BTF(parsing: try elf.contents(of: section)),
      try Command.run(["bpftool", "btf", "dump", "file", Fixtures.path(fixture)]).bytes)
  }

  /// Compares type by type, so that the first difference is what is reported.
  private static func compare(_ btf: BTF, _ expected: [UInt8]) throws {
    let printer = BTFPrinter(btf)
    var position = 0
    var line: [UInt8] = []
    for id in 1..<btf.typeCount {
      line.removeAll(keepingCapacity: true)
      try printer.appendRaw(id, to: &line)
      line.append(0x0a)
      let end = min(position + line.count, expected.count)
      guard line.elementsEqual(expected[position..<end]) else {
        Issue.record(
          "\(String(decoding: line, as: UTF8.self)) is not \(String(decoding: expected[position..<min(end + 40, expected.count)], as: UTF8.self))"
        )
        return
      }
      position = end
    }
    #expect(position == expected.count)
  }

  @Test func `types are named as in C`() throws {
    var builder = BTFBuilder()
    let int = builder.int("int", size: 4, encoding: 1)
    let char = builder.int("char", size: 1)
    let const = builder.reference(.const, to: char)
    let pointer = builder.reference(.pointer, to: const)
    let constPointer = builder.reference(.const, to: pointer)
    let array = builder.array(of: char, index: int, count: 16)
    let pointerToArray = builder.reference(.pointer, to: array)
    let prototype = builder.prototype(returning: int, parameters: [("a", pointer), ("", 0)])
    let callback = builder.reference(.pointer, to: prototype)
    let callbacks = builder.array(of: callback, index: int, count: 2)
    let forward = builder.add(.forward, name: "u", kindFlag: true)
    let btf = try BTF(parsing: Bytes(builder.build()))
    #expect(try btf.typeName(0) == "void")
    #expect(try btf.typeName(constPointer) == "const char *const")
    #expect(try btf.declaration(of: constPointer, name: "p") == "const char *const p")
    #expect(try btf.typeName(array) == "char[16]")
    #expect(try btf.typeName(pointerToArray) == "char (*)[16]")
    #expect(try btf.typeName(callback) == "int (*)(const char *a, ...)")
    #expect(
      try btf.declaration(of: callbacks, name: "f") == "int (*f[2])(const char *a, ...)")
    #expect(try btf.typeName(forward) == "union u")
  }

  @Test func `a definition writes out what is anonymous`() throws {
    var builder = BTFBuilder()
    let int = builder.int("int", size: 4, encoding: 1)
    let inner = builder.structure(
      "", size: 4, members: [.init("low", int, bitOffset: 0, bitFieldSize: 3)])
    let array = builder.array(of: inner, index: int, count: 2)
    let mode = builder.enumeration("mode", isSigned: true, values: [("OFF", -1), ("ON", 1)])
    let outer = builder.structure(
      "outer", size: 20,
      members: [
        .init("", inner, bitOffset: 0), .init("table", array, bitOffset: 32),
        .init("mode", mode, bitOffset: 96),
      ])
    let printer = BTFPrinter(try BTF(parsing: Bytes(builder.build())))
    #expect(
      try printer.definition(of: outer) == """
        struct outer {
        \tstruct {
        \t\tint low: 3;
        \t};
        \tstruct {
        \t\tint low: 3;
        \t} table[2];
        \tenum mode mode;
        };
        """)
    #expect(try printer.definition(of: mode) == "enum mode {\n\tOFF = -1,\n\tON = 1,\n};")
  }

  @Test func `a struct that holds itself is an error, not a hang`() throws {
    var builder = BTFBuilder()
    let loop = builder.structure(
      "", size: 4, members: [.init("a", 1, bitOffset: 0), .init("b", 1, bitOffset: 0)])
    let printer = BTFPrinter(try BTF(parsing: Bytes(builder.build())))
    #expect(throws: EBPFError.self) { try printer.definition(of: loop) }
  }
}
