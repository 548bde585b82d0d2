import EBPF
import EBPFTracers
import Profiles
import TerminalView

/// `ebpf profile --off-cpu --live` and `--wall --live`: what threads wait for, and where their time goes.
final class LiveWall: LiveSource {
  /// Time in one stack of one command.
  private struct Place {
    var command: String
    var stack: WallStack
    var nanoseconds: UInt64 = 0
    var count: UInt64 = 0
    /// In the last interval.
    var nanosecondsNow: UInt64 = 0
  }

  private struct Thread {
    var times: ThreadTimes
    /// In the last interval.
    var change: [ThreadState: UInt64]
    var switchesNow: UInt64
  }

  private let showsWakers: Bool
  private var places: [String: Place] = [:]
  private var threads: [String: Thread] = [:]
  private var seconds = 1.0

  private(set) var tables: [LiveTable]

  /// - Parameter showsWakers: with a column for who ended a wait.
  init(showsWakers: Bool) {
    self.showsWakers = showsWakers
    let waker = showsWakers ? [LiveColumn.text("WOKEN BY", rank: 2, widest: 40)] : []
    tables = [
      LiveTable(
        name: "stacks",
        columns: [
          .figure("THREADS"), .figure("TIME", rank: 3), .figure("COUNT", rank: 4),
          .text("STATE", rank: 1, widest: 24), .text("PROCESS", widest: 15),
        ] + waker + [.text("STACK")], sortColumn: 0,
        empty: "no time yet: nothing that was asked for is there"),
      LiveTable(
        name: "threads",
        columns: [
          .figure("RUNNING"), .figure("RUNNABLE"), .figure("BLOCKED", rank: 3),
          .figure("SWITCHES/s", rank: 1), .figure("ALL RUNNING", rank: 4),
          .figure("ALL RUNNABLE", rank: 5), .figure("PID", rank: 2), .figure("TID"),
          .text("COMMAND", widest: 15),
        ], sortColumn: 0, empty: "no threads yet: nothing that was asked for is there"),
    ]
  }

  var status: [String] {
    func average(_ isMeant: (ThreadState) -> Bool) -> String {
      let sum = threads.values.reduce(0) { sum, thread in
        thread.change.reduce(sum) { isMeant($1.key) ? $0 &+ $1.value : $0 }
      }
      return Figures.fixed(Double(sum) / 1e9 / seconds, decimals: 2)
    }
    return [
      "threads: \(average { $0 == .running }) running, \(average(\.isRunnable)) runnable, "
        + "\(average(\.isBlocked)) blocked"
    ]
  }

  func refresh(_ tracer: WallProfiler, seconds: Double) throws(EBPFError) {
    let result = try tracer.snapshot()
    self.seconds = seconds
    add(result.profile)
    add(result.threads)
    tables[0].rows = places.map { row($0, $1) }
    tables[1].rows = threads.map { row($0, $1) }
  }

  // MARK: - Sums

  private func add(_ profile: Profile) {
    var now: [String: Place] = [:]
    for sample in profile.samples {
      let command = profile.processes[sample.process].command
      let indices = profile.stacks[sample.stack]
      let names = indices.map { WallStack.name(profile.frames[$0]) }
      let id = command + "\u{0}" + names.joined(separator: "\u{0}")
      var place = now[id] ?? Place(command: command, stack: WallStack(profile, indices))
      place.nanoseconds &+= UInt64(clamping: sample.values[1])
      place.count &+= UInt64(clamping: sample.values[0])
      now[id] = place
    }
    for (id, place) in now {
      let before = places[id]?.nanoseconds ?? 0
      now[id]?.nanosecondsNow = LiveWall.growth(place.nanoseconds, before)
    }
    places = now
  }

  private func add(_ all: [ThreadTimes]) {
    var now: [String: Thread] = [:]
    for times in all {
      // A thread of a number that was used before is another one.
      let id = "\(times.process) \(times.thread) \(times.hasEnded)"
      let before = threads["\(times.process) \(times.thread) false"]?.times
      let isSame = before.map { $0.wall <= times.wall } ?? false
      let old = isSame ? before : nil
      let change = ThreadState.allCases.map { ($0, LiveWall.growth(times[$0], old?[$0] ?? 0)) }
      let switches = times.voluntarySwitches &+ times.involuntarySwitches
      let oldSwitches = old.map { $0.voluntarySwitches &+ $0.involuntarySwitches } ?? 0
      // What ended before the last look has changed no more.
      let isOver = times.hasEnded && threads[id] != nil
      now[id] = Thread(
        times: times, change: isOver ? [:] : Dictionary(uniqueKeysWithValues: change),
        switchesNow: isOver ? 0 : LiveWall.growth(switches, oldSwitches))
    }
    threads = now
  }

