import ControlProtocol
import Testing

@Suite struct LineReaderTests {
  private func line(_ text: String) -> LineReader.Line { .line(Array(text.utf8)) }

  @Test func `lines come out however the bytes arrive`() {
    let text = Array("{\"a\"}\n\nsecond\r\nthird\nrest".utf8)
    for size in 1...text.count {
      var reader = LineReader()
      var lines: [LineReader.Line] = []
      for start in stride(from: 0, to: text.count, by: size) {
        lines += reader.append(Array(text[start..<min(start + size, text.count)]))
      }
      #expect(lines == [line("{\"a\"}"), line("second"), line("third")], "in pieces of \(size)")
    }
  }

  @Test func `half a line is no line`() {
    var reader = LineReader()
    #expect(reader.append(Array("half".utf8)).isEmpty)
    #expect(reader.append([]).isEmpty)
    #expect(reader.append(Array(" a line\n".utf8)) == [line("half a line")])
  }

  @Test(arguments: [1, 1000, 65_536, 65_537, 1 << 20])
  func `a line that is too long ends everything`(size: Int) {
    var reader = LineReader()
    var lines: [LineReader.Line] = reader.append(Array("before\n".utf8))
    let long = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
    for start in stride(from: 0, to: long.count, by: size) {
      lines += reader.append(Array(long[start..<min(start + size, long.count)]))
    }
    lines += reader.append(Array("\nafter\n".utf8))
    #expect(lines == [line("before"), .tooLong])
  }

  @Test func `the longest line is one`() {
    let longest = [UInt8](repeating: UInt8(ascii: "x"), count: LineReader.limit)
    var reader = LineReader()
    #expect(reader.append(longest + [UInt8(ascii: "\n")]) == [.line(longest)])
    #expect(reader.append(longest + [UInt8(ascii: "x")]) == [.tooLong])
  }
}
