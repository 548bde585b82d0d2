import EBPFObject
import TestSupport
import Testing

@Suite struct ProgramListingTests {
  @Test func `a listing names functions, source lines and what is referred to`() throws {
    let object = try ObjectFile(parsing: Fixtures.bytes("subprograms.bpf.o"), name: "subprograms.o")
    let program = try object.program(named: "first")
    let listing = ProgramListing(program, btf: object.btf)
    #expect(
      listing.rows.compactMap(\.function) == program.functions.map(\.name))
    #expect(listing.rows.first?.text == "r1 = 0x9")
    let call = try #require(listing.rows.first { $0.reference == "shared" })
    #expect(call.text == "call shared")
    let source = try #require(listing.rows.first?.source)
    #expect(source.file.hasSuffix("subprograms.bpf.c"))
    #expect(source.text == "answers[0] = hidden_answer(weak_answer(shared(9)));")
    let load = try #require(listing.rows.first { $0.reference == "subprogr.bss" })
    #expect(load.text.hasSuffix(" = subprogr.bss ll"))
  }

  @Test func `a source line that the strings do not have is left out, and is a finding`() throws {
    var bytes = try contents(ofFile: Fixtures.path("subprograms.bpf.o"))
    // The first line's text: after the header, the size of a record, and the section's own header.
    let elf = try ELFFile(Bytes(bytes))
    let section = try #require(elf.section(named: ".BTF.ext"))
    let start = Int(section.offset)
    func word(_ offset: Int) -> Int {
      (0..<4).reduce(0) { $0 | Int(bytes[start + offset + $1]) << (8 * $1) }
    }
    let lines = word(4) + word(16) + 4 + 8
    bytes.replaceSubrange(
      (start + lines + 8)..<(start + lines + 12), with: [0xff, 0xff, 0xff, 0x7f])
    let object = try ObjectFile(parsing: Bytes(bytes), name: "damaged.o")
    let listings = object.programs.map { ProgramListing($0, btf: object.btf) }
    #expect(zip(listings, object.programs).allSatisfy { $0.rows.count <= $1.instructions.count })
    let report = ObjectReport(Bytes(bytes), name: "damaged.o")
    #expect(!report.isValid)
    let finding = try #require(report.findings.first?.error)
    #expect(finding.message == "a source line is at 2147483647, past the end of the BTF strings")
    #expect(finding.context.contains(.section(".BTF.ext")))
  }

  @Test func `without references a listing is what llvm-objdump prints`() throws {
    let object = try ObjectFile(parsing: Fixtures.bytes("subprograms.bpf.o"))
    let program = try object.program(named: "first")
    let listing = ProgramListing(program, btf: nil)
    let printed = Disassembler().lines(program.instructions)
    #expect(listing.rows.count == printed.count)
    for (row, line) in zip(listing.rows, printed) where row.reference == nil {
      #expect(row.text == line.text)
      #expect(row.source == nil)
    }
  }
}
