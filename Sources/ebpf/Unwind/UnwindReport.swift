import EBPF
import EBPFTracers

/// What comparing the two walkers found.
struct UnwindReport {
  let document: UnwindDocument
  private let result: CPUProfile

  /// - Parameter perf: what perf found; nil when it was not asked.
  init(process: Int32, _ result: CPUProfile, perf: PerfRecording.Stacks?) {
    document = UnwindDocument(process: process, result, perf: perf)
    self.result = result
  }

  /// The table on standard output, the footer on standard error.
  func write() throws(EBPFError) {
    guard document.samples > 0 else {
      Output.note("no samples: process \(document.process) did not run on a CPU")
      return
    }
    var table = TextTable(rightAligned: [0, 1, 2, 3, 4])
    table.add("SAMPLES", "AGREE", "PARTLY", "TABLES", "POINTERS", "FILE")
    for binary in document.files + [document.total] {
      func percent(_ share: Double) -> String { Figures.fixed(share, decimals: 1) + " %" }
      table.add(
        Figures.count(binary.samples), percent(binary.agreementPercent),
        percent(binary.partialPercent), percent(binary.tablesWholePercent),
        percent(binary.framePointersWholePercent), binary.path ?? "all")
    }
    try Output.write(table.text())
    let footer = TracerFooter()
    footer.line(
      "columns",
      "AGREE: the same frames; PARTLY: frame pointers missed some; TABLES, POINTERS: whole")
    if let walks = result.walks {
      var text = "\(Figures.count(walks.complete)) came to the outermost frame"
      for (reason, count) in walks.failures { text += "; \(Figures.count(count)) \(reason)" }
      footer.line("walks", text)
    }
    if let perf = document.perf {
      func percent(_ share: Double) -> String { Figures.fixed(share, decimals: 1) + " %" }
      footer.line(
        "perf",
        "\(Figures.count(perf.samples)) stacks; \(percent(perf.equalPercent)) as by tables, "
          + "\(percent(perf.shorterPercent)) end earlier, \(percent(perf.otherPercent)) otherwise"
          + (perf.lost > 0 ? "; \(Figures.count(perf.lost)) lost by perf" : ""))
    }
    if document.guessedFrames > 0 {
      footer.line(
        "guesses",
        "\(Figures.count(document.guessedFrames)) frames by frame pointer, in code without a table")
    }
    footer.line("symbols", result.symbolSummary)
    footer.overhead(result.overhead)
  }
}

/// The JSON of `ebpf unwind --check`.
struct UnwindDocument: Encodable {
  let process: Int32
  let samples: UInt64
  let files: [Binary]
  let total: Binary
  @Nullable var perf: Peer?
  let ends: WalkEndsDocument
  let guessedFrames: UInt64
  let overhead: OverheadDocument
  let durationNs: UInt64

  struct Binary: Encodable {
    @Nullable var path: String?
    let samples: UInt64
    let agreementPercent: Double
    let partialPercent: Double
    let tablesWholePercent: Double
    let framePointersWholePercent: Double

    init(_ binary: UnwindComparison.Binary) {
      path = binary.path.isEmpty ? nil : binary.path
      samples = binary.samples
      let all = Double(max(1, binary.samples))
      agreementPercent = Double(binary.equal) / all * 100
      partialPercent = Double(binary.partial) / all * 100
      tablesWholePercent = Double(binary.wholeByTable) / all * 100
      framePointersWholePercent = Double(binary.wholeByFramePointers) / all * 100
    }
  }

  /// How perf's stacks compare with those by table.
  struct Peer: Encodable {
    let samples: UInt64
    let equalPercent: Double
    let shorterPercent: Double
    let otherPercent: Double
    /// Samples that perf lost itself.
    let lost: UInt64

    init(_ peer: UnwindComparison.Peer, lost: UInt64) {
      samples = peer.samples
      self.lost = lost
      let all = Double(max(1, peer.samples))
      equalPercent = Double(peer.equal) / all * 100
      shorterPercent = Double(peer.shorter) / all * 100
      otherPercent = Double(peer.samples - peer.equal - peer.shorter) / all * 100
    }
  }

  init(process: Int32, _ result: CPUProfile, perf stacks: PerfRecording.Stacks?) {
    self.process = process
    let comparison = result.comparison ?? UnwindComparison()
    files = comparison.binaries.map(Binary.init)
    total = Binary(comparison.total)
    samples = comparison.total.samples
    perf = stacks.map { Peer(comparison.peer($0.callers), lost: $0.lost) }
    ends = WalkEndsDocument(result.walks ?? StackWalks())
    guessedFrames = result.guessedFrames
    overhead = OverheadDocument(result.overhead)
    durationNs = result.statistics.recordedNanoseconds
  }
}

/// The JSON of `ebpf unwind FILE`.
struct UnwindFilesDocument: Encodable {
  let files: [UnwindFileDocument]
}

/// One file's unwind table.
struct UnwindFileDocument: Encodable {
  let file: String
  let rows: Int
  let bytes: Int
  let uniqueRules: Int
  let functions: Int
  let malformedEntries: Int
  let parts: Int
  let codeBytes: UInt64
  let coveredPercent: Double

  init(_ path: String, _ summary: UnwindSummary) {
    file = path
    rows = summary.rows
    bytes = summary.bytes
    uniqueRules = summary.uniqueRules
    functions = summary.functions
    malformedEntries = summary.malformedEntries
    parts = summary.parts
    codeBytes = summary.codeBytes
    coveredPercent = Double(summary.coveredBytes) / Double(max(1, summary.codeBytes)) * 100
  }
}
