import EBPFObject
import EBPFSystem
import TestSupport
import Testing
@testable import Unwinding

@Suite struct UnwindTableTests {
  /// Debian's C library and interpreter, Swift's runtime, and a linker with hand-written assembly.
  static let files = [
    "/lib/x86_64-linux-gnu/libc.so.6", "/lib/x86_64-linux-gnu/libcrypto.so.3",
    "/lib64/ld-linux-x86-64.so.2", "/usr/bin/bash",
  ]

  private static func swiftRuntime() throws -> String {
    let information = try Command.output(["swift", "-print-target-info"])
    let line = information.split(separator: "\n").first { $0.contains("runtimeResourcePath") }
    let path = try #require(line?.split(separator: "\"").dropFirst(3).first)
    return path.replacing("\\/", with: "/") + "/linux/libswiftCore.so"
  }

  @Test(arguments: files) func `every address unwinds as readelf says`(path: String) throws {
    try compare(path)
  }

  @Test func `Swift's runtime unwinds as readelf says`() throws {
    try compare(try Self.swiftRuntime())
  }

  private func compare(_ path: String) throws {
    let source = try UnwindSource(try ELFFile(try MappedFile.open(path)))
    let tables = try source.parts.indices.map { try source.table(ofPart: $0, rowLimit: 1_000_000) }
    #expect(tables.allSatisfy { $0.malformedEntries == 0 })
    let oracle = try InterpretedFrames(path)
    #expect(oracle.functions.count > 100)
    #expect(tables.reduce(0) { $0 + $1.functionCount } == oracle.functions.count)
    #expect((tables.count > 1) == (oracle.functions.count > UnwindSource.wholeSize))
    var compared = 0
    for function in oracle.functions {
      for row in function.rows where row.address < function.end {
        compared += 1
        let part = source.parts.lastIndex { $0 <= row.address } ?? 0
        let mine = tables[part].row(at: row.address)
        let words = Self.words(mine, isSignal: function.isSignal)
        if Self.agrees(words, row) == false {
          Issue.record(
            """
            \(path) \(String(row.address, radix: 16)): readelf says CFA \(row.frame), \
            rbp \(row.framePointer ?? "-"), ra \(row.returnAddress ?? "-"); we say \(words)
            """)
          return
        }
      }
    }
    #expect(compared > 1000)
  }

  @Test(arguments: ["/lib/x86_64-linux-gnu/libc.so.6", "/usr/bin/bash"])
  func `machine code alone says what .eh_frame says, or nothing`(path: String) throws {
    try compareCode(path)
  }

  @Test func `Swift's machine code alone says what .eh_frame says, or nothing`() throws {
    try compareCode(try Self.swiftRuntime())
  }

  /// Compares byte by byte with what was proved to be readelf's.
  private func compareCode(_ path: String) throws {
    let file = try ELFFile(try MappedFile.open(path))
    let source = try UnwindSource(file)
    let told = try source.parts.indices.flatMap {
      try source.table(ofPart: $0, rowLimit: 1_000_000).rows
    }
    let code = try CodeRows(file, namesFunctions: true)
    let text = try #require(file.section(named: ".text"))
    var found: [UnwindRow] = []
    for start in stride(
      from: text.address, to: text.address + text.size, by: CodeWalk.largestCode)
    {
      let end = min(start + UInt64(CodeWalk.largestCode), text.address + text.size)
      code.fill(start..<end, base: source.base) { found.append($0) }
    }
    var counts = (right: 0, unknown: 0, wrong: 0)
    var (next, other) = (0, 0)
    for address in text.address..<(text.address + text.size) {
      let offset = UInt32(address - source.base)
      while next < told.count, told[next].offset <= offset { next += 1 }
      while other < found.count, found[other].offset <= offset { other += 1 }
      guard next > 0, other > 0 else { continue }
      let (rule, mine) = (told[next - 1], found[other - 1])
      switch (rule.frame, mine.frame) {
      case (.unknown, _), (.unsupported, _): continue
      case (_, .unknown): counts.unknown += 1
      case (.stackPointer, .stackPointer) where rule.frameWords != mine.frameWords:
        counts.wrong += 1
      case (.framePointer, .framePointer) where rule.frameWords != mine.frameWords:
        counts.wrong += 1
      // The CFA can be told from the stack pointer too.
      case (.framePointer, .stackPointer): counts.right += 1
      default: if rule.frame == mine.frame { counts.right += 1 } else { counts.wrong += 1 }
      }
    }
    let all = counts.right + counts.unknown + counts.wrong
    #expect(all > 500_000)
    #expect(counts.right * 100 > 88 * all, "\(counts)")
    #expect(counts.wrong * 100 < 4 * all, "\(counts)")
  }

