/// Cuts bytes that arrive in pieces into lines, and keeps no more than one line may be long.
package struct LineReader: Sendable, Hashable {
  /// A line that is longer is refused.
  package static let limit = 65_536

  /// What the bytes were.
  package enum Line: Sendable, Hashable {
    /// A line, without its end.
    case line([UInt8])
    /// A line that is too long. Nothing after it can be trusted to be a line: the sender is cut off.
    case tooLong
  }

  private var begun: [UInt8] = []
  private var isBroken = false

  /// Nothing has arrived.
  package init() {}

  /// Takes what has arrived, and returns the lines it completes, in order; empty ones are left out.
  /// After a line that is too long there are none any more.
  package mutating func append(_ bytes: [UInt8]) -> [Line] {
    var lines: [Line] = []
    for part in bytes.split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false
    ).enumerated() {
      guard !isBroken else { return lines }
      if part.offset > 0 {
        if begun.last == UInt8(ascii: "\r") { begun.removeLast() }
        if !begun.isEmpty { lines.append(.line(begun)) }
        begun = []
      }
      guard begun.count + part.element.count <= Self.limit else {
        isBroken = true
        begun = []
        return lines + [.tooLong]
      }
      begun += part.element
    }
    return lines
  }
}
