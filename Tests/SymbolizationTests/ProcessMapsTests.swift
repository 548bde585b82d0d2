import EBPFObject
import EBPFSystem
import TestSupport
import Testing

@Suite struct ProcessMapsTests {
  @Test func `the mappings of this process are those of a plain split`() throws {
    let text = try contents(ofFile: "/proc/self/maps")
    let maps = try ProcessMaps(parsing: text, executableOnly: false)
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
    #expect(maps.mappings.count == lines.count)
    for (mapping, line) in zip(maps.mappings, lines) {
      let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
      let range = String(mapping.start, radix: 16) + "-" + String(mapping.end, radix: 16)
      let wanted = fields[0].split(separator: "-").map { UInt64($0, radix: 16) }
      #expect(wanted == [mapping.start, mapping.end], "\(range)")
      #expect(UInt64(fields[2], radix: 16) == mapping.fileOffset)
      #expect(UInt64(fields[4]) == mapping.inode)
      #expect(mapping.access.contains(.execute) == fields[1].contains("x"))
    }
    #expect(maps.mappings.contains { $0.kind == .vdso })
  }

  @Test func `paths with blanks, line feeds and removed names are read whole`() throws {
    let text = """
      55d0a0a00000-55d0a0a2f000 r-xp 0002f000 fe:01 1234                       /a b/c\\012d (deleted)
      7f0000000000-7f0000001000 rwxp 00000000 00:00 0\u{20}
      7f0000001000-7f0000002000 --xs 00000000 00:05 77 /memfd:jit code (deleted)
      7f0000003000-7f0000004000 r-xp 00000000 00:00 0                          [vdso]
      7f0000005000-7f0000006000 rw-p 00000000 00:00 0                          [stack]
      ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
      """
    let maps = try ProcessMaps(parsing: Array(text.utf8))
    #expect(maps.mappings.map(\.kind) == [.file, .anonymous, .memory, .vdso, .vsyscall])
    let first = maps.mappings[0]
    #expect(first.path == "/a b/c\nd")
    #expect(first.isDeleted)
    #expect(first.device == 0xfe << 20 | 1)
    #expect(first.fileOffset(of: 0x55d0_a0a0_0010) == 0x2f010)
    #expect(first.fileOffset(of: 0x55d0_a0a2_f000) == nil)
    #expect(maps.mappings[2].path == "/memfd:jit code")
    #expect(maps.mapping(containing: 0x7f00_0000_0fff)?.kind == .anonymous)
    #expect(maps.mapping(containing: 0x7f00_0000_2000) == nil)
    #expect(maps.mapping(containing: 0) == nil)
    #expect(maps.mapping(containing: .max) == nil)
  }

  @Test func `mappings that appear twice are kept once, in order`() throws {
    let text = "3000-4000 r-xp 0 0:0 0\n1000-2000 r-xp 0 0:0 0\n1000-2000 r-xp 0 0:0 0\n"
    let maps = try ProcessMaps(parsing: Array(text.utf8))
    #expect(maps.mappings.map(\.start) == [0x1000, 0x3000])
  }

  @Test(arguments: [
    "", "x", "2000-1000 r-xp 0 0:0 0", "1000-2000 r-x", "1000-2000 r-xp 0 0 0 0",
    "11111111111111111-2 r-xp 0 0:0 0", "1000-2000 r-xp 0 fffff:0 0",
    "1000-2000 r-xp 0 0:0 99999999999999999999 /a",
  ])
  func `a line of another form is refused`(line: String) throws {
    #expect(throws: EBPFError.self) { try ProcessMaps(parsing: Array((line + "\n").utf8)) }
  }
}
