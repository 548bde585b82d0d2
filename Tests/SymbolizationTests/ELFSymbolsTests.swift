import EBPFObject
import EBPFSystem
import TestSupport
import Testing

@testable import Symbolization

@Suite struct ELFSymbolsTests {
  /// Function names by address and the addresses to ask for, from readelf.
  private struct Oracle {
    var starts: [UInt64: Set<String>] = [:]
    var addresses: [UInt64] = []

    init(_ path: String, _ table: String, step: Int) throws {
      let output = try Command.output(["readelf", "-sW", path])
      var isWanted = false
      var sizes: [(UInt64, UInt64)] = []
      for line in output.split(separator: "\n") {
        if line.hasPrefix("Symbol table") { isWanted = line.contains("'\(table)'") }
        let fields = line.split(separator: " ")
        guard isWanted, fields.count >= 8, ["FUNC", "IFUNC", "NOTYPE"].contains(fields[3]),
          fields[6] != "UND", let start = UInt64(fields[1], radix: 16)
        else { continue }
        let size =
          fields[2].hasPrefix("0x")
          ? UInt64(fields[2].dropFirst(2), radix: 16) : UInt64(fields[2])
        starts[start, default: []].insert(String(fields[7].prefix { $0 != "@" }))
        if fields[3] != "NOTYPE" { sizes.append((start, try #require(size))) }
      }
      for (start, size) in stride(from: 0, to: sizes.count, by: step).map({ sizes[$0] })
      where size > 0 {
        addresses += [start, start + size / 2, start + size - 1]
      }
    }
  }

  /// Compares with llvm-symbolizer; names of one start address count as equal.
  private func compare(
    _ path: String, table: String, step: Int, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let oracle = try Oracle(path, table, step: step)
    try #require(oracle.addresses.count > 10, sourceLocation: sourceLocation)
    let input = oracle.addresses.map { "0x" + String($0, radix: 16) }.joined(separator: "\n")
    let output = try Command.output(
      ["llvm-symbolizer", "--no-demangle", "--no-inlines", "--functions=linkage", "--obj=" + path],
      input: Array(input.utf8))
    let wanted = output.split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
    let symbols = try ELFSymbols(try ELFFile(try MappedFile.open(path)))
    let found = symbols.functions(at: oracle.addresses)
    #expect(symbols.indexSize > 0 || oracle.addresses.count <= FunctionSearch.scanLimit)
    var different = 0
    for (index, function) in found.enumerated() {
      // Name, place, empty line.
      let name = String(wanted[index * 3].prefix { $0 != "@" })
      let function = try #require(function, "\(oracle.addresses[index])")
      let plain = String(function.name.prefix { $0 != "@" })
      let names = oracle.starts[function.address] ?? []
      #expect(names.contains(plain), sourceLocation: sourceLocation)
      if plain != name, !names.contains(name) { different += 1 }
    }
    // Overlapping functions are a matter of taste: one in a thousand may differ.
    #expect(different <= oracle.addresses.count / 1000, sourceLocation: sourceLocation)
  }

  @Test func `a program with dynamic symbols only agrees with llvm-symbolizer`() throws {
    try compare("/bin/bash", table: ".dynsym", step: 2)
  }

  @Test func `a stripped C library agrees with llvm-symbolizer`() throws {
    try compare("/lib/x86_64-linux-gnu/libc.so.6", table: ".dynsym", step: 2)
  }

  @Test func `the Swift standard library agrees with llvm-symbolizer`() throws {
    try compare(try Toolchain.library("libswiftCore.so"), table: ".symtab", step: 9)
  }

  private static let source = """
    #include <stdlib.h>
    __attribute__((noinline)) static int hidden(int x) { return x * 3 + rand(); }
    __attribute__((noinline)) int shown(int x) { return hidden(x) + 1; }
    int main(int argc, char **argv) { free(malloc(argc)); return shown(argc) & 1; }
    """

  @Test(arguments: [["-pie", "-fPIE"], ["-no-pie"], ["-static"], ["-static-pie"]])
  func `programs built in each way agree with llvm-symbolizer`(flags: [String]) throws {
    let folder = try TemporaryDirectory()
    let source = try folder.write(Self.source, to: "program.c")
    let program = folder.file("program")
    _ = try Command.output(["cc", "-O1"] + flags + ["-o", program, source])
    try compare(program, table: ".symtab", step: 1)
  }

  @Test func `a stripped static program has no symbols, and says so`() throws {
    let folder = try TemporaryDirectory()
    let source = try folder.write(Self.source, to: "program.c")
    let program = folder.file("program")
    _ = try Command.output(["cc", "-O1", "-static", "-s", "-o", program, source])
    let symbols = try ELFSymbols(try ELFFile(try MappedFile.open(program)))
    #expect(symbols.source == .none)
    #expect(symbols.function(at: 0x401000) == nil)
  }

  @Test(arguments: [[], ["-Wl,-z,now"], ["-fcf-protection=full", "-Wl,-z,ibtplt"]])
  func `stubs of the linkage table have the names that objdump gives`(flags: [String]) throws {
    let folder = try TemporaryDirectory()
    let source = try folder.write(Self.source, to: "program.c")
    let program = folder.file("program")
    _ = try Command.output(["cc", "-O1", "-o", program, source] + flags)
    try compareStubs(program, atLeast: 2)
  }

  @Test func `the stubs of a large program have the names that objdump gives`() throws {
    try compareStubs("/bin/bash", atLeast: 100)
  }

  private func compareStubs(_ path: String, atLeast count: Int) throws {
    let output = try Command.output(
      ["objdump", "-d", "--no-show-raw-insn", path]
        + [".plt", ".plt.sec", ".plt.got"].map { "--section=" + $0 })
    let symbols = try ELFSymbols(try ELFFile(try MappedFile.open(path)))
    var compared = 0
    for line in output.split(separator: "\n") where line.hasSuffix("@plt>:") {
      let fields = line.split(separator: " ")
      let address = try #require(UInt64(fields[0], radix: 16))
      let name = String(fields[1].dropFirst().dropLast(2))
      #expect(symbols.function(at: address)?.name == name)
      #expect(symbols.function(at: address + 7)?.name == name)
      compared += 1
    }
    #expect(compared >= count)
    #expect(symbols.linkageError == nil)
  }

  @Test func `a scan and the index give the same answers`() throws {
    for path in [
      "/lib/x86_64-linux-gnu/libc.so.6", try Toolchain.library("libswiftCore.so"),
    ] {
      let file = try ELFFile(try MappedFile.open(path))
      let scanning = try ELFSymbols(file)
      let indexed = try ELFSymbols(file)
      indexed.buildIndex()
      let end = file.segments.filter(\.isExecutable).map { $0.virtualAddress + $0.memorySize }
      let limit = try #require(end.max())
      var random = SystemRandom(seed: 3)
      let addresses = (0..<64).map { _ in random.next() % limit } + [0, 1, .max]
      for chunk in [addresses.prefix(60), addresses.suffix(7)] {
        #expect(scanning.functions(at: Array(chunk)) == indexed.functions(at: Array(chunk)))
      }
      #expect(scanning.indexSize == 0)
      #expect(indexed.indexSize > 0)
    }
  }

  @Test func `of nested functions the innermost is taken, and gaps belong to nobody`() throws {
    let folder = try TemporaryDirectory()
    let source = try folder.write(
      """
      .text
      .globl outer; .type outer,@function
      outer: .skip 16
      .type inner,@function
      inner: .skip 16
      .size inner, 8
      .skip 32
      .size outer, 64
      .skip 32
      .globl weak_name; .weak weak_name; .type weak_name,@function
      weak_name: local_name: .globl __good; .type __good,@function
      __good: .skip 8
      .size weak_name, 8
      .size __good, 8
      .globl label
      label: .skip 8
      """, to: "a.s")
    let library = folder.file("a.so")
    _ = try Command.output(["cc", "-shared", "-nostdlib", "-o", library, source])
    let symbols = try ELFSymbols(try ELFFile(try MappedFile.open(library)))
    let outer = try #require(symbols.functions(named: "outer").first).address
    func name(_ offset: UInt64) -> String? { symbols.function(at: outer + offset)?.name }
    let wanted: [(UInt64, String?)] = [
      (0, "outer"), (15, "outer"), (16, "inner"), (23, "inner"), (24, "outer"), (63, "outer"),
      (64, nil), (95, nil), (96, "__good"), (103, "__good"), (104, "label"), (111, "label"),
      (112, nil),
    ]
    for (offset, function) in wanted { #expect(name(offset) == function, "scan \(offset)") }
    symbols.buildIndex()
    for (offset, function) in wanted { #expect(name(offset) == function, "index \(offset)") }
    #expect(symbols.names(near: "iner") == ["inner"])
    #expect(symbols.functions(named: "nothing").isEmpty)
  }

  @Test func `damaged files throw or answer, and never trap`() throws {
    let folder = try TemporaryDirectory()
    let source = try folder.write(Self.source, to: "program.c")
    let program = folder.file("program")
    _ = try Command.output(["cc", "-O1", "-o", program, source])
    let original = try contents(ofFile: program)
    var random = SystemRandom(seed: 11)
    var answers = 0
    for round in 0..<1500 {
      var bytes = original
      for _ in 0...Int(random.next() % 8) {
        // Headers, section headers, or anywhere.
        let place =
          switch round % 3 {
          case 0: random.next() % 1024
          case 1: UInt64(bytes.count) - 1 - random.next() % 2048
          default: random.next() % UInt64(bytes.count)
          }
        bytes[Int(place)] = UInt8(truncatingIfNeeded: random.next())
      }
      if round % 10 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
      do throws(EBPFError) {
        let symbols = try ELFSymbols(try ELFFile(Bytes(bytes)))
        _ = symbols.functions(at: [0, 0x1000, 0x1139, 0x4000, .max])
        symbols.buildIndex()
        answers += symbols.functions(at: [0, 0x1000, 0x1139, 0x4000, .max]).count
      } catch {
        #expect(!error.message.isEmpty)
      }
    }
    #expect(answers > 1000)
  }
}
