import EBPFObject
import TestSupport
import Testing

/// Every fixture read by us and by libbpf.
@Suite struct ObjectFileOracleTests {
  static let fixtures = Fixtures.names(endingWith: ".bpf.o")

  /// The lines the C program printed for each file, without the file's own line.
  static func libbpf(_ mode: String) throws -> [String: (isAccepted: Bool, lines: [String])] {
    let source = String(
      decoding: try contents(ofFile: Fixtures.directory + "/../Oracles/libbpf_object.c"),
      as: UTF8.self)
    let oracle = try Oracle.build(name: "libbpf_object", source: source)
    let output = try Command.output([oracle, mode] + fixtures.map { Fixtures.path($0) })
    var answers: [String: (isAccepted: Bool, lines: [String])] = [:]
    var file = ""
    for line in output.split(separator: "\n") {
      if line.hasPrefix("F ") {
        let parts = line.split(separator: " ")
        file = String(parts[1])
        answers[file] = (parts[2] != "refused", [])
      } else {
        answers[file]?.lines.append(String(line))
      }
    }
    return answers
  }

  @Test func `maps and programs are those that libbpf sees`() throws {
    let answers = try Self.libbpf("open")
    #expect(answers.count == Self.fixtures.count)
    var compared = 0
    for name in Self.fixtures {
      guard let answer = answers[name], answer.isAccepted else { continue }
      compared += 1
      let object = try ObjectFile(
        parsing: Fixtures.bytes(name), name: Fixtures.path(name))
      var lines: [String] = []
      for map in object.maps {
        // The installed libbpf is older than sections "?.struct_ops" and ".struct_ops.link", and passes
        // over them.
        if map.type == .structOps, map.sectionName != ".struct_ops" { continue }
        // libbpf rounds ring buffers when it opens an object; the rest it leaves to the load.
        let size = map.type == .ringBuffer ? map.normalized(cpuCount: 1).maxEntries : map.maxEntries
        lines.append(
          "M \(map.name) \(map.type.rawValue) \(map.keySize) \(map.valueSize) \(size) \(map.flags)")
      }
      let maps = answer.lines.filter { $0.hasPrefix("M ") }
      #expect(lines.sorted() == maps.sorted(), "\(name)")
      let programs = answer.lines.filter { $0.hasPrefix("P ") && !$0.contains(" .text ") }
      let ours = object.programs.filter { $0.sectionName != ".text" }
      #expect(programs.count == ours.count, "\(name)")
      for (line, program) in zip(programs, ours) {
        let parts = line.split(separator: " ").map(String.init)
        #expect(parts[1] == program.name)
        #expect(parts[2] == program.sectionName.drop { $0 == "?" })
        #expect(parts[5] == (program.autoload ? "1" : "0"), "\(line)")
        #expect(parts[6] == String(program.functions[0].count), "\(line)")
        // Type 0: a section name younger than the installed libbpf.
        guard parts[3] != "0" else { continue }
        #expect(parts[3] == String(program.type.rawValue), "\(line)")
        // Of a function of a kernel structure: which member of the object's structure it is.
        let attachType =
          object.maps.lazy.filter { $0.type == .structOps && $0.sectionName == ".struct_ops" }
          .compactMap { map in map.slots.first { $0.value == .program(program.name) }?.key }
          .first ?? program.attachType.rawValue
        #expect(parts[4] == String(attachType), "\(line)")
      }
    }
    #expect(compared > 40)
  }

  @Test func `linked instructions are those that libbpf loads`() throws {
    let answers = try Self.libbpf("load")
    var compared = 0
    for name in Self.fixtures {
      guard let answer = answers[name], answer.isAccepted else { continue }
      let object = try ObjectFile(
        parsing: Fixtures.bytes(name), name: Fixtures.path(name))
      for line in answer.lines where line.hasPrefix("I ") {
        let parts = line.split(separator: " ")
        let program = try object.program(named: String(parts[1]))
        // CO-RE and kernel symbols depend on the kernel: their instructions are compared elsewhere.
        var masked = Set(program.relocations.flatMap { [$0.instruction, $0.instruction + 1] })
        for reference in program.references {
          switch reference.target {
          case .kernelFunction, .kernelVariable:
            masked.formUnion([reference.instruction, reference.instruction + 1])
          default: break
          }
        }
        let ours = program.instructions.map { instruction in
          Self.hex(instruction.opcode, 2) + Self.hex(instruction.registers, 2)
            + Self.hex(UInt16(bitPattern: instruction.offset), 4)
            + Self.hex(UInt32(bitPattern: instruction.immediate), 8)
        }
        let theirs = parts.dropFirst(2).map(String.init)
        #expect(ours.count == theirs.count, "\(name) \(program.name)")
        for (index, pair) in zip(ours, theirs).enumerated() where !masked.contains(index) {
          guard pair.0 == pair.1 else {
            Issue.record("\(name) \(program.name) \(index): \(pair.0), libbpf \(pair.1)")
            break
          }
        }
        compared += 1
      }
    }
    #expect(compared > 100)
  }

  static func hex(_ value: some UnsignedInteger, _ width: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: width - text.count) + text
  }
}
