import EBPF
import EBPFSystem

/// The instructions that the kernel runs, with names and source lines.
struct ProgramDump: Encodable {
  /// One instruction.
  struct Row: Encodable {
    /// The function that begins here.
    var function: String?
    /// The source line that begins here.
    var source: Source?
    let index: Int
    let text: String
  }

  /// A place in the source.
  struct Source: Encodable {
    let file: String
    let line: UInt32
    let column: UInt32
    let text: String
  }

  let id: UInt32
  let name: String
  let tag: String
  let instructions: [Row]

  init(_ descriptor: borrowing OwnedDescriptor) throws(EBPFError) {
    let found = try KernelProgram.information(
      descriptor, [.translated, .functions, .lines, .symbols])
    guard !found.translated.isEmpty else {
      throw EBPFError(
        .denied, "the kernel does not show the instructions of program \(found.id)",
        hint:
          "run as root, or with CAP_BPF and CAP_PERFMON, and with net.core.bpf_jit_harden at 0 or 1"
      )
    }
    id = found.id
    name = found.name
    tag = found.tag
    let btf = found.btfID == 0 ? nil : try KernelBTF.ifThere(id: found.btfID)
    let code = try Instruction.decode(Bytes(found.translated), order: .host)
    var functions: [Int: String] = [:]
    var lines: [Int: Source] = [:]
    if let btf {
      for record in found.functions {
        functions[Int(record.instruction)] = try btf.name(of: btf.type(record.typeID))
      }
      for record in found.lines {
        let text = try btf.string(at: record.textOffset)
        lines[Int(record.instruction)] = Source(
          file: try btf.string(at: record.fileNameOffset), line: record.lineAndColumn >> 10,
          column: record.lineAndColumn & 0x3ff,
          text: String(text.drop { $0 == " " || $0 == "\t" }))
      }
    }
    let names = try KernelCalls(code)
    instructions = Disassembler().lines(code).map { line in
      return Row(
        function: functions[line.index], source: lines[line.index], index: line.index,
        text: ProgramDump.named(code, line.index, functions, names) ?? line.text)
    }
  }

  /// An instruction that refers to something, by its name; nil for others.
  private static func named(
    _ code: [Instruction], _ index: Int, _ functions: [Int: String], _ calls: KernelCalls
  ) -> String? {
    let instruction = code[index]
    let next = index + 1 < code.count ? code[index + 1] : nil
    typealias Pseudo = Instruction.Pseudo
    if instruction.isWideLoad {
      let place = "r\(instruction.destination) = "
      switch instruction.source {
      case Pseudo.mapFD: return place + "map[id:\(instruction.immediate)] ll"
      case Pseudo.mapValue:
        return place + "map[id:\(instruction.immediate)][0]+\(next?.immediate ?? 0) ll"
      case Pseudo.function:
        return functions[index + 1 + Int(instruction.immediate)].map { place + $0 + " ll" }
      default: return nil
      }
    }
    // A move that the verifier makes for per-CPU addresses, and no program may contain.
    if instruction.opcode == 0xbf, instruction.offset == -1 {
      return "r\(instruction.destination) = &(void __percpu *)(r\(instruction.source))"
    }
    guard instruction.isCall else { return nil }
    switch instruction.source {
    // Compiled: the distance is in `offset`, and `immediate` is the function's number.
    case Pseudo.call: return functions[index + 1 + Int(instruction.offset)].map { "call \($0)" }
    case 0: return calls.name(of: instruction.immediate).map { "call \($0)" }
    default: return nil
    }
  }

  /// The listing.
  var text: String {
    var text = ""
    for row in instructions {
      if let function = row.function { text += "\(PlainText.line(function)):\n" }
      if let source = row.source {
        text += "; \(PlainText.line(source.text))"
        text += "  (\(PlainText.line(source.file)):\(source.line))\n"
      }
      let index = String(row.index)
      text += String(repeating: " ", count: max(0, 6 - index.count)) + index + ": \(row.text)\n"
    }
    return text
  }
}

/// What calls in translated code go to.
///
/// The verifier writes a helper's distance from `__bpf_call_base` where its number was; the kernel's
/// list of symbols tells which one it is.
private struct KernelCalls {
  private var names: [Int32: String] = [:]

  init(_ code: [Instruction]) throws(EBPFError) {
    let wanted = Set(
      code.filter {
        $0.isCall && $0.source == 0 && $0.immediate > 1024 || $0.isCall && $0.immediate < 0
      }
      .map(\.immediate))
    guard !wanted.isEmpty else { return }
    names = try KernelCallTargets.names(ofDistances: wanted)
  }

  func name(of immediate: Int32) -> String? {
    names[immediate] ?? HelperTable.name(of: immediate).map { "bpf_" + $0 }
  }
}
