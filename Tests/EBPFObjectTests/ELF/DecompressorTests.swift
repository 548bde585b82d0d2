import EBPFObject
import EBPFSystem
import TestSupport
import Testing

@Suite struct DecompressorTests {
  /// The package's own zlib, as the loader passes it.
  private static let zlib = Decompressor { (bytes, limit) throws(EBPFError) in
    do throws(Inflate.Failure) {
      return try Inflate.decompress(bytes.span, limit: limit)
    } catch { throw EBPFError(.malformed, "zlib: \(error)") }
  }

  @Test(arguments: ["zlib", "zlib-gnu"], ["x86_64-linux-gnu", "i386-linux-gnu"])
  func `compressed sections expand to what they were`(method: String, target: String) throws {
    let (plain, packed) = try Self.build(method: method, target: target)
    var compressed = 0
    for section in plain.sections where section.name.hasPrefix(".debug") {
      let expected = try plain.contents(of: section)
      let other = try #require(
        packed.section(named: section.name)
          ?? packed.section(named: ".z" + section.name.dropFirst()))
      let isPacked = other.isCompressed || other.name.hasPrefix(".z")
      #expect(try packed.contents(of: other, using: Self.zlib).array == expected.array)
      if other.isCompressed {
        #expect(throws: EBPFError.self) { try packed.contents(of: other) }
      }
      compressed += isPacked ? 1 : 0
    }
    #expect(compressed > 0)
  }

  @Test func `zstd is refused with a remedy`() throws {
    let (_, packed) = try Self.build(method: "zstd", target: "x86_64-linux-gnu")
    let section = try #require(packed.sections.first { $0.isCompressed })
    let error = #expect(throws: EBPFError.self) {
      try packed.contents(of: section, using: Self.zlib)
    }
    #expect(
      error?.description == """
        unsupported: the section is compressed with zstd, and this library has zlib only
          section      \(section.name)
          offset       0x\(String(section.offset, radix: 16))
          hint         objcopy --decompress-debug-sections makes a file without compression
        """)
  }

  @Test func `a size out of proportion is refused before any memory is taken`() throws {
    let (_, packed) = try Self.build(method: "zlib", target: "x86_64-linux-gnu")
    let section = try #require(packed.sections.first { $0.isCompressed })
    var bytes = packed.bytes.array
    bytes[Int(section.offset) + 8 + 7] = 0x40
    let file = try ELFFile(Bytes(bytes))
    let error = #expect(throws: EBPFError.self) {
      try file.contents(of: file.sections[section.index], using: Self.zlib)
    }
    #expect(error?.code == .tooLarge)
    #expect(error?.message.hasPrefix("the section says that it expands to 46116860184") == true)
  }

  @Test func `a stream of another size than declared is an error`() throws {
    let (_, packed) = try Self.build(method: "zlib", target: "x86_64-linux-gnu")
    let section = try #require(packed.sections.first { $0.isCompressed })
    var bytes = packed.bytes.array
    bytes[Int(section.offset) + 8] ^= 1
    let file = try ELFFile(Bytes(bytes))
    let error = #expect(throws: EBPFError.self) {
      try file.contents(
        of: file.sections[section.index],
        using: Decompressor { (_, _) throws(EBPFError) in Bytes([1, 2, 3]) })
    }
    #expect(error?.code == .malformed)
    #expect(
      error?.message.hasPrefix("the section expanded to 3 bytes, but says that it has") == true)
  }

  private static func build(
    method: String, target: String
  ) throws -> (plain: ELFFile, packed: ELFFile) {
    let directory = try TemporaryDirectory()
    let source = try directory.write(
      (0..<60).map { "struct s\($0) { int a, b; }; int f\($0)(struct s\($0) *p) { return p->a; }" }
        .joined(separator: "\n"), to: "many.c")
    let plain = directory.file("plain.o")
    let packed = directory.file("packed.o")
    _ = try Command.output(["clang", "-target", target, "-g", "-c", source, "-o", plain])
    _ = try Command.output(["objcopy", "--compress-debug-sections=\(method)", plain, packed])
    return (
      try ELFFile(Bytes(contents(ofFile: plain))), try ELFFile(Bytes(contents(ofFile: packed)))
    )
  }
}
