import Testing

@testable import TerminalView

@Suite struct TerminalKeyTests {
  private func keys(_ text: String) -> [TerminalKey] {
    var reader = TerminalKeyReader()
    return reader.keys(Array(text.utf8))
  }

  @Test(arguments: [
    ("q", [TerminalKey.character("q")]), ("\u{1b}", [.escape]), ("\r", [.enter]), ("\n", [.enter]),
    ("\t", [.tab]), ("\u{7f}", [.backspace]), ("\u{8}", [.backspace]), ("\u{c}", [.control("l")]),
    ("\u{1b}[A", [.up]), ("\u{1b}OB", [.down]), ("\u{1b}[C", [.right]), ("\u{1b}[D", [.left]),
    ("\u{1b}[5~", [.pageUp]), ("\u{1b}[6~", [.pageDown]), ("\u{1b}[1~", [.home]),
    ("\u{1b}[4~", [.end]), ("\u{1b}[H", [.home]), ("\u{1b}[F", [.end]), ("\u{1b}[3~", [.delete]),
    ("\u{1b}[1;5A", [.up]), ("\u{1b}[5;3~", [.pageUp]),
    ("ä日🚀", [.character("ä"), .character("日"), .character("🚀")]),
    ("j\u{1b}[Bk", [.character("j"), .down, .character("k")]),
    // Nothing that has a meaning here: function keys, mouse, focus, a pasted null.
    ("\u{1b}[15~", []), ("\u{1b}[<0;1;1M", [.enter]), ("\u{1b}[I", []), ("\0", []),
    ("\u{1b}\u{1b}[A", [.escape, .up]), ("\u{1b}\t", [.escape, .tab]),
  ])
  func `bytes become keys`(text: String, keys expected: [TerminalKey]) {
    #expect(keys(text) == expected)
  }

  @Test func `a sequence may come byte by byte`() {
    var reader = TerminalKeyReader()
    #expect(reader.keys([0x1b, 0x5b]) == [])
    #expect(reader.keys([0x35]) == [])
    #expect(reader.keys([0x7e]) == [.pageUp])
    #expect(reader.keys([0xe6]) == [])
    #expect(reader.keys([0x97]) == [])
    #expect(reader.keys([0xa5, 0x71]) == [.character("日"), .character("q")])
  }

  @Test func `bytes that are no text are left out and nothing is kept for long`() {
    var reader = TerminalKeyReader()
    #expect(reader.keys([0xff, 0x80, 0xc3, 0x28, 0x71]) == [.character("("), .character("q")])
    #expect(reader.keys([0xed, 0xa0, 0x80, 0x71]) == [.character("q")])
    #expect(reader.keys([0xf5, 0xc0, 0x71]) == [.character("q")])
    // A control sequence that never ends.
    let endless = [0x1b, 0x5b] + [UInt8](repeating: 0x31, count: 100_000)
    #expect(reader.keys(endless) == [])
    #expect(reader.keys([0x71]) == [.character("q")])
    // One that is broken off by a key.
    #expect(reader.keys([0x1b, 0x5b, 0x31, 0x1b, 0x5b, 0x41]) == [.up])
    #expect(reader.keys([0x1b, 0x5b, 0x01]) == [.control("a")])
  }

  @Test func `any bytes in any pieces are answered`() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      var reader = TerminalKeyReader()
      for _ in 0..<8 {
        let bytes = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
          [0x1b, 0x5b, 0x4f, 0x7e, 0xe6, UInt8.random(in: 0...255, using: &generator)]
            .randomElement(using: &generator) ?? 0
        }
        #expect(reader.keys(bytes).count <= 64)
      }
      // Whatever was begun is over at the latest after as many keys as a sequence may have bytes.
      let keys = reader.keys([UInt8](repeating: 0x71, count: 40))
      #expect(keys.last == .character("q"))
    }
  }
}
