import EBPFObject
import Testing

@Suite struct BTFExtTests {
  private static func words(_ words: [UInt32]) -> [UInt8] {
    words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
  }

  private static func btf() throws -> (BTF, section: UInt32) {
    var builder = BTFBuilder(order: .little)
    let section = builder.string("xdp")
    return (try BTF(parsing: Bytes(builder.build())), section)
  }

  /// A .BTF.ext with one section in each part; records of `extra` more words than known.
  private static func blob(section: UInt32, extra: Int = 0, recordSize: UInt32? = nil) -> [UInt8] {
    let tail = [UInt32](repeating: 0xdead, count: extra)
    let size = UInt32(extra * 4)
    let functions = [recordSize ?? 8 + size, section, 1, 0, 7] + tail
    let lines = [16 + size, section, 2, 0, 1, 2, 3 << 10 | 4] + tail + [8, 1, 2, 5 << 10] + tail
    let relocations = [16 + size, section, 1, 24, 9, 5, 2] + tail
    let sizes = [functions, lines, relocations].map { UInt32($0.count * 4) }
    let header = [
      0x1_eb9f, 32, 0, sizes[0], sizes[0], sizes[1], sizes[0] + sizes[1], sizes[2],
    ]
    return words(header + functions + lines + relocations)
  }

  @Test(arguments: [0, 1, 5])
  func `records are read at their known fields, however long they are`(extra: Int) throws {
    let (btf, section) = try Self.btf()
    let ext = try BTFExt(parsing: Bytes(Self.blob(section: section, extra: extra)), btf: btf)
    #expect(ext.functions.map(\.name) == ["xdp"])
    #expect(ext.functions[0].records.map(\.typeID) == [7])
    #expect(ext.lines[0].records.map(\.byteOffset) == [0, 8])
    #expect(ext.lines[0].records.map { $0.lineAndColumn >> 10 } == [3, 5])
    let relocation = ext.relocations[0].records[0]
    #expect(relocation.byteOffset == 24)
    #expect(relocation.typeID == 9)
    #expect(relocation.accessOffset == 5)
    #expect(CORERecord.Kind(rawValue: relocation.kind) == .fieldExists)
  }

  @Test func `a record shorter than known is an error`() throws {
    let (btf, section) = try Self.btf()
    let error = #expect(throws: EBPFError.self) {
      try BTFExt(parsing: Bytes(Self.blob(section: section, recordSize: 4)), btf: btf)
    }
    #expect(
      error?.description == """
        malformed: a .BTF.ext record of 4 bytes; at least 8 are needed
          offset       0x20
        """)
  }

  @Test func `any cut is an error, never a trap`() throws {
    let (btf, section) = try Self.btf()
    let whole = Self.blob(section: section)
    for length in whole.indices {
      #expect(throws: EBPFError.self) {
        try BTFExt(parsing: Bytes(Array(whole[..<length])), btf: btf)
      }
    }
  }
}