  /// A thread's record may be read while it changes, so that a figure is less than it was.
  private static func growth(_ now: UInt64, _ before: UInt64) -> UInt64 {
    now > before ? now - before : 0
  }

  // MARK: - Rows

  private func row(_ id: String, _ place: Place) -> LiveRow {
    let average = Double(place.nanosecondsNow) / 1e9 / seconds
    let isOnCPU = place.stack.state == "running"
    var cells: [LiveCell] = [
      .figure(average < 0.005 ? "" : Figures.fixed(average, decimals: 2), average),
      LiveFigures.time(place.nanoseconds), LiveFigures.count(place.count),
      .text(place.stack.state, isOnCPU ? .green : []), .text(place.command),
    ]
    if showsWakers { cells.append(.text(LiveWall.waker(place.stack))) }
    cells.append(.text(place.stack.functions.prefix(8).joined(separator: " < ")))
    return LiveRow(id: id, cells: cells)
  }

  private static func waker(_ stack: WallStack) -> String {
    guard let waker = stack.waker else { return "" }
    let functions = stack.wakerFunctions.prefix(8).joined(separator: " < ")
    return functions.isEmpty ? waker : "\(waker) in \(functions)"
  }

  private func row(_ id: String, _ thread: Thread) -> LiveRow {
    func share(_ isMeant: (ThreadState) -> Bool) -> LiveCell {
      let sum = thread.change.reduce(0) { isMeant($1.key) ? $0 &+ $1.value : $0 }
      return LiveFigures.share(Double(sum) / 1e9 / seconds, of: 1)
    }
    let times = thread.times
    return LiveRow(
      id: id,
      cells: [
        share { $0 == .running }, share(\.isRunnable), share(\.isBlocked),
        LiveFigures.rate(thread.switchesNow, seconds), LiveFigures.time(times.running),
        LiveFigures.time(times.runnable),
        .figure(String(times.process), Double(times.process)),
        .figure(String(times.thread), Double(times.thread)), .text(times.command),
      ])
  }

  // MARK: - Details

  func details(table: Int, row: String) -> LiveDetails {
    table == 0 ? placeDetails(row) : threadDetails(row)
  }

  private func placeDetails(_ row: String) -> LiveDetails {
    guard let place = places[row] else { return .gone }
    var details = LiveDetails("\(place.stack.state) in \(place.command)")
    details.lines = [
      "\(Figures.nanoseconds(place.nanoseconds)) in \(Figures.count(place.count)) times since the start.",
      "", "stack, the innermost function first",
    ]
    details.lines += place.stack.frames.map { "  " + WallStack.name($0) }
    guard let waker = place.stack.waker else { return details }
    details.lines += ["", "woken by \(waker), the innermost function first"]
    details.lines += place.stack.wakerFrames.map { "  " + WallStack.name($0) }
    return details
  }

  private func threadDetails(_ row: String) -> LiveDetails {
    guard let thread = threads[row] else { return .gone }
    let times = thread.times
    var details = LiveDetails("\(times.command) (thread \(times.thread) of \(times.process))")
    var table = TextTable(rightAligned: [0, 1])
    for state in ThreadState.allCases where times[state] > 0 {
      table.add(
        Figures.nanoseconds(times[state]),
        Figures.fixed(Double(times[state]) / Double(max(times.wall, 1)) * 100, decimals: 1) + " %",
        String(state.label.dropFirst().dropLast()))
    }
    details.lines = [
      "\(Figures.nanoseconds(times.wall)) since \(times.existedBefore ? "the start" : "it was made")"
        + (times.hasEnded ? "; it has ended." : "."),
      "\(Figures.count(times.voluntarySwitches)) times it left its CPU to wait, "
        + "\(Figures.count(times.involuntarySwitches)) times it had to.",
    ]
    details.add("time by state", table)
    return details
  }
}
