import EBPFObject
import Testing

@Suite struct ELFFileTests {
  @Test func `this test's own executable reads as libelf reads it`() throws {
    let bytes = try FileBytes.read("/proc/self/exe")
    let ours = try ELFFile(Bytes(bytes))
    let theirs = try #require(LibELF(bytes))
    #expect(ours.comparableSections == theirs.sections())
    #expect(ours.segments.map(\.comparable) == theirs.segments())
    #expect(ours.section(named: ".text")?.isExecutable == true)
    #expect(ours.section(named: ".tex") == nil)
    let table = try #require(try ours.symbolTable)
    #expect(table.count > 1000)
    let indexes = Array(stride(from: 0, to: table.count, by: 97))
    #expect(
      try table.comparable(indexes)
        == theirs.symbols(
          inSection: table.section.index, strings: Int(table.section.link), indexes: indexes))
  }
}
