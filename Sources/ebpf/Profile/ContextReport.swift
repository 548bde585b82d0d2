import EBPFTracers

/// What processes told of themselves and of their spans, in a JSON summary.
struct ContextsDocument: Encodable {
  let processes: Int
  let unreadable: Int
  let unplaced: Int
  let withoutRoom: Int
  let linkedSamples: UInt64
  let lostLinks: UInt64
  let unreadableLinks: UInt64

  /// Nil where no process tells.
  init?(_ contexts: ContextStatistics) {
    guard contexts != ContextStatistics() else { return nil }
    processes = contexts.processes
    unreadable = contexts.unreadable
    unplaced = contexts.unplaced
    withoutRoom = contexts.withoutRoom
    linkedSamples = contexts.linkedSamples
    lostLinks = contexts.lostLinks
    unreadableLinks = contexts.unreadableLinks
  }
}

extension TracerFooter {
  /// The same in words; nothing where no process tells.
  func contexts(_ contexts: ContextStatistics, of linked: String = "samples") {
    guard let told = ContextsDocument(contexts) else { return }
    let losses = [
      (UInt64(told.unreadable), "contexts unreadable"),
      (UInt64(told.unplaced), "processes whose threads could not be asked"),
      (UInt64(told.withoutRoom), "processes too many"),
      (told.lostLinks, "\(linked) without their span: the ring was full"),
      (told.unreadableLinks, "\(linked) whose thread's record was unreadable"),
    ]
    line(
      "contexts",
      "\(told.processes) \(told.processes == 1 ? "process" : "processes") published a context; "
        + "\(Figures.count(told.linkedSamples)) \(linked) are linked to a span"
        + losses.filter { $0.0 > 0 }.map { "; \(Figures.count($0.0)) \($0.1)" }.joined())
  }
}
