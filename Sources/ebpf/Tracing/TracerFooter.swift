import EBPFSystem
import EBPFTracers

/// What every tracer says at its end, on standard error: what was recorded, what was lost and what
/// it cost.
struct TracerFooter {
  private let style = Style.forStream(.error)

  /// Begins the footer.
  init() { Output.note("") }

  /// One labelled line.
  func line(_ label: String, _ text: String) { TracerFooter.line(label, text) }

  private static func line(_ label: String, _ text: String) {
    let blanks = String(repeating: " ", count: max(1, 11 - label.count))
    Output.note(Style.forStream(.error).dim(label + blanks) + text)
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

  /// The part of a sentence that tells of processes that could not be followed; empty without any.
  static func unfollowed(_ statistics: TracerStatistics) -> String {
    statistics.unfollowed == 0
      ? "" : "; \(Figures.count(statistics.unfollowed)) started processes could not be followed"
  }

  /// How walks by unwind table ended.
  func walks(_ walks: StackWalks?) {
    guard let walks, walks.total > 0 else { return }
    let share = Double(walks.complete) / Double(walks.total) * 100
    var text = "\(Figures.fixed(share, decimals: 1)) % of stacks walked to their root by table"
    for (reason, count) in walks.failures { text += "; \(Figures.count(count)) \(reason)" }
    line("stacks", text)
  }

  /// Hooks that are not the best ones, and why.
  func hooks(_ hooks: [TracerHook]) {
    for hook in hooks where !hook.refused.isEmpty {
      line("hook", "\(hook.need): \(hook.used)")
      for refusal in hook.refused { line("", style.dim("not \(refusal.hook): \(refusal.why)")) }
    }
  }

  /// What was left out to stay below a limit.
  func economy(_ state: GovernorState?, _ statistics: [TracerStatistics]) {
    guard let governor = state?.governor else { return }
    let passedOver = statistics.reduce(0) { $0 &+ $1.sampledOut }
    line(
      "economy",
      "at most \(Figures.percent(governor.limit * 100)) of one CPU; a second cost "
        + "\(Figures.percent(governor.worst * 100)) at worst; "
        + (governor.stepCount == 0
          ? "nothing was left out"
          : "\(governor.stepCount) steps, \(Figures.count(passedOver)) events passed over"))
    for step in governor.steps.suffix(5) {
      line(
        "",
        style.dim(
          "after \(Figures.seconds(Double(step.time) / 1e9)) and "
            + "\(Figures.percent(step.cost * 100)): " + TracerFooter.words(step.economy)))
    }
    if state?.isKernelTimeUnknown == true {
      line("", style.dim("without the time in the kernel, which could not be measured"))
    }
  }

  private static func words(_ economy: TracerEconomy) -> String {
    if economy.isSuspended { return "nothing is recorded" }
    if economy.isNone { return "everything is recorded" }
    var words: [String] = []
    if economy.minimumEventNanoseconds > 0 {
      words.append("no events below \(Figures.nanoseconds(economy.minimumEventNanoseconds))")
    }
    if economy.sampling > 1 { words.append("one event in \(economy.sampling)") }
    if !economy.takesStacks { words.append("no stacks") }
    return words.joined(separator: ", ")
  }

  /// The file that was written.
  func wrote(_ file: String) { TracerFooter.wrote(file) }

  /// A file that was written, after the footer.
  static func wrote(_ file: String) { line("wrote", Style.forStream(.error).bold(file)) }
}
