import EBPFObject
import Testing

@Suite struct LinkerTests {
  @Test func `functions that call each other are linked once each`() throws {
    var builder = ObjectBuilder()
    // a calls b, b calls a: a cycle through both.
    let text = builder.addCode(".text", [.call(1), .exit, .call(-3), .exit])
    let main = builder.addCode("xdp", [.call(-1), .exit])
    let first = builder.addFunction("a", in: text, at: 0, count: 2)
    _ = builder.addFunction("b", in: text, at: 2, count: 2)
    _ = builder.addFunction("main", in: main, at: 0, count: 2)
    builder.addCalls(in: main, [(0, first)])
    let object = try ObjectFile(parsing: builder.build())
    let program = try object.program(named: "main")
    #expect(program.functions.map(\.name) == ["main", "a", "b"])
    #expect(program.instructions.map(\.immediate) == [1, 0, 1, 0, -3, 0])
  }

  @Test func `ten thousand nested calls need no stack`() throws {
    let depth = 10_000
    var builder = ObjectBuilder()
    var code: [Instruction] = []
    for _ in 0..<depth { code += [.call(1), .exit] }
    let text = builder.addCode(".text", code + [.zero, .exit])
    let main = builder.addCode("xdp", [.call(-1), .exit])
    let first = builder.addFunction("f0", in: text, at: 0, count: 2)
    for index in 1...depth {
      _ = builder.addFunction("f\(index)", in: text, at: index * 2, count: 2, isGlobal: false)
    }
    _ = builder.addFunction("main", in: main, at: 0, count: 2)
    builder.addCalls(in: main, [(0, first)])
    let object = try ObjectFile(parsing: builder.build())
    #expect(object.programs.first?.functions.count == depth + 2)
    #expect(object.programs.first?.instructions.count == 2 * depth + 4)
  }

  @Test func `many programs with one large function between them are refused`() throws {
    var builder = ObjectBuilder()
    let size = 20_000
    let text = builder.addCode(
      ".text", [Instruction](repeating: .zero, count: size - 1) + [.exit])
    let large = builder.addFunction("large", in: text, at: 0, count: size)
    let count = 1000
    let main = builder.addCode(
      "xdp", (0..<count).flatMap { _ in [Instruction.call(-1), .exit] })
    for index in 0..<count {
      _ = builder.addFunction("p\(index)", in: main, at: index * 2, count: 2)
    }
    builder.addCalls(in: main, (0..<count).map { ($0 * 2, large) })
    let bytes = builder.build()
    let error = #expect(throws: EBPFError.self) { try ObjectFile(parsing: bytes) }
    #expect(error?.code == .tooLarge)
    let report = ObjectReport(bytes)
    #expect(report.programs.count < 20)
    #expect(report.findings.contains { $0.error.code == .tooLarge })
  }

  @Test func `a call into the middle of a function is refused`() throws {
    var builder = ObjectBuilder()
    let text = builder.addCode(".text", [.zero, .zero, .exit])
    let main = builder.addCode("xdp", [.call(0), .exit])
    let function = builder.addFunction("f", in: text, at: 0, count: 3)
    _ = builder.addFunction("main", in: main, at: 0, count: 2)
    builder.addCalls(in: main, [(0, function)])
    let error = #expect(throws: EBPFError.self) { try ObjectFile(parsing: builder.build()) }
    #expect(
      error?.description == """
        malformed: the call goes to instruction 1 of its section, where no function begins
          section      xdp
          program      main
          instruction  0
          section      .text
          hint         the symbol table may have been stripped; do not run strip on a BPF object
        """)
  }

  @Test func `a function defined nowhere is named`() throws {
    var builder = ObjectBuilder()
    let main = builder.addCode("xdp", [.call(-1), .exit])
    _ = builder.addFunction("main", in: main, at: 0, count: 2)
    let missing = builder.addFunction("elsewhere", in: 0, at: 0, count: 0)
    builder.addCalls(in: main, [(0, missing)])
    let error = #expect(throws: EBPFError.self) { try ObjectFile(parsing: builder.build()) }
    #expect(error?.code == .unresolved)
    #expect(error?.context.contains(.symbol("elsewhere")) == true)
  }

  @Test func `a lone function in text is a program without a type`() throws {
    var builder = ObjectBuilder()
    let text = builder.addCode(".text", [.zero, .exit])
    _ = builder.addFunction("main", in: text, at: 0, count: 2)
    let object = try ObjectFile(parsing: builder.build())
    #expect(object.programs.map(\.type) == [.unspecified])
  }
}
