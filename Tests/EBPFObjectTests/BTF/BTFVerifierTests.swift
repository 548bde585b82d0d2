import EBPFObject
import TestSupport
import Testing

@Suite struct BTFVerifierTests {
  private static func findings(_ build: (inout BTFBuilder) -> Void) throws -> [String] {
    var builder = BTFBuilder()
    build(&builder)
    return BTFVerifier.findings(in: try BTF(parsing: Bytes(builder.build()))).map(\.description)
  }

  @Test func `sound types have no findings`() throws {
    let found = try Self.findings { builder in
      let int = builder.int("int", size: 4, encoding: 1)
      let pointer = builder.reference(.pointer, to: 3)
      _ = builder.structure(
        "node", size: 16,
        members: [.init("value", int, bitOffset: 0), .init("next", pointer, bitOffset: 64)])
      let prototype = builder.prototype(returning: int, parameters: [("a", pointer)])
      _ = builder.function("f", prototype: prototype)
    }
    #expect(found.isEmpty)
  }

  @Test func `every bad type is found, with its place`() throws {
    let found = try Self.findings { builder in
      _ = builder.int("int", size: 4, bits: 33)
      _ = builder.structure("not valid", size: 4, members: [])
    }
    #expect(
      found == [
        """
        malformed: the kernel refuses BTF type 1, a INT: 33 bits in 4 bytes
          type         1
          offset       0x18
        """,
        """
        malformed: the kernel refuses BTF type 2, a STRUCT: the name 'not valid'
          type         2
          offset       0x28
        """,
      ])
  }

  @Test func `a struct that contains itself is found`() throws {
    let found = try Self.findings { builder in
      _ = builder.structure("s", size: 4, members: [.init("self", 1, bitOffset: 0)])
    }
    #expect(found.count == 1)
    #expect(found.first?.contains("it contains itself") == true)
  }

  /// Objects whose BTF, as compiled, is what gets damaged.
  private static let bases = ["core_differential.bpf.o", "count_raw_tp.bpf.o"]

  @Test(.enabled(if: isRoot, "loading BTF needs root"), arguments: bases)
  func `damaged types are judged as the kernel judges them`(fixture: String) throws {
    // As a loader completes it: what is compared is the damage, not the missing sizes.
    let base = try #require(try ObjectFile(parsing: try Fixtures.bytes(fixture)).kernelBTF())
    var blobs: [[UInt8]] = []
    var random = Random(state: 0x5eed)
    // The header's word at 12 is the length of the types.
    let words = (Int(base[12]) | Int(base[13]) << 8) / 4
    for round in 0..<2000 {
      var blob = base
      for _ in 0..<min(round, 1 + random.next(below: 2)) {
        let offset = 24 + random.next(below: words) * 4
        switch random.next(below: 4) {
        case 0: blob[offset] = UInt8(random.next(below: 64))
        case 1: blob[offset + random.next(below: 4)] ^= UInt8(1 << random.next(below: 8))
        case 2: blob[offset + 3] = UInt8(random.next(below: 20))
        default: blob[offset + random.next(below: 4)] = UInt8(random.next(below: 256))
        }
      }
      blobs.append(blob)
    }
    let verdicts = try Self.kernel(blobs)
    #expect(verdicts.count == blobs.count)
    var (agreed, refused) = (0, 0)
    var differences: [String] = []
    for (index, (errno, log)) in verdicts.enumerated() {
      let mine: String?
      do {
        mine = BTFVerifier.findings(in: try BTF(parsing: Bytes(blobs[index]))).first?.message
      } catch { mine = error.message }
      if errno != 0 { refused += 1 }
      if (mine != nil) == (errno != 0) {
        agreed += 1
      } else {
        differences.append("\(index): kernel \(errno) '\(log)', we: \(mine ?? "sound")")
      }
    }
    #expect(
      differences.isEmpty,
      "\(agreed) of \(blobs.count) agree: \(differences.prefix(12).joined(separator: "\n"))")
    // Else the comparison would prove little.
    #expect(refused > 200 && refused < 1950)
  }

  private static func kernel(_ blobs: [[UInt8]]) throws -> [(errno: Int, log: String)] {
    var input: [UInt8] = []
    for blob in blobs {
      let size = UInt32(blob.count)
      input += (0..<4).map { UInt8(truncatingIfNeeded: size >> ($0 * 8)) } + blob
    }
    let folder = try TemporaryDirectory()
    let file = try folder.write(input, to: "blobs")
    let parent = Fixtures.directory.split(separator: "/").dropLast().joined(separator: "/")
    let source = String(
      decoding: try contents(ofFile: "/\(parent)/Oracles/btf_verdicts.c"), as: UTF8.self)
    let program = try Oracle.build(name: "btf_verdicts", source: source)
    return try Command.output([program, file]).split(separator: "\n").map { line in
      let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
      return (try #require(Int(words[0])), words.count > 1 ? String(words[1]) : "")
    }
  }
}
