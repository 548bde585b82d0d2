import EBPF
import EBPFSystem
import EBPFTracers

/// One line on the terminal that says how a recording is going; silent when nobody is looking.
struct ProgressLine {
  /// How long the recording is meant to be.
  let seconds: Double?
  /// What is counted: `samples`.
  let noun: String
  private let columns = StandardStream.error.columns
  private var isShown = false

  init(seconds: Double?, noun: String) {
    self.seconds = seconds
    self.noun = noun
  }

  /// Redraws the line; `statistics` is asked only when somebody looks.
  mutating func show(
    elapsed: Double, _ statistics: () throws(EBPFError) -> TracerStatistics
  ) throws(EBPFError) {
    guard let columns, columns > 0 else { return }
    let now = try statistics()
    var text = "recording: \(Figures.seconds(elapsed))"
    if let seconds { text += " of \(Figures.seconds(seconds))" }
    text += ", \(Figures.count(now.recorded)) \(noun)"
    if now.dropped > 0 { text += ", \(Figures.count(now.dropped)) dropped" }
    if seconds == nil { text += " (Ctrl-C ends it)" }
    draw(String(text.prefix(columns - 1)))
    isShown = true
  }

  /// Says what takes time after the recording.
  mutating func show(_ text: String) {
    guard let columns, columns > 0 else { return }
    draw(String(text.prefix(columns - 1)))
    isShown = true
  }

  /// Leaves the line empty.
  mutating func clear() {
    guard isShown else { return }
    draw("")
    isShown = false
  }

  private func draw(_ text: String) { Output.terminal("\r\u{1b}[K" + text) }
}
