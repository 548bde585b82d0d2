import EBPFObject
import TestSupport
import Testing

@Suite struct DisassemblerTests {
  @Test func `every instruction of every fixture prints as llvm-objdump prints it`() throws {
    var count = 0
    for name in Fixtures.names(endingWith: ".bpf.o") {
      count += try expectSameAsObjdump(Fixtures.path(name))
    }
    #expect(count > 100)
  }

  @Test(arguments: ["bpfel", "bpfeb"])
  func `every opcode with every operand that matters prints as llvm-objdump prints it`(
    target: String
  ) throws {
    let instructions = Self.allInstructions()
    let order: ByteOrder = target == "bpfel" ? .little : .big
    let bytes = Instruction.encode(instructions, order: order)
    let directory = try TemporaryDirectory()
    var source = ".text\n"
    for index in stride(from: 0, to: bytes.count, by: 8) {
      source += ".byte " + bytes[index..<index + 8].map(String.init).joined(separator: ",") + "\n"
    }
    let path = try directory.write(source, to: "all.s")
    let object = directory.file("all.o")
    _ = try Command.output(["clang", "-target", target, "-c", path, "-o", object])
    let count = try expectSameAsObjdump(object)
    #expect(count > 20_000)
  }

  @Test(arguments: [ByteOrder.little, .big])
  func `encoding undoes decoding`(order: ByteOrder) throws {
    let instructions = Self.allInstructions()
    let bytes = Instruction.encode(instructions, order: order)
    #expect(try Instruction.decode(Bytes(bytes), order: order) == instructions)
  }

  @Test func `a register pair is swapped in a big-endian object`() throws {
    let bytes: [UInt8] = [0x7b, 0xa1, 0xff, 0xf8, 0, 0, 0, 7]
    let decoded = try Instruction.decode(Bytes(bytes), order: .big)
    #expect(
      decoded
        == [Instruction(opcode: 0x7b, destination: 10, source: 1, offset: -8, immediate: 7)])
  }

  @Test func `half an instruction is an error that says so`() {
    let error = #expect(throws: EBPFError.self) {
      try Instruction.decode(Bytes([UInt8](repeating: 0, count: 12)), order: .little)
    }
    #expect(
      error?.description == """
        malformed: 12 bytes of code are no whole number of 8-byte instructions
          offset       0x0
          hint         the section is damaged; compile the object again
        """)
  }

  @Test func `an atomic with undefined bits is unknown`() {
    let instruction = Instruction(
      opcode: 0xdb, destination: 1, source: 2, immediate: 0x1001)
    #expect(Disassembler().text(of: instruction) == "<unknown>")
  }

  @Test func `a wide load cut in half is unknown`() {
    let lines = Disassembler().lines([Instruction(opcode: 0x18, destination: 1)])
    #expect(lines.map(\.text) == ["<unknown>"])
  }

  @Test func `a jump's target is counted from the next instruction`() {
    let lines = Disassembler().lines([
      Instruction(opcode: 0x05, offset: 1), Instruction(opcode: 0x06, immediate: -2),
      Instruction(opcode: 0x85, immediate: 1), Instruction(opcode: 0x95),
    ])
    #expect(lines.map(\.target) == [2, 0, nil, nil])
  }

  /// Every opcode, with registers, offsets and immediates at the edges of their meaning.
  static func allInstructions() -> [Instruction] {
    var instructions: [Instruction] = []
    let atomics: [Int32] = [
      0, 1, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe0, 0xe1, 0xf0, 0xf1, 0x100, 0x110,
    ]
    let immediates: [Int32] = atomics + [16, 32, 64, 8, -1, -7, .min, .max, 0x2_0001]
    let offsets: [Int16] = [0, 1, 8, 16, 32, 64, -1, -4, .min, .max]
    for opcode in UInt8.min...UInt8.max where opcode != 0x18 {
      // LLVM ignores some undefined bits of an atomic's immediate; here they are an error.
      let isAtomic = opcode & 7 == 3 && opcode & 0xe0 == 0xc0
      for immediate in isAtomic ? atomics : immediates {
        for offset: Int16 in [0, 1, -8] {
          instructions.append(
            Instruction(
              opcode: opcode, destination: 1, source: 2, offset: offset, immediate: immediate))
        }
      }
      for offset in offsets {
        instructions.append(
          Instruction(opcode: opcode, destination: 9, source: 10, offset: offset))
      }
      for register: UInt8 in 0...15 {
        instructions.append(Instruction(opcode: opcode, destination: register, source: 3))
        instructions.append(Instruction(opcode: opcode, destination: 3, source: register))
      }
    }
    for source: UInt8 in 0...15 {
      for (low, high): (Int32, Int32) in [(5, 7), (-1, -1), (-1, 0), (0, .min), (0, .max)] {
        instructions.append(
          Instruction(opcode: 0x18, destination: 1, source: source, immediate: low))
        instructions.append(Instruction(opcode: 0, immediate: high))
      }
    }
    instructions.append(Instruction(opcode: 0x18, destination: 12))
    instructions.append(Instruction(opcode: 0))
    instructions.append(Instruction(opcode: 0x18, destination: 1, offset: 1))
    instructions.append(Instruction(opcode: 0))
    return instructions
  }
}

/// Compares every code section of an object with `llvm-objdump`; gives the number of lines.
private func expectSameAsObjdump(_ path: String) throws -> Int {
  let file = try ELFFile(Bytes(try contents(ofFile: path)))
  var ours: [String] = []
  for section in file.sections where section.isExecutable && section.size > 0 {
    let instructions = try Instruction.decode(
      try file.contents(of: section), order: file.order)
    for line in Disassembler().lines(instructions) {
      ours.append("\(section.name) \(line.index): \(line.text)")
    }
  }
  let clang = try Command.output(["which", "clang"])
  let objdump = clang.dropLast("clang\n".count) + "llvm-objdump"
  let output = try Command.output([
    String(objdump), "-d", "-z", "--no-show-raw-insn", "--mcpu=v4", path,
  ])
  var theirs: [String] = []
  var section = ""
  for line in output.split(separator: "\n") {
    if line.hasPrefix("Disassembly of section ") {
      section = String(line.dropFirst("Disassembly of section ".count).dropLast())
    }
    // "      12:\tif w7 == 0x0 goto +0x5 <name+0x78>": a label is the symbol table's business.
    guard let colon = line.firstIndex(of: ":"), let index = Int(line[..<colon].trimmed) else {
      continue
    }
    var text = line[line.index(after: colon)...].trimmed
    if text.hasSuffix(">"), text != "<unknown>", let label = text.range(of: " <") {
      text = text[..<label.lowerBound]
    }
    theirs.append("\(section) \(index): \(text)")
  }
  let different = zip(ours, theirs).filter { $0 != $1 }
  #expect(different.isEmpty, "\(path): \(different.prefix(10))")
  #expect(ours.count == theirs.count, "\(path)")
  return theirs.count
}

extension Substring {
  fileprivate var trimmed: Substring {
    var result = drop { $0 == " " || $0 == "\t" }
    while result.last == " " { result.removeLast() }
    return result
  }

  fileprivate func range(of text: String) -> Range<Index>? {
    ranges(of: text).last
  }
}
