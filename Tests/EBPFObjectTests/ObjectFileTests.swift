import EBPFObject
import TestSupport
import Testing

@Suite struct ObjectFileTests {
  static func object(_ name: String) throws -> ObjectFile {
    try ObjectFile(parsing: Fixtures.bytes(name), name: Fixtures.path(name))
  }

  @Test func `legacy maps are read with their sizes and flags`() throws {
    let object = try Self.object("legacy_maps.bpf.o")
    let hash = try object.map(named: "legacy_hash")
    #expect(hash.type == .hash)
    #expect((hash.keySize, hash.valueSize) == (4, 8))
    #expect((hash.maxEntries, hash.flags) == (100, 1))
    let array = try object.map(named: "legacy_array")
    #expect(array.type == .array)
    #expect(array.maxEntries == 2)
    let program = try object.program(named: "count")
    #expect(program.references.map(\.target) == [.map("legacy_array"), .map("legacy_hash")])
  }

  @Test func `a static function in a program section is a program`() throws {
    let object = try Self.object("static_program.bpf.o")
    #expect(object.programs.map(\.name) == ["count"])
    #expect(object.programs.first?.type == .rawTracepoint)
  }

  @Test func `initial values name the programs and maps of slots`() throws {
    let programs = try Self.object("prog_array.bpf.o").map(named: "targets")
    #expect(programs.slots == [0: .program("target_zero"), 2: .program("target_two")])
    let maps = try Self.object("map_in_map.bpf.o")
    let outer = try maps.map(named: "outer_array")
    #expect(outer.slots == [0: .map("inner_a"), 2: .map("inner_b")])
    #expect(outer.inner.map(\.maxEntries) == [4])
    #expect(outer.inner.map(\.name) == ["outer_array.inner"])
    let hash = try maps.map(named: "outer_hash")
    #expect(hash.slots.isEmpty)
    #expect(hash.inner.first?.type == .hash)
    #expect(hash.inner.first?.maxEntries == 16)
  }

  @Test func `each program has the subprograms it reaches, once, and their lines`() throws {
    let object = try Self.object("subprograms.bpf.o")
    for program in object.programs {
      #expect(program.functions.first?.name == program.name)
      #expect(Set(program.functions.map(\.name)).count == program.functions.count)
      var end = 0
      for function in program.functions {
        #expect(function.start == end)
        #expect(function.typeID != 0)
        #expect(program.lines.contains { $0.instruction == function.start })
        end += function.count
      }
      #expect(end == program.instructions.count)
      let lines = program.lines.map(\.instruction)
      #expect(lines == lines.sorted())
    }
  }

  @Test func `a hidden global function is to be marked static`() throws {
    let object = try Self.object("subprograms.bpf.o")
    let btf = try #require(object.btf)
    let names = try object.functionsToMarkStatic.map { try btf.name(of: try btf.type($0)) }
    #expect(names == ["hidden_answer"])
  }

  @Test func `CO-RE records of subprograms move with them`() throws {
    let object = try Self.object("core_subprograms.bpf.o")
    for program in object.programs {
      for record in program.relocations {
        #expect(program.instructions.indices.contains(record.instruction))
      }
    }
    #expect(object.programs.contains { $0.functions.count > 1 && !$0.relocations.isEmpty })
  }

  @Test func `the byte order of an object is that of its instructions`() throws {
    let object = try Self.object("big_endian.bpf.o")
    #expect(object.order == .big)
    #expect(!object.isNativeOrder)
    // Its last instruction is exit, whatever the order.
    #expect(object.programs.first?.instructions.last?.opcode == 0x95)
  }

  @Test func `an error names the file`() {
    let error = #expect(throws: EBPFError.self) {
      try ObjectFile(parsing: Bytes([1, 2, 3]), name: "some/file.o")
    }
    #expect(error?.context.first == .file("some/file.o"))
  }

  @Test func `asking for what is not there lists what is`() throws {
    let object = try Self.object("prog_array.bpf.o")
    let error = #expect(throws: EBPFError.self) { try object.program(named: "dispatcher") }
    #expect(error?.code == .notFound)
    #expect(error?.hint == "it has target_zero, target_two, dispatch")
  }

  @Test(arguments: [
    (MapType.ringBuffer, UInt32(0), UInt32(0), UInt32(8192)),
    (.perfEventArray, 4, 4, 8), (.arrayOfMaps, 4, 4, 5000), (.cpuMap, 4, 16, 8),
    (.hash, 4, 16, 5000), (.arena, 0, 0, 5000),
  ])
  func `a map is given the sizes its type wants`(
    type: MapType, key: UInt32, value: UInt32, entries: UInt32
  ) {
    var map = MapSpec(name: "m", type: type)
    map.maxEntries = type == .perfEventArray ? 0 : 5000
    if [.ringBuffer, .arena, .cpuMap, .hash].contains(type) {
      map.keySize = 4
      map.valueSize = 16
    }
    let normalized = map.normalized(cpuCount: 8)
    #expect(normalized.keySize == key)
    #expect(normalized.valueSize == value)
    #expect(normalized.maxEntries == entries)
  }
}
