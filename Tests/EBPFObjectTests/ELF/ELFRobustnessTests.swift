import EBPFObject
import TestSupport
import Testing

@Suite struct ELFRobustnessTests {
  @Test func `every truncation of an object is read or refused`() throws {
    let bytes = try contents(ofFile: Self.object())
    var refused = 0
    for count in 0..<bytes.count {
      refused += Self.exercise(Array(bytes[..<count])).isEmpty ? 0 : 1
    }
    // The section headers are at the end: nothing shorter opens.
    #expect(refused == bytes.count)
    #expect(Self.exercise(bytes).isEmpty)
  }

  @Test func `sixteen thousand damaged objects are read or refused in time`() throws {
    try Self.damage(try contents(ofFile: Self.object()), times: 16_000)
  }

  @Test func `four thousand damaged executables are read or refused in time`() throws {
    // With a dynamic section, versions, notes and program headers, and next to no code.
    let directory = try TemporaryDirectory()
    let path = try ELFNotesTests.buildProbes(in: directory)
    try Self.damage(try contents(ofFile: path), times: 4_000)
  }

  @Test func `a million bytes of one name that all symbols share take no time`() throws {
    let directory = try TemporaryDirectory()
    let object = directory.file("shared.o")
    let names = (0..<4000).map { "f\($0):\n.type f\($0),@function\n" }.joined()
    let long = String(repeating: "x", count: 1_000_000)
    _ = try Command.output(
      ["clang", "-target", "x86_64-linux-gnu", "-x", "assembler", "-c", "-", "-o", object],
      input: Array((names + ".globl \"g@\(long)\"\n\"g@\(long)\":\n").utf8))
    var bytes = try contents(ofFile: object)
    let file = try ELFFile(Bytes(bytes))
    let table = try #require(try file.symbolTable)
    let strings = try file.section(at: Int(table.section.link))
    let content = try file.contents(of: strings).array
    let start = try #require(
      content.indices.first { content[$0...].starts(with: "g@xxxx".utf8) })
    for index in 1..<table.count {
      let place = Int(table.section.offset) + index * 24
      for byte in 0..<4 { bytes[place + byte] = UInt8(truncatingIfNeeded: start >> (8 * byte)) }
    }
    let damaged = try ELFFile(Bytes(bytes))
    let symbols = try #require(try damaged.symbolTable)
    let clock = ContinuousClock()
    let begin = clock.now
    #expect(try damaged.functions(named: "g").isEmpty)
    #expect(throws: EBPFError.self) { try symbols.name(of: symbols.symbol(at: 1)) }
    #expect(clock.now - begin < .seconds(1))
  }

  @Test func `lists of versions that run into each other end`() throws {
    // 4096 needs, each of which points at one list of 4096 entries.
    let count = 4096
    var table: [UInt8] = []
    func append(_ value: Int, _ size: Int) {
      for index in 0..<size { table.append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
    }
    for index in 0..<count {
      append(1, 2)
      append(1, 2)
      append(0, 4)
      append((count - index) * 16, 4)
      append(index == count - 1 ? 0 : 16, 4)
    }
    for index in 0..<count {
      append(0, 4)
      append(0, 2)
      append(index + 2, 2)
      append(0, 4)
      append(index == count - 1 ? 0 : 16, 4)
    }
    let directory = try TemporaryDirectory()
    let raw = try directory.write(table, to: "needs")
    let source = try directory.write(
      """
      .section .gnu.version,"a",@0x6fffffff
      .2byte 0, 2
      .section .gnu.version_r,"a",@0x6ffffffe
      .incbin "\(raw)"

      """, to: "versions.s")
    let object = directory.file("versions.o")
    _ = try Command.output(["clang", "-target", "x86_64-linux-gnu", "-c", source, "-o", object])
    let file = try ELFFile(Bytes(contents(ofFile: object)))
    let error = #expect(throws: EBPFError.self) { try file.symbolVersions }
    #expect(error?.message == "the lists of needed versions run into each other")
  }

  @Test func `anomalies are listed whole`() throws {
    var bytes = try contents(ofFile: Self.object())
    #expect(try ELFFile(Bytes(bytes)).anomalies() == [])
    let file = try ELFFile(Bytes(bytes))
    let table = bytes.count - 64 * file.sections.count
    let filled = file.sections.filter { $0.type == ELFFile.SectionType.programBits && $0.size > 0 }
    let first = try #require(filled.max { $0.size < $1.size })
    let second = try #require(filled.first { $0.index > first.index })
    // The first gets a name outside the strings and an odd alignment, the second its place.
    let header = table + 64 * first.index
    bytes.replaceSubrange(header..<header + 4, with: [0xff, 0xff, 0xff, 0])
    bytes[header + 48] = 3
    let other = table + 64 * second.index
    bytes.replaceSubrange(other + 24..<other + 32, with: Array(bytes[header + 24..<header + 32]))
    let offset = "0x" + String(first.offset, radix: 16)
    #expect(
      try ELFFile(Bytes(bytes)).anomalies().map(\.description) == [
        """
        malformed: the section's name is outside the section names
          section      #\(first.index)
          offset       \(offset)
        """,
        """
        malformed: the section's alignment 3 is no power of two
          section      #\(first.index)
          offset       \(offset)
        """,
        """
        malformed: the section shares bytes with section ''
          section      \(second.name)
          offset       \(offset)
          hint         the section headers are damaged, or made to confuse
        """,
      ])
  }

  @Test func `what is no ELF file is refused with the place and a remedy`() {
    let error = #expect(throws: EBPFError.self) {
      try ELFFile(Bytes(Array("#!/bin/sh\necho hello\n".utf8)))
    }
    #expect(
      error?.description == """
        malformed: not an ELF file: it does not begin with 7f 45 4c 46
          offset       0x0
          hint         pass an object file made by clang -target bpf, an executable or a library
        """)
  }

  /// Damages `times` copies of a file in a few places each; the same places in every run.
  private static func damage(_ bytes: [UInt8], times: Int) throws {
    let file = try ELFFile(Bytes(bytes))
    let headers: Int = try Int(Bytes(bytes).load(at: 40, as: UInt64.self))
    let headerBytes = UInt64(64 * file.sections.count)
    var random = SplitMix(state: 0x5eed)
    let clock = ContinuousClock()
    var slowest = Duration.zero
    var refused = 0
    for _ in 0..<times {
      var damaged = bytes
      for _ in 0...Int(random.next() % 4) {
        // Half of the damage goes where it hurts: the file header and the section headers.
        let place =
          switch random.next() % 4 {
          case 0: Int(random.next() % 64)
          case 1: headers + Int(random.next() % headerBytes)
          default: Int(random.next() % UInt64(bytes.count))
          }
        let edges: [UInt8] = [0, 1, 0x7f, 0x80, 0xff, UInt8(truncatingIfNeeded: random.next())]
        damaged[place] = edges[Int(random.next() % UInt64(edges.count))]
      }
      var errors: [EBPFError] = []
      let time = clock.measure { errors = exercise(damaged) }
      slowest = max(slowest, time)
      refused += errors.isEmpty ? 0 : 1
    }
    #expect(refused > times / 20)
    #expect(slowest < .seconds(1))
  }

  private static func object() -> String { Fixtures.path("ringbuf_events.bpf.o") }

  /// Calls everything there is, and gives the errors.
  private static func exercise(_ bytes: [UInt8]) -> [EBPFError] {
    var errors: [EBPFError] = []
    func attempt(_ body: () throws(EBPFError) -> Void) {
      do throws(EBPFError) { try body() } catch { errors.append(error) }
    }
    attempt { () throws(EBPFError) in
      let file = try ELFFile(Bytes(bytes))
      errors += file.anomalies()
      attempt { () throws(EBPFError) in _ = try file.buildID }
      attempt { () throws(EBPFError) in _ = try file.usdtProbes() }
      attempt { () throws(EBPFError) in _ = try file.symbolVersions }
      attempt { () throws(EBPFError) in _ = try file.dynamicInformation() }
      attempt { () throws(EBPFError) in _ = try file.debugLink }
      attempt { () throws(EBPFError) in _ = try file.interpreter }
      attempt { () throws(EBPFError) in _ = try file.functions(named: "send_event") }
      for section in file.sections {
        _ = file.section(named: section.name)
        attempt { () throws(EBPFError) in
          let content = try file.contents(
            of: section, using: Decompressor { (_, _) throws(EBPFError) in Bytes([]) })
          guard section.isExecutable else { return }
          let code = try Instruction.decode(content, order: file.order)
          _ = Disassembler().lines(code)
        }
        switch section.type {
        case ELFFile.SectionType.symbolTable, ELFFile.SectionType.dynamicSymbols:
          attempt { () throws(EBPFError) in
            let table = try file.symbols(in: section)
            try table.forEachSymbol { (symbol) throws(EBPFError) in
              _ = try table.name(of: symbol)
              _ = symbol.placement
            }
          }
        case ELFFile.SectionType.relocations, ELFFile.SectionType.relocationsWithAddend:
          attempt { () throws(EBPFError) in _ = try file.relocations(in: section) }
        default: break
        }
      }
    }
    return errors
  }
}

/// A small generator with a fixed start: the same damage in every run.
private struct SplitMix {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }
}
