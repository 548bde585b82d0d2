import EBPFObject
import Glibc
import TestSupport
import Testing

/// Our relocator and libbpf on the same objects and the same targets, instruction by instruction.
@Suite struct COREDifferentialTests {
  /// What came of one target: nil if a relocation was refused, else the programs' bytes by name.
  private typealias Verdict = [String: [UInt8]]?

  private struct Code {
    let name: String
    var instructions: [Instruction]
    let records: [CORERecord]
    /// Symbols of functions: name, first instruction, count.
    let functions: [(String, Int, Int)]
    /// Instructions that a loader changes for other reasons.
    let linked: Set<Int>
  }

  private static func oracle() throws -> String {
    let directory = Fixtures.directory.split(separator: "/").dropLast().joined(separator: "/")
    let source = String(
      decoding: try contents(ofFile: "/\(directory)/Oracles/core_relocations.c"), as: UTF8.self)
    return try Oracle.build(name: "core_relocations", source: source)
  }

  private static func read(_ fixture: String) throws -> (BTF, [Code]) {
    let elf = try ELFFile(try Fixtures.bytes(fixture))
    let section = try #require(elf.section(named: ".BTF"))
    let btf = try BTF(parsing: try elf.contents(of: section))
    let ext = try BTFExt(
      parsing: try elf.contents(of: try #require(elf.section(named: ".BTF.ext"))), btf: btf)
    let symbols = try #require(try elf.symbolTable)
    var all: [Code] = []
    for records in ext.relocations {
      let section = try #require(elf.section(named: records.name))
      var functions: [(String, Int, Int)] = []
      for index in 0..<symbols.count {
        let symbol = try symbols.symbol(at: index)
        if symbol.isFunction, symbol.sectionIndex == section.index {
          functions.append(
            (try symbols.name(of: symbol), Int(symbol.value) / 8, Int(symbol.size) / 8))
        }
      }
      var linked: Set<Int> = []
      for table in elf.sections
      where table.type == ELFFile.SectionType.relocations && table.info == section.index {
        for relocation in try elf.relocations(in: table) {
          linked.formUnion([Int(relocation.offset) / 8, Int(relocation.offset) / 8 + 1])
        }
      }
      all.append(
        Code(
          name: records.name, instructions: try decode(elf.contents(of: section)),
          records: try records.records.map {
            CORERecord(
              instruction: Int($0.byteOffset) / 8, typeID: $0.typeID,
              access: try btf.string(at: $0.accessOffset),
              kind: try #require(CORERecord.Kind(rawValue: $0.kind)))
          }, functions: functions, linked: linked))
    }
    return (btf, all)
  }

  private static func decode(_ bytes: Bytes) throws -> [Instruction] {
    var reader = ByteReader(bytes)
    var all: [Instruction] = []
    while reader.remaining > 0 {
      var one = Instruction(opcode: try reader.read())
      one.registers = try reader.read()
      one.offset = try reader.read()
      one.immediate = try reader.read()
      all.append(one)
    }
    return all
  }

  private static func ours(
    _ btf: BTF, _ code: [Code], _ target: BTF
  ) throws -> Result<[String: [UInt8]], EBPFError> {
    var relocator = CORERelocator(local: btf, targets: [target])
    var programs: [String: [UInt8]] = [:]
    for section in code {
      var instructions = section.instructions
      do throws(EBPFError) {
        _ = try relocator.apply(to: &instructions, records: section.records)
      } catch { return .failure(error) }
      for (name, start, count) in section.functions {
        programs[name] = instructions[start..<start + count].flatMap { one in
          [one.opcode, one.registers] + bytes(UInt16(bitPattern: one.offset))
            + bytes(UInt32(bitPattern: one.immediate))
        }
      }
    }
    return .success(programs)
  }

  private static func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    (0..<Value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Value($0 * 8)) }
  }

  /// libbpf's verdicts, by target; those it cannot parse are left out.
  private static func libbpf(_ fixture: String, _ targets: [String]) throws -> [Int: Verdict] {
    let output = try Command.output([try oracle(), Fixtures.path(fixture)] + targets)
    var verdicts: [Int: Verdict] = [:]
    var current = 0
    for line in output.split(separator: "\n") {
      let words = line.split(separator: " ", omittingEmptySubsequences: false)
      if words[0] == "target" {
        current = try #require(Int(words[1]))
        if words[2] == "ok" { verdicts[current] = .some([:]) }
        if words[2] == "refused" { verdicts[current] = .some(nil) }
      } else {
        let hex = Array(words[3].utf8)
        let digits = hex.map { $0 < 0x3a ? $0 - 0x30 : $0 - 0x57 }
        let bytes = stride(from: 0, to: digits.count, by: 2).map {
          digits[$0] << 4 | digits[$0 + 1]
        }
        verdicts[current]??[String(words[2])] = bytes
      }
    }
    return verdicts
  }

  private static func compare(
    _ mine: Result<[String: [UInt8]], EBPFError>, _ theirs: Verdict, _ code: [Code],
    _ label: String
  ) throws {
    guard case .success(let mine) = mine, let theirs else {
      if case .failure(let error) = mine {
        // Such a blob is refused by libbpf since 1.3, not by older ones.
        if error.message.hasPrefix("string offset") { return }
        #expect(theirs == nil, "\(label): only we refuse: \(error)")
      } else {
        Issue.record("\(label): only libbpf refuses")
      }
      return
    }
    for section in code {
      for (name, start, count) in section.functions {
        // libbpf has no program for a subprogram, and appends subprograms to programs.
        guard let (ours, other) = mine[name].flatMap({ one in theirs[name].map { (one, $0) } })
        else { continue }
        for index in 0..<count where !section.linked.contains(start + index) {
          let range = index * 8..<index * 8 + 8
          #expect(Array(ours[range]) == Array(other[range]), "\(label): \(name) \(index)")
        }
      }
    }
  }

  @Test(.enabled(if: isRoot, "libbpf relocates only while it loads, as root"))
  func `every CO-RE fixture is relocated for this kernel as libbpf does it`() throws {
    let kernel = try BTF(parsing: Bytes(try contents(ofFile: "/sys/kernel/btf/vmlinux")))
    let fixtures = Fixtures.names(endingWith: ".bpf.o").filter { $0.hasPrefix("core_") }
    #expect(fixtures.contains("core_differential.bpf.o"))
    for fixture in fixtures {
      let (btf, code) = try Self.read(fixture)
      let theirs = try Self.libbpf(fixture, [])
      let verdict = try #require(theirs[0], "libbpf cannot open \(fixture)")
      try Self.compare(try Self.ours(btf, code, kernel), verdict, code, "\(fixture)")
    }
  }

  @Test(.enabled(if: isRoot, "libbpf relocates only while it loads, as root"))
  func `changed types are followed, or refused, as libbpf does it`() throws {
    let fixture = "core_differential.bpf.o"
    let (btf, code) = try Self.read(fixture)
    let folder = try TemporaryDirectory()
    var targets: [(path: String, bytes: [UInt8])] = []
    for seed in 0..<200 {
      let bytes = try Self.mutant(of: btf, seed: UInt64(seed))
      targets.append((try folder.write(bytes, to: "\(seed).btf"), bytes))
    }
    let theirs = try Self.libbpf(fixture, targets.map(\.path))
    var accepted = 0
    for (index, target) in targets.enumerated() {
      guard let verdict = theirs[index] else { continue }
      let parsed = try BTF(parsing: Bytes(target.bytes))
      let mine = try Self.ours(btf, code, parsed)
      if case .success = mine { accepted += 1 }
      try Self.compare(mine, verdict, code, "target \(index)")
    }
    // Else the comparison would prove little.
    #expect(theirs.count > 150)
    #expect(accepted > 75)
  }

  /// The object's own types as the target, with a few words changed; a flavour is renamed first, so
  /// that the unchanged types fit.
  private static func mutant(of btf: BTF, seed: UInt64) throws -> [UInt8] {
    var bytes = btf.bytes.array
    let flavour = Array("outer___other".utf8)
    if let place = bytes.indices.first(where: { bytes[$0...].starts(with: flavour) }) {
      bytes.replaceSubrange(place..<place + flavour.count, with: Array("outer_X_other".utf8))
    }
    var random = Random(state: seed &* 0x9e37_79b9_7f4a_7c15 | 1)
    // The header's words 2 and 3 place the types.
    let words = (bytes.count > 24 ? Int(bytes[12]) | Int(bytes[13]) << 8 : 0) / 4
    for _ in 0..<random.next(below: 4) {
      let offset = 24 + random.next(below: words) * 4
      switch random.next(below: 3) {
      case 0: bytes[offset] = UInt8(random.next(below: 128))
      case 1: bytes[offset] ^= UInt8(1 << random.next(below: 8))
      default: bytes[offset + random.next(below: 4)] = UInt8(random.next(below: 32))
      }
    }
    // libbpf before 1.8 does not know the wider kinds and counts.
    for id in 1..<btf.typeCount {
      let info = Int(btf.fileOffset(of: try btf.type(id))) - btf.bytes.origin + 4
      bytes[info + 2] = 0
      bytes[info + 3] &= 0x9f
    }
    return bytes
  }
}

/// A small generator with a seed, so that a failure can be repeated.
struct Random {
  var state: UInt64

  mutating func next(below bound: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state % UInt64(bound))
  }
}

/// Whether these tests may load objects.
let isRoot = geteuid() == 0
