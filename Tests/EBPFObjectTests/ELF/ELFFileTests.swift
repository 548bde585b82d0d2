import EBPFObject
import Glibc
import TestSupport
import Testing

@Suite struct ELFFileTests {
  @Test func `three hundred files of this machine read as libelf reads them`() throws {
    var files: [String] = []
    for directory in ["/usr/bin", "/usr/lib/x86_64-linux-gnu"] {
      let all = MachineFiles.elfFiles(in: directory).filter { $0.size < 32 << 20 }
      files += all.filter { $0.size < 15_000 }.map(\.path)
      let larger = all.filter { $0.size >= 15_000 }
      files += sample(larger.count, 120).map { larger[$0].path }
    }
    var counts = ELFComparisonCounts()
    for path in files {
      try expectSameAsLibELF(try contents(ofFile: path), path, limit: 60, counts: &counts)
    }
    #expect(counts.files >= 300)
    #expect(counts.sections > 5000)
    #expect(counts.symbols > 10_000)
    #expect(counts.relocations > 10_000)
    #expect(counts.notes > 400)
  }

  @Test func `every fixture object reads as libelf reads it`() throws {
    var counts = ELFComparisonCounts()
    for path in try fixtureObjects() {
      try expectSameAsLibELF(
        try contents(ofFile: path), path, limit: .max, counts: &counts)
    }
    #expect(counts.files >= 5)
    #expect(counts.relocations > 20)
  }

  @Test(arguments: [
    ("i386-linux-gnu", false, ByteOrder.little), ("s390x-linux-gnu", true, .big),
    ("ppc64-linux-gnu", true, .big), ("powerpc-linux-gnu", false, .big),
    ("armv7-linux-gnueabi", false, .little), ("bpfel", true, .little), ("bpfeb", true, .big),
  ])
  func `objects of other machines read as libelf reads them`(
    target: String, is64Bit: Bool, order: ByteOrder
  ) throws {
    let directory = try TemporaryDirectory()
    let source = try directory.write(
      """
      int f(int a) { return a + 1; }
      extern int g(int);
      int h(int b) { return g(b) + f(b); }
      int zeroed[100];
      __attribute__((weak)) int weak = 3;
      static const char *text = "x";
      const char *k(void) { return text; }
      __asm__(".section .note.test,\\"a\\",%note\\n .long 4, 3, 7\\n .ascii \\"abc\\\\0\\"\\n"
              " .ascii \\"xyz\\\\0\\"\\n .text\\n");
      """, to: "source.c")
    let object = directory.file("object.o")
    _ = try Command.output([
      "clang", "-target", target, "-g", "-ffunction-sections", "-c", source, "-o", object,
    ])
    let bytes = try contents(ofFile: object)
    let file = try ELFFile(Bytes(bytes))
    #expect(file.is64Bit == is64Bit)
    #expect(file.order == order)
    var counts = ELFComparisonCounts()
    try expectSameAsLibELF(bytes, target, limit: .max, counts: &counts)
    #expect(counts.symbols > 8)
    #expect(counts.relocations > 5)
    #expect(counts.notes == 1)
    #expect(file.anomalies() == [])
  }

  @Test func `section numbers that do not fit 16 bits are found in the extensions`() throws {
    let directory = try TemporaryDirectory()
    var source = ""
    for index in 0..<65_400 {
      source += ".section .s\(index),\"a\",%progbits\n.globl v\(index)\nv\(index): .byte 1\n"
    }
    let path = try directory.write(source, to: "many.s")
    let object = directory.file("many.o")
    _ = try Command.output(["clang", "-target", "x86_64-linux-gnu", "-c", path, "-o", object])
    let bytes = try contents(ofFile: object)
    let file = try ELFFile(Bytes(bytes))
    #expect(file.sections.count > 65_400)
    let last = try #require(file.section(named: ".s65399"))
    let table = try #require(try file.symbolTable)
    let symbol = try table.symbol(at: table.count - 1)
    #expect(try table.name(of: symbol) == "v65399")
    #expect(symbol.rawSectionIndex == 0xffff)
    #expect(symbol.sectionIndex == last.index)
    var counts = ELFComparisonCounts()
    try expectSameAsLibELF(bytes, "many.o", limit: 20_000, counts: &counts)
  }

  @Test func `a file of 200 MB opens in less than 5 ms`() throws {
    let large = MachineFiles.elfFiles(in: "/opt/swift/usr/bin").filter { $0.size > 100 << 20 }
    let path = try #require(large.max { $0.size < $1.size }?.path)
    let bytes = try MachineFiles.map(path)
    var file = try ELFFile(bytes)
    let clock = ContinuousClock()
    var best = Duration.seconds(1)
    for _ in 0..<5 {
      let time = try clock.measure { file = try ELFFile(bytes) }
      best = min(best, time)
    }
    #expect(best < .milliseconds(5))
    #expect(file.section(named: ".text")?.size ?? 0 > 10 << 20)
  }

  @Test func `the vdso in memory is a file too`() throws {
    let maps = String(decoding: try contents(ofFile: "/proc/self/maps"), as: UTF8.self)
    let line = try #require(maps.split(separator: "\n").first { $0.hasSuffix("[vdso]") })
    let range = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
    let start = try #require(UnsafeRawPointer(bitPattern: range[0]))
    let file = try ELFFile(Bytes(owner: nil, start: start, count: Int(range[1] - range[0])))
    let function = try file.function(named: "__vdso_clock_gettime")
    #expect(function.fullName == "__vdso_clock_gettime@@LINUX_2.6")
    #expect(file.fileOffset(ofAddress: function.address) == function.address)
    #expect(try file.dynamicInformation()?.soname == "linux-vdso.so.1")
    var counts = ELFComparisonCounts()
    try expectSameAsLibELF(file.bytes.array, "vdso", limit: .max, counts: &counts)
    #expect(counts.notes > 0)
  }

  private func fixtureObjects() throws -> [String] {
    Fixtures.names(endingWith: ".bpf.o").map { Fixtures.path($0) }
  }
}
