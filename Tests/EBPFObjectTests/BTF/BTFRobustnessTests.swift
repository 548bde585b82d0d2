import EBPFObject
import TestSupport
import Testing

/// Damaged bytes end in an error or in nonsense, never in a trap, a hang or without memory.
@Suite struct BTFRobustnessTests {
  private static func sections(_ fixture: String) throws -> (btf: [UInt8], ext: [UInt8]) {
    let elf = try ELFFile(try Fixtures.bytes(fixture))
    return (
      try elf.contents(of: try #require(elf.section(named: ".BTF"))).array,
      try elf.contents(of: try #require(elf.section(named: ".BTF.ext"))).array
    )
  }

  /// Asks everything of a blob that parses; returns how many questions were answered.
  private static func exercise(_ bytes: [UInt8], _ ext: [UInt8]) -> Int {
    guard let btf = try? BTF(parsing: Bytes(bytes)) else { return 0 }
    var answers = 0
    func ask<Result>(_ question: () throws -> Result) {
      if (try? question()) != nil { answers += 1 }
    }
    let printer = BTFPrinter(btf)
    for id in 0..<min(btf.typeCount, 300) {
      ask { try printer.raw(id) }
      ask { try printer.definition(of: id) }
      ask { try btf.typeName(id) }
      ask { try btf.size(of: id) }
      ask { try btf.alignment(of: id) }
      ask { try btf.skipModifiers(id) }
      ask { try btf.ids(named: btf.name(of: btf.type(id))) }
      ask { try BTFLayout(btf).check(UInt64.self, against: id) }
    }
    _ = BTFVerifier.findings(in: btf)
    ask { try BTFSanitizer(features: []).sanitize(btf) }
    ask { () throws in
      let ext = try BTFExt(parsing: Bytes(ext), btf: btf)
      var relocator = CORERelocator(local: btf, targets: [btf], comparisonLimit: 50_000)
      for record in ext.relocations.flatMap(\.records) {
        guard let kind = CORERecord.Kind(rawValue: record.kind),
          let access = try? btf.string(at: record.accessOffset)
        else { continue }
        ask {
          try relocator.resolve(
            CORERecord(instruction: 0, typeID: record.typeID, access: access, kind: kind))
        }
      }
    }
    return answers
  }

  @Test(arguments: ["count_raw_tp.bpf.o", "core_bitfields.bpf.o"])
  func `changed bytes never trap`(fixture: String) throws {
    let (btf, ext) = try Self.sections(fixture)
    var random = Random(state: 0xfeed)
    var answers = 0
    for _ in 0..<500 {
      var (changed, changedExt) = (btf, ext)
      for _ in 0...random.next(below: 4) {
        changed[random.next(below: changed.count)] = UInt8(random.next(below: 256))
        changedExt[random.next(below: changedExt.count)] ^= UInt8(1 << random.next(below: 8))
      }
      answers += Self.exercise(changed, random.next(below: 2) == 0 ? ext : changedExt)
    }
    #expect(answers > 10_000)
  }

  @Test(arguments: ["count_raw_tp.bpf.o", "core_differential.bpf.o"])
  func `a blob cut anywhere is an error`(fixture: String) throws {
    let (btf, ext) = try Self.sections(fixture)
    let whole = try BTF(parsing: Bytes(btf))
    for length in btf.indices {
      #expect(throws: EBPFError.self) { try BTF(parsing: Bytes(Array(btf[..<length]))) }
    }
    for length in ext.indices where length % 7 == 0 {
      #expect(throws: EBPFError.self) {
        try BTFExt(parsing: Bytes(Array(ext[..<length])), btf: whole)
      }
    }
  }

  @Test func `10,000 small damages to a header and its first types never trap`() throws {
    let (btf, _) = try Self.sections("count_raw_tp.bpf.o")
    var random = Random(state: 1)
    var parsed = 0
    for _ in 0..<10_000 {
      var changed = btf
      changed[random.next(below: 64)] = UInt8(random.next(below: 256))
      guard let blob = try? BTF(parsing: Bytes(changed)) else { continue }
      parsed += 1
      _ = try? blob.size(of: 1)
      _ = try? blob.firstID(named: "int", kind: .int)
    }
    #expect(parsed > 100)
  }

  @Test func `an unknown kind is sized by the layout section, or refused`() throws {
    func word(_ value: UInt32) -> [UInt8] {
      (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
    // Kind 25: 4 bytes, and 8 for each of its 2 elements; then an integer.
    let unknown = [0, 25 << 24 | 2, 0, 1, 2, 3, 4, 5].flatMap { word(UInt32($0)) }
    let types = unknown + [1, 1 << 24, 4, 32].flatMap { word(UInt32($0)) }
    let strings = Array("\0int\0".utf8)
    let layout = [UInt8](repeating: 0, count: 25 * 4) + [4, 8, 0, 0]
    let sizes = [types, strings, layout].map { UInt32($0.count) }
    let header = { (length: UInt32) in
      word(0x1_eb9f) + word(length) + word(0) + word(sizes[0]) + word(sizes[0]) + word(sizes[1])
    }
    let known =
      header(32) + word(sizes[0] + sizes[1]) + word(sizes[2]) + types + strings + layout
    let btf = try BTF(parsing: Bytes(known))
    #expect(btf.typeCount == 3)
    #expect(try btf.firstID(named: "int", kind: .int) == 2)
    let error = #expect(throws: EBPFError.self) {
      try BTF(parsing: Bytes(header(24) + types + strings))
    }
    #expect(
      error?.description == """
        unsupported: type 1 has kind 25, which is not known
          type         1
          offset       0x18
          hint         the blob has no layout section that says how long it is; update this library
        """)
  }
}
