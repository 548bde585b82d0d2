import EBPFSystem
import EBPFTracers

/// What every tracer says at its end, on standard error: what was recorded, what was lost and what
/// it cost.
struct TracerFooter {
  private let style = Style.forStream(.error)

  /// Begins the footer.
  init() { Output.note("") }

  /// One labelled line.
  func line(_ label: String, _ text: String) {
    Output.note(style.dim(label + String(repeating: " ", count: max(1, 11 - label.count))) + text)
  }

  /// What the tracer cost, and why a figure is missing.
  func overhead(_ cost: TracerOverhead) {
    var parts = ["\(Figures.percent(cost.cpuPercent)) of one CPU"]
    if let nanoseconds = cost.kernelNanoseconds {
      parts.append("\(Figures.nanoseconds(nanoseconds)) in the kernel")
    }
    parts.append("\(Figures.bytes(cost.residentBytes)) resident")
    if let bytes = cost.mapBytes { parts.append("\(Figures.bytes(bytes)) in maps") }
    line("overhead", parts.joined(separator: ", "))
    for reason in cost.unavailable { line("", style.dim(reason)) }
  }

  /// Hooks that are not the best ones, and why.
  func hooks(_ hooks: [TracerHook]) {
    for hook in hooks where !hook.refused.isEmpty {
      line("hook", "\(hook.need): \(hook.used)")
      for refusal in hook.refused { line("", style.dim("not \(refusal.hook): \(refusal.why)")) }
    }
  }

  /// The file that was written.
  func wrote(_ file: String) { line("wrote", style.bold(file)) }
}
