/// What the kernel's verifier said about a program, and the lines of it that matter.
///
/// A log is thousands of lines of register states around one sentence. ``reasons`` finds that
/// sentence, in the format of every kernel up to 7.2 and in the sectioned one of 7.3, and turns the
/// numbers this library plants for what it could not resolve back into words.
public struct VerifierLog: Sendable, Hashable {
  /// The whole log, as the kernel wrote it.
  public let text: String
  /// False when the log did not fit, so that its end is missing.
  public let isComplete: Bool
  /// The sentences that say why, without instructions and register states; empty for an empty log.
  public let reasons: [String]
  /// The last instruction the verifier printed, as text: `12: (85) call bpf_foo#6`.
  public let instruction: String?
  /// The source line that instruction belongs to, when the program has line information.
  public let source: String?
  /// How many instructions the verifier walked; nil when it did not come to say so.
  public let processedInstructions: Int?
  /// The number of lines.
  public let lineCount: Int
  private let isPlanted: Bool

  /// Reads a log. `sentences` says what stands at an instruction that was made uncallable on purpose.
  public init(_ text: String, isComplete: Bool = true, sentences: [Int: String] = [:]) {
    self.text = text
    self.isComplete = isComplete
    let lines = text.split(separator: "\n").filter { !$0.allSatisfy(\.isWhitespace) }
    lineCount = lines.count
    let end = lines.lastIndex { Self.isStatistics($0) } ?? lines.count
    processedInstructions = lines.lazy.reversed().compactMap(Self.processed).first
    let body = lines[..<end]
    let last = body.lastIndex { Self.instructionIndex($0) != nil }
    instruction = last.map { Self.trimmed(Self.withoutState(body[$0])) }
    source = last.flatMap { last in
      body[..<last].last { $0.hasPrefix("; ") }.map { Self.trimmed($0.dropFirst(2)) }
    }
    let index = last.flatMap { Self.instructionIndex(body[$0]) }
    let sentence = index.flatMap { sentences[$0] }
    isPlanted = sentence != nil && (last.map { Self.isPlanted(body[$0]) } ?? false)
    if isPlanted, let sentence {
      reasons = [sentence]
    } else {
      let sections = body.filter { line in Self.sections.contains { line.hasPrefix($0) } }
      reasons = sections.isEmpty ? Self.sentences(of: body) : sections.map(Self.trimmed)
    }
  }

  /// True when the verifier looked at no instruction and says nothing: whoever refused the program
  /// came before it.
  var isOfNothing: Bool { reasons.isEmpty && processedInstructions == 0 }

  /// One line: the reasons, and where.
  public var summary: String {
    guard !reasons.isEmpty else {
      return text.isEmpty
        ? "the verifier gave no reason" : "the verifier's log ends without a reason"
    }
    var line = reasons.joined(separator: "; ")
    // The planted instruction means nothing to a reader; its place is in the source line.
    if let instruction, !isPlanted { line += " (at \(instruction))" }
    return line
  }
}

extension VerifierLog: CustomStringConvertible {
  /// The summary, the source line, and how many lines were left out.
  public var description: String {
    var lines = [summary]
    if let source { lines.append("source: \(source)") }
    let shown = reasons.count + (instruction == nil ? 0 : 1) + (source == nil ? 0 : 1)
    if lineCount > shown { lines.append("\(lineCount - shown) more lines in the verifier's log") }
    if !isComplete { lines.append("the log is cut off: the kernel had more to say") }
    return lines.joined(separator: "\n")
  }
}

// MARK: - Kinds of lines

extension VerifierLog {
  /// The headings of the log since 7.3.
  private static let sections = ["Verification failed:", "Reason:", "At:", "Suggestion:"]

  /// The last run of lines that are neither instructions, nor states, nor source: three at most.
  private static func sentences(of lines: ArraySlice<Substring>) -> [String] {
    var found: [String] = []
    for line in lines.reversed() {
      if isNoise(line) {
        if found.isEmpty { continue }
        break
      }
      found.append(trimmed(line))
      if found.count == 3 { break }
    }
    return found.reversed()
  }

  private static func isNoise(_ line: Substring) -> Bool {
    if instructionIndex(line) != nil || line.hasPrefix(";") || isStatistics(line) { return true }
    if line.hasPrefix("mark_precise:") || line.hasPrefix("from ") || line.hasPrefix("func#") {
      return true
    }
    if line.hasPrefix("last_idx ") || line.hasPrefix("regs=") || line.hasPrefix("parent ") {
      return true
    }
    // `12: R0=1 R10=fp0` and, without a number, ` R0=1 R10=fp0`.
    let state = line.drop { $0.isNumber || $0 == ":" || $0 == " " }
    guard state.first == "R", let equals = state.firstIndex(of: "=") else { return false }
    return state[..<equals].dropFirst().first?.isNumber == true
      && state[..<equals].allSatisfy { $0 != " " }
  }

  private static func isStatistics(_ line: Substring) -> Bool {
    line.hasPrefix("processed ") || line.hasPrefix("verification time ")
      || line.hasPrefix("stack depth ")
  }

  private static func processed(_ line: Substring) -> Int? {
    guard line.hasPrefix("processed ") else { return nil }
    return Int(line.dropFirst(10).prefix { $0.isNumber })
  }

  /// The number in `12: (85) call …`.
  private static func instructionIndex(_ line: Substring) -> Int? {
    let digits = line.prefix { $0.isNumber }
    guard !digits.isEmpty, line[digits.endIndex...].hasPrefix(": (") else { return nil }
    return Int(digits)
  }

  /// Is it one of the calls that stand for something unresolved?
  private static func isPlanted(_ line: Substring) -> Bool {
    guard let hash = line.lastIndex(of: "#") else { return false }
    let digits = line[line.index(after: hash)...].prefix { $0.isNumber }
    return Int(digits).map(Unresolved.isPlanted) ?? false
  }

  /// `12: (85) call x#6 ; R0=1` → `12: (85) call x#6`.
  private static func withoutState(_ line: Substring) -> Substring {
    guard let semicolon = line.lastIndex(of: ";") else { return line }
    return line[..<semicolon]
  }

  private static func trimmed(_ line: Substring) -> String {
    var rest = line.drop { $0.isWhitespace }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest)
  }
}

/// The helper numbers that stand for something unresolved. No kernel has a helper with such a number,
/// so the verifier names it exactly when the instruction is reached, and dead code may keep it.
enum Unresolved {
  /// A CO-RE relocation without an answer (libbpf plants the same number).
  static let relocation: Int32 = 0x0bad_2310
  /// A weak kernel function that this kernel does not have.
  static let kernelFunction: Int32 = 2_002_000_000

  static func isPlanted(_ number: Int) -> Bool {
    number == Int(relocation) || (number >= 2_001_000_000 && number < 2_003_000_000)
  }
}
