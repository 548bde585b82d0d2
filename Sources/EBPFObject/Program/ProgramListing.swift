/// A program's instructions as text, with the source lines and names that the object has for them.
public struct ProgramListing: Sendable {
  /// One instruction.
  public struct Row: Sendable, Hashable {
    /// The function that begins here; nil in the middle of one.
    public var function: String?
    /// The source line that begins here; nil where the line before goes on.
    public var source: Source?
    /// The instruction's index in the program.
    public var index: Int
    /// The instruction, as llvm-objdump prints it, but with the name of what it refers to.
    public var text: String
    /// What its address or call refers to, by name; nil for nothing.
    public var reference: String?
  }

  /// A place in the source.
  public struct Source: Sendable, Hashable {
    /// The file, as the compiler was given it.
    public var file: String
    /// The line's number.
    public var line: Int
    /// The column's number.
    public var column: Int
    /// The line itself, without the blanks before it; empty when the object does not have it.
    public var text: String
  }

  /// The rows, in order of instruction.
  public let rows: [Row]

  /// Lists a program; `btf` is its object's. There are no source lines without it, nor where its
  /// strings do not have them.
  public init(_ program: ProgramSpec, btf: BTF?) {
    var rows: [Row] = []
    rows.reserveCapacity(program.instructions.count)
    let functions = Dictionary(program.functions.map { ($0.start, $0.name) }) { first, _ in first }
    let references = Dictionary(
      program.references.map { ($0.instruction, $0.target) }
    ) { first, _ in first }
    var line = program.lines.startIndex
    for printed in Disassembler().lines(program.instructions) {
      var source: Source?
      while line < program.lines.endIndex, program.lines[line].instruction <= printed.index {
        if let btf, program.lines[line].instruction == printed.index {
          source = Self.source(program.lines[line], btf)
        }
        line += 1
      }
      let instruction = program.instructions[printed.index]
      let reference =
        references[printed.index]?.text ?? Self.callee(instruction, at: printed.index, functions)
      rows.append(
        Row(
          function: functions[printed.index], source: source, index: printed.index,
          text: reference.map { Self.text(of: instruction, referringTo: $0) } ?? printed.text,
          reference: reference))
    }
    self.rows = rows
  }

  private static func text(of instruction: Instruction, referringTo name: String) -> String {
    instruction.isCall ? "call \(name)" : "r\(instruction.destination) = \(name) ll"
  }

  private static func source(_ line: ProgramSpec.Line, _ btf: BTF) -> Source? {
    do throws(EBPFError) {
      let text = try btf.text(at: line.textOffset)
      return Source(
        file: try btf.text(at: line.fileNameOffset), line: line.line, column: line.column,
        text: String(text.drop { $0 == " " || $0 == "\t" }))
    } catch {
      // A damaged object, of which ``ObjectReport`` says so; its instructions are there all the same.
      return nil
    }
  }

  /// What a call without a reference goes to: a helper, or another function of the program.
  private static func callee(
    _ instruction: Instruction, at index: Int, _ functions: [Int: String]
  ) -> String? {
    if instruction.isWideLoad, instruction.source == Instruction.Pseudo.function {
      return functions[index + 1 + Int(instruction.immediate)]
    }
    guard instruction.isCall else { return nil }
    switch instruction.source {
    case 0: return HelperTable.name(of: instruction.immediate).map { "bpf_" + $0 }
    case Instruction.Pseudo.call: return functions[index + 1 + Int(instruction.immediate)]
    default: return nil
    }
  }
}

extension ProgramSpec.Reference.Target {
  /// The target by name: `map events`, `.rodata + 8`.
  fileprivate var text: String {
    switch self {
    case .map(let name): "map \(name)"
    case .mapValue(let name, let offset): offset == 0 ? name : "\(name) + \(offset)"
    case .configuration(let name, _), .kernelVariable(let name, _, _),
      .kernelFunction(let name, _, _):
      name
    }
  }
}
