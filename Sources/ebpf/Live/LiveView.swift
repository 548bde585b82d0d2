import EBPF
import EBPFSystem
import EBPFTracers
import TerminalView

/// A tracer's figures on the whole terminal, refreshed while it records.
///
/// It takes part in a recording: keys, signals of the terminal and its clock come through the
/// recording's loop. However the recording ends, the terminal is given back before anything else is
/// printed.
final class LiveView<Source: LiveSource>: RecordingPart {
  private let source: Source
  private let name: String
  private let subject: String
  private let signals: TerminalSignals
  private var terminal: Terminal
  private var tracer: Source.Traced?
  private var keys = TerminalKeyReader()
  private var picture: TerminalPicture
  private var state: LiveState
  /// How much had been recorded at the last refresh, in nanoseconds.
  private var recorded: UInt64 = 0
  /// No look at the tracer before this moment of the monotonic clock.
  private var nextLook: UInt64 = 0

  /// Opens the terminal, and blocks its signals: make it before any other thread is started.
  ///
  /// - Parameters:
  ///   - name: of the command: `profile`.
  ///   - subject: what is traced, in words.
  ///   - interval: seconds between refreshes.
  init(_ source: Source, name: String, subject: String, interval: Double) throws(EBPFError) {
    self.source = source
    self.name = name
    self.subject = subject
    signals = try RecordingLoop.system("signalfd") { () throws(Errno) in try TerminalSignals() }
    terminal = try RecordingLoop.system("open /dev/tty") { () throws(Errno) in
      try Terminal(farewell: TerminalPicture.leave)
    }
    let size = terminal.size
    state = LiveState(
      content: LiveContent(title: ["ebpf \(name)"], tables: source.tables), interval: interval,
      size: TerminalSize(columns: size.columns, rows: size.rows))
    picture = TerminalPicture(colours: Style.usesColours)
  }

  /// Shows the first picture and begins to take part.
  func join(_ tracer: Source.Traced, _ loop: RecordingLoop) throws(EBPFError) {
    self.tracer = tracer
    try loop.watch(signals.descriptor.rawValue, for: self)
    try loop.watch(terminal.descriptorToWatch, for: self)
    loop.setClock(every: state.interval, for: self)
    do throws(EBPFError) {
      try takeTerminal()
      try refresh()
    } catch {
      ended()
      throw error
    }
  }

  func wake(_ cause: RecordingLoop.Cause, in loop: RecordingLoop) throws(EBPFError) {
    switch cause {
    case .clock: try refresh()
    case .readable(signals.descriptor.rawValue): try takeSignals(loop)
    case .readable: try takeKeys(loop)
    }
  }

  func ended() {
    terminal.giveBack()
    // They act as usual again while the result is made and printed; nothing is lost if not.
    do throws(Errno) { try TerminalSignals.restore() } catch { return }
  }

  // MARK: - Figures

  private func refresh() throws(EBPFError) {
    guard let tracer else { return }
    // The kernel counts nothing while paused, so the figures of the last interval stay.
    if recorded == 0 || !state.isPaused && Clock.monotonic.now >= nextLook {
      let begin = Clock.threadCPU.now
      let statistics = try tracer.statistics()
      let now = statistics.recordedNanoseconds
      // Two looks at the same moment have no rates.
      let seconds = max(Double(now - min(now, recorded)) / 1e9, 1e-3)
      recorded = max(now, 1)
      try source.refresh(tracer, seconds: seconds)
      state.show(try content(tracer, statistics))
      // What takes long to look at, such as 100,000 blocks in use, is looked at less often: the view
      // takes a tenth of one CPU at most.
      nextLook = Clock.monotonic.now &+ 9 &* (Clock.threadCPU.now &- begin)
    }
    showDetails()
    draw()
  }

  private func content(
    _ tracer: Source.Traced, _ statistics: TracerStatistics
  ) throws(EBPFError) -> LiveContent {
    let cost = try tracer.overhead()
    let lost = statistics.dropped + statistics.malformed
    return LiveContent(
      title: ["ebpf \(name)", subject, LiveFigures.clock(Double(recorded) / 1e9)],
      status: source.status + [
        "\(Figures.count(statistics.recorded)) recorded",
        "tracer: \(Figures.percent(cost.cpuPercent)) CPU, "
          + Figures.bytes(cost.residentBytes + (cost.mapBytes ?? 0)),
      ],
      warning: lost == 0 ? "" : "\(Figures.count(lost)) events were lost: the figures are too low",
      tables: source.tables)
  }

  private func showDetails() {
    guard let wanted = state.details else { return }
    let details = source.details(table: wanted.table, row: wanted.id)
    state.showDetails(title: details.title, lines: details.lines)
  }

  // MARK: - Keys and signals

  private func takeKeys(_ loop: RecordingLoop) throws(EBPFError) {
    let bytes: [UInt8]
    // Without a terminal nobody looks any more: what was recorded is the result.
    do throws(Errno) { bytes = try terminal.read() } catch { return loop.end() }
    for key in keys.keys(bytes) {
      switch state.press(key) {
      case .none: break
      case .quit: return loop.end()
      case .pause: try pause()
      case .changeInterval: loop.setClock(every: state.interval, for: self)
      case .openDetails: showDetails()
      case .redraw: picture.invalidate()
      }
    }
    draw()
  }

  private func pause() throws(EBPFError) {
    guard let tracer, tracer.isPaused != state.isPaused else { return }  // by somebody else already
    if state.isPaused { try tracer.pause() } else { try tracer.resume() }
  }

  private func takeSignals(_ loop: RecordingLoop) throws(EBPFError) {
    let events = try RecordingLoop.system("read") { () throws(Errno) in try signals.take() }
    for event in events {
      switch event {
      case .resized: break
      case .ended: return loop.end()
      case .suspended:
        terminal.giveBack()
        try RecordingLoop.system("kill") { () throws(Errno) in
          try TerminalSignals.stopProcess()
        }
        try takeTerminal()
      case .continued:
        // Somebody else may have used the terminal meanwhile, and changed its settings.
        terminal.giveBack()
        try takeTerminal()
      }
    }
    draw()
  }

  // MARK: - Terminal

  private func takeTerminal() throws(EBPFError) {
    try RecordingLoop.system("tcsetattr") { () throws(Errno) in try terminal.takeOver() }
    terminal.write(TerminalPicture.enter)
    picture.invalidate()
  }

  private func draw() {
    // A terminal that is slow gets the next picture instead of all of them.
    guard terminal.isReady() else { return }
    let size = terminal.size
    let now = TerminalSize(columns: size.columns, rows: size.rows)
    state.resize(now)
    let changes = picture.update(state.lines, size: now)
    if !changes.isEmpty { terminal.write(changes) }
  }
}

/// Whether a live view is possible here.
enum LiveTerminal {
  /// Why not; nil when it is.
  static var objection: String? {
    guard StandardStream.output.columns != nil || StandardStream.error.columns != nil else {
      return "standard output and standard error lead elsewhere"
    }
    do throws(Errno) { _ = try Terminal(farewell: "") } catch {
      return "this process has none (/dev/tty: \(error.text))"
    }
    return nil
  }
}
