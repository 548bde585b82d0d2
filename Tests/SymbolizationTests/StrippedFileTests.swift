import EBPFObject
import EBPFSystem
import TestSupport
import Testing

@testable import Symbolization

/// Names that stripping leaves, or that were put beside the file.
@Suite struct StrippedFileTests {
  private static let source = """
    #include <stdlib.h>
    __attribute__((noinline)) static int hidden_one(int x) { return x * 3 + rand(); }
    __attribute__((noinline)) static int hidden_two(int x) { return hidden_one(x) ^ 5; }
    __attribute__((noinline)) int shown_function(int x) { return hidden_two(x) + 1; }
    int main(int argc, char **argv) { return shown_function(argc) == 0; }
    """

  /// A program whose `.symtab` is only in `.gnu_debugdata`, made as Fedora's find-debuginfo does.
  private func miniDebugProgram(_ folder: TemporaryDirectory) throws -> (
    program: String, functions: [String: UInt64]
  ) {
    let source = try folder.write(Self.source, to: "mini.c")
    let program = folder.file("mini")
    _ = try Command.output(["cc", "-O1", "-rdynamic", "-o", program, source])
    var functions: [String: UInt64] = [:]
    for line in try Command.output(["nm", program]).split(separator: "\n") {
      let fields = line.split(separator: " ")
      if fields.count == 3, fields[1] == "t" || fields[1] == "T" {
        functions[String(fields[2])] = UInt64(fields[0], radix: 16)
      }
    }
    let script = """
      set -e
      cd \(folder.path)
      nm -D mini --format=posix --defined-only | awk '{ print $1 }' | sort >dynamic
      nm mini --format=posix --defined-only | awk '{ if ($2 == "T" || $2 == "t") print $1 }' |
        sort >all
      comm -13 dynamic all >keep
      objcopy --only-keep-debug mini mini.debug
      objcopy -S --remove-section .gdb_index --remove-section .comment --keep-symbols=keep \\
        mini.debug mini.small
      strip mini
      xz -9 mini.small
      objcopy --add-section .gnu_debugdata=mini.small.xz mini
      """
    _ = try Command.output(["/bin/sh", "-c", script])
    return (program, functions)
  }

  @Test func `a stripped file's compressed symbol table names what its dynamic symbols do not`()
    throws
  {
    let folder = try TemporaryDirectory()
    let (program, functions) = try miniDebugProgram(folder)
    let symbols = try ELFSymbols(try ELFFile(try MappedFile.open(program)))
    #expect(symbols.source == .miniDebugInformation)
    #expect(symbols.refusals.isEmpty)
    // One is in the compressed table, one in the other.
    for name in ["hidden_one", "hidden_two", "shown_function", "main"] {
      let address = try #require(functions[name])
      for offset in [0, 1] as [UInt64] {
        let function = try #require(symbols.function(at: address + offset))
        #expect(function.name == name)
        #expect(function.address == address)
        #expect(function.size > 0)
      }
      #expect(symbols.functions(named: name).map(\.address) == [address])
    }
    #expect(symbols.buildIndex() >= 4)
    #expect(symbols.function(at: try #require(functions["hidden_two"]))?.name == "hidden_two")
    #expect(symbols.indexSize > 0)
  }

  @Test func `a damaged compressed symbol table is refused, and the other names stay`() throws {
    let folder = try TemporaryDirectory()
    let (program, functions) = try miniDebugProgram(folder)
    let packed = try contents(ofFile: folder.file("mini.small.xz"))
    let shown = try #require(functions["shown_function"])
    var flipped = packed
    flipped[packed.count / 2] ^= 0x10
    for (bytes, reason) in [
      (Array(packed.dropLast(packed.count / 2)), "it ends too early"),
      (flipped, "the stream is corrupt"), (Array("nothing of the sort".utf8), "no xz header"),
    ] {
      let data = try folder.write(bytes, to: "damaged.xz")
      _ = try Command.output([
        "objcopy", "--update-section", ".gnu_debugdata=" + data, program,
      ])
      let symbols = try ELFSymbols(try ELFFile(try MappedFile.open(program)))
      #expect(symbols.source == .dynamicSymbols)
      #expect(symbols.function(at: shown)?.name == "shown_function")
      let refusal = try #require(symbols.refusals.first)
      #expect(refusal.code == .malformed)
      #expect(
        refusal.message == "the compressed symbol table cannot be expanded: \(reason)")
    }
  }

  @Test func `what xz made comes back, and a bomb does not`() throws {
    let folder = try TemporaryDirectory()
    let original = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
    let path = try folder.write(original, to: "plain")
    _ = try Command.output(["xz", "-k", path])
    let packed = Bytes(try contents(ofFile: path + ".xz"))
    #expect(try Unxz.decompress(packed.span, limit: original.count).array == original)
    #expect(throws: Unxz.Failure.tooLarge) {
      try Unxz.decompress(packed.span, limit: original.count - 1)
    }
    #expect(throws: Unxz.Failure.needsTooMuchMemory) {
      try Unxz.decompress(packed.span, limit: original.count, memoryLimit: 1 << 16)
    }
    #expect(throws: Unxz.Failure.truncated) { try Unxz.decompress(Bytes([]).span, limit: 10) }

    let zeros = try folder.write([UInt8](repeating: 0, count: 100 << 20), to: "zeros")
    _ = try Command.output(["xz", "-0", zeros])
    let bomb = Bytes(try contents(ofFile: zeros + ".xz"))
    #expect(bomb.count < 1 << 20)
    #expect(throws: Unxz.Failure.tooLarge) { try Unxz.decompress(bomb.span, limit: 1 << 20) }
  }
}
