import Testing

@testable import TerminalView

@Suite struct TerminalTextTests {
  @Test func `what a terminal obeys is replaced, what joins characters is left out`() {
    #expect(
      TerminalText("a\u{1b}[31mb\r\n\u{7f}\u{9b}c").text
        == "a\u{fffd}[31mb\u{fffd}\u{fffd}\u{fffd}\u{fffd}c")
    #expect(TerminalText("ab\u{202e}cd\u{2066}\u{2069}").text == "ab\u{fffd}cd\u{fffd}\u{fffd}")
    #expect(TerminalText("a\u{2028}b\u{2029}").text == "a\u{fffd}b\u{fffd}")
    #expect(TerminalText("a\u{200d}b\u{fe0f}c\u{ad}").text == "abc")
  }

  @Test func `no control character passes, whichever it is`() {
    for value in Array(0..<0x20) + Array(0x7f..<0xa0) {
      let scalar = Unicode.Scalar(UInt8(value))
      #expect(TerminalText("x" + String(scalar)).text == "x\u{fffd}")
    }
  }

  @Test(arguments: [
    ("plain", 5), ("Größe", 5), ("Gro\u{308}ße", 5), ("日本語", 6), ("한글", 4), ("⏩", 2), ("🚀", 2),
    ("한", 2), ("…", 1), ("", 0),
  ])
  func `width is counted in columns`(text: String, columns: Int) {
    #expect(TerminalText(text).columns == columns)
    #expect(DisplayWidth.columns(TerminalText(text).text) == columns)
  }

  @Test func `a cut text is never wider than asked, and says that it is cut`() {
    let text = TerminalText("日本語 text Gro\u{308}ße")
    for width in -1...30 {
      let cut = text.cut(to: width)
      #expect(cut.columns <= max(0, width))
      #expect(DisplayWidth.columns(cut.text) == cut.columns)
      #expect(cut == text || width <= 0 || cut.text.hasSuffix("…"))
      #expect(text.padded(to: width).columns == max(0, width))
      #expect(
        DisplayWidth.columns(text.padded(to: width, rightAligned: true).text) == max(0, width))
    }
    #expect(text.cut(to: 4).text == "日…")
    #expect(text.cut(to: 5).text == "日本…")
  }
}
