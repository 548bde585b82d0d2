import Testing

@testable import TerminalView

@Suite struct TerminalPictureTests {
  private func line(_ text: String, _ style: TerminalStyle = [], width: Int = 20) -> TerminalLine {
    var line = TerminalLine(width: width)
    line.append(text, style)
    return line
  }
  private let size = TerminalSize(columns: 20, rows: 3)

  @Test func `only lines that changed are written, in one piece`() {
    var picture = TerminalPicture(colours: true)
    let first = picture.update([line("one"), line("two"), line("three")], size: size)
    #expect(
      first
        == "\u{1b}[0m\u{1b}[2J\u{1b}[1;1Hone\u{1b}[K\u{1b}[2;1Htwo\u{1b}[K\u{1b}[3;1Hthree\u{1b}[K")
    #expect(picture.update([line("one"), line("two"), line("three")], size: size) == "")
    #expect(
      picture.update([line("one"), line("2"), line("three")], size: size) == "\u{1b}[2;1H2\u{1b}[K")
    #expect(picture.update([line("one")], size: size) == "\u{1b}[2;1H\u{1b}[K\u{1b}[3;1H\u{1b}[K")
  }

  @Test func `another size, or a screen that somebody else used, is drawn as a whole`() {
    var picture = TerminalPicture(colours: true)
    _ = picture.update([line("one")], size: size)
    let wider = picture.update([line("one")], size: TerminalSize(columns: 30, rows: 3))
    #expect(wider == "\u{1b}[0m\u{1b}[2J\u{1b}[1;1Hone\u{1b}[K")
    picture.invalidate()
    #expect(picture.update([line("one")], size: TerminalSize(columns: 30, rows: 3)) == wider)
  }

  @Test func `a full line is not erased behind`() {
    var picture = TerminalPicture(colours: true)
    let text = String(repeating: "x", count: 20)
    #expect(
      picture.update([line(text + "y")], size: TerminalSize(columns: 20, rows: 1))
        == "\u{1b}[0m\u{1b}[2J\u{1b}[1;1H" + String(repeating: "x", count: 19) + "…")
  }

  @Test func `styles are sequences, colours only where they are wanted`() {
    let styled = [line("bad", [.red, .bold])]
    var colours = TerminalPicture(colours: true)
    #expect(colours.update(styled, size: size).contains("\u{1b}[0;1;31mbad\u{1b}[0m"))
    var plain = TerminalPicture(colours: false)
    #expect(plain.update(styled, size: size).contains("\u{1b}[0;1mbad\u{1b}[0m"))
    var green = TerminalPicture(colours: false)
    #expect(!green.update([line("good", .green)], size: size).contains("[0;32m"))
  }

  @Test func `lines below the last one are left out`() {
    var picture = TerminalPicture(colours: true)
    let text = picture.update(
      [line("one"), line("two")], size: TerminalSize(columns: 20, rows: 1))
    #expect(!text.contains("two"))
  }

  @Test func `a terminal that does not know its size is 80 by 24`() {
    #expect(TerminalSize(columns: 0, rows: 0) == TerminalSize(columns: 80, rows: 24))
    #expect(TerminalSize(columns: -1, rows: 7) == TerminalSize(columns: 80, rows: 7))
  }
}