  /// A row in readelf's words; `exp` where it says no more than that.
  private static func words(_ row: UnwindRow?, isSignal: Bool) -> (frame: String, pointer: String) {
    guard let row else { return ("none", "none") }
    func distance(_ words: Int) -> String { words < 0 ? "\(words * 8)" : "+\(words * 8)" }
    let frame =
      switch row.frame {
      case .stackPointer: "rsp" + distance(row.frameWords)
      case .framePointer: "rbp" + distance(row.frameWords)
      case .savedAtFramePointer, .linkageTable, .signal: "exp"
      case .outermost: "outermost"
      case .unsupported: "unsupported"
      case .unknown: "unknown"
      }
    let pointer =
      switch row.framePointer {
      case .unchanged: "u"
      case .savedAtFrame: "c" + distance(row.framePointerWords)
      case .savedAtFramePointer, .lost: "exp"
      }
    return (frame, pointer)
  }

  private static func agrees(
    _ mine: (frame: String, pointer: String), _ row: InterpretedFrames.Row
  ) -> Bool {
    if row.returnAddress == "u" { return mine.frame == "outermost" }
    // `unsupported` is honest for what a row cannot hold: odd registers, expressions.
    if mine.frame == "unsupported" {
      return row.frame == "exp" || !(row.frame.hasPrefix("rsp") || row.frame.hasPrefix("rbp"))
        || row.returnAddress != "c-8"
    }
    guard mine.frame == row.frame else { return false }
    if mine.frame == "exp" { return true }
    switch row.framePointer {
    case nil, "u", "s": return mine.pointer == "u"
    case let cell?: return mine.pointer == cell || cell.hasPrefix("v") && mine.pointer == "exp"
    }
  }

  @Test func `a row keeps what was packed into it`() {
    for frame in UnwindRow.Frame.allCases {
      for words in [-32_768, -1, 0, 2, 32_767] {
        let row = UnwindRow(
          bits: UInt64(0xffff_fffe) | UInt64(frame.rawValue) << 32 | 1 << 36
            | UInt64(UInt8(bitPattern: -2)) << 40
            | UInt64(UInt16(bitPattern: Int16(words))) << 48)
        #expect(row.offset == 0xffff_fffe)
        #expect(row.frame == frame)
        #expect(row.frameWords == words)
        #expect(row.framePointer == .savedAtFrame)
        #expect(row.framePointerWords == -2)
      }
    }
  }

  @Test func `damaged tables give fewer rows, never a trap`() throws {
    let original = try SystemFile.read("/lib64/ld-linux-x86-64.so.2")
    let section = try #require(try ELFFile(Bytes(original)).section(named: ".eh_frame"))
    var generator = SplitMix(state: 7)
    for _ in 0..<200 {
      var bytes = original
      for _ in 0..<(1 + generator.next() % 8) {
        let place = Int(section.offset + generator.next() % section.size)
        bytes[place] = UInt8(truncatingIfNeeded: generator.next())
      }
      let source = try UnwindSource(try ELFFile(Bytes(bytes)))
      let table = try source.table(ofPart: 0, rowLimit: 1_000_000)
      for (row, next) in zip(table.rows, table.rows.dropFirst()) where row.offset >= next.offset {
        Issue.record("rows are out of order")
        return
      }
    }
  }
}

/// A small generator with a seed, so that a failure can be repeated.
private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
