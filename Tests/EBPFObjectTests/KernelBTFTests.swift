import EBPFObject
import TestSupport
import Testing

@Suite struct KernelBTFTests {
  @Test func `the running kernel takes the BTF of every fixture`() throws {
    let directory = try TemporaryDirectory()
    var files: [String] = []
    for name in Fixtures.names(endingWith: ".bpf.o") {
      let object = try ObjectFile(parsing: Fixtures.bytes(name), name: name)
      guard object.isNativeOrder, let btf = try object.kernelBTF() else { continue }
      files.append(try directory.write(btf, to: name))
    }
    #expect(files.count > 40)
    let source = try contents(ofFile: Fixtures.directory + "/../Oracles/btf_load.c")
    let oracle = try Oracle.build(
      name: "btf_load", source: String(decoding: source, as: UTF8.self))
    let lines = try Command.output([oracle] + files).split(separator: "\n")
    #expect(lines.count == files.count)
    for line in lines { #expect(line.hasSuffix(" taken")) }
  }

  @Test func `variables get the offsets of their symbols, in order`() throws {
    let object = try ObjectFile(parsing: Fixtures.bytes("globals.bpf.o"), name: "globals.bpf.o")
    let bytes = try #require(try object.kernelBTF())
    let btf = try BTF(parsing: Bytes(bytes))
    var checked = 0
    for map in object.maps where map.role != .map {
      // Merged strings have no variables, and so no description.
      guard let id = try btf.firstID(named: map.sectionName, kind: .dataSection) else {
        #expect(map.sectionName.hasPrefix(".rodata."))
        continue
      }
      let type = try btf.type(id)
      #expect(type.size == map.valueSize)
      var last: UInt32 = 0
      for entry in try btf.variables(of: type) {
        let name = try btf.name(of: try btf.type(entry.typeID))
        let global = try #require(
          object.globals.first { $0.name == name && $0.sectionName == map.sectionName })
        #expect(entry.offset == global.offset)
        #expect(entry.offset >= last)
        last = entry.offset
        checked += 1
      }
    }
    #expect(checked > 4)
    // Ids and strings stay where they are.
    #expect(btf.typeCount == object.btf?.typeCount)
  }
}
