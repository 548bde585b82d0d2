import EBPFObject
import TestSupport
import Testing

@Suite struct ProgramListingTests {
  @Test func `a listing names functions, source lines and what is referred to`() throws {
    let object = try ObjectFile(parsing: Fixtures.bytes("subprograms.bpf.o"), name: "subprograms.o")
    let program = try object.program(named: "first")
    let listing = try ProgramListing(program, btf: object.btf)
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

  @Test func `without references a listing is what llvm-objdump prints`() throws {
    let object = try ObjectFile(parsing: Fixtures.bytes("subprograms.bpf.o"))
    let program = try object.program(named: "first")
    let listing = try ProgramListing(program, btf: nil)
    let printed = Disassembler().lines(program.instructions)
    #expect(listing.rows.count == printed.count)
    for (row, line) in zip(listing.rows, printed) where row.reference == nil {
      #expect(row.text == line.text)
      #expect(row.source == nil)
    }
  }
}
