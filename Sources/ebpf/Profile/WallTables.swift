import EBPFTracers
import Profiles

/// The tables of `ebpf profile --off-cpu` and `--wall`.
enum WallTables {
  /// Whose time went where: a row for each thread, or each process.
  static func threads(
    _ result: WallProfile, limit: Int, _ command: ProfileCommand, _ containers: ContainerNames?
  ) -> TextTable {
    let separate = command.threads || command.wall
    let rows = separate ? result.threads : ThreadTimes.byProcess(result.threads)
    var table = TextTable(rightAligned: [0, 1, 2, 3, 4, 5])
    let container = command.tracing.containers ? ["CONTAINER"] : []
    table.add(
      ["WALL", "RUNNING", "RUNNABLE", "BLOCKED", "SWITCHES", separate ? "TID" : "PID", "COMMAND"]
        + container)
    // Time that it ran or wanted to comes before time that it waited.
    let sorted = rows.sorted {
      ($1.running &+ $1.runnable, $1.blocked, $0.thread)
        < ($0.running &+ $0.runnable, $0.blocked, $1.thread)
    }
    for row in sorted.prefix(limit) {
      let place = containers?.column(cgroup: nil, process: row.process) ?? "-"
      table.add(
        [
          Figures.nanoseconds(row.wall), Figures.nanoseconds(row.running),
          Figures.nanoseconds(row.runnable), Figures.nanoseconds(row.blocked),
          Figures.count(row.voluntarySwitches &+ row.involuntarySwitches),
          String(separate ? row.thread : row.process), row.command,
        ] + (container.isEmpty ? [] : [place]))
    }
    return table
  }

  /// The stacks with most time: the state, and the functions from the one that waits to its callers.
  static func stacks(_ profile: Profile, limit: Int, width: Int) -> TextTable {
    struct Place: Hashable {
      let command: String
      let stack: Int
    }
    var sums: [Place: (time: Int64, count: Int64)] = [:]
    for sample in profile.samples {
      let place = Place(command: profile.processes[sample.process].command, stack: sample.stack)
      let sum = sums[place] ?? (0, 0)
      sums[place] = (sum.time &+ sample.values[1], sum.count &+ sample.values[0])
    }
    let sorted = sums.sorted {
      ($1.value.time, $0.key.stack, $0.key.command) < ($0.value.time, $1.key.stack, $1.key.command)
    }
    var table = TextTable(rightAligned: [0, 1])
    let wakers = profile.frames.contains { $0.kind == .marker && $0.name == WallWake.separator }
    table.add(["TIME", "COUNT", "STATE", "COMMAND"] + (wakers ? ["WOKEN BY"] : []) + ["STACK"])
    for (place, sum) in sorted.prefix(limit) {
      let stack = WallStack(profile, profile.stacks[place.stack])
      let width = max(24, width - (wakers ? 104 : 60))
      let waker = stack.waker.map { who in
        who + (stack.wakerFunctions.isEmpty ? "" : " in " + cut(stack.wakerFunctions, to: 32))
      }
      table.add(
        [
          Figures.nanoseconds(UInt64(clamping: sum.time)),
          Figures.count(UInt64(clamping: sum.count)), stack.state, place.command,
        ] + (wakers ? [waker ?? "-"] : []) + [cut(stack.functions, to: width)])
    }
    return table
  }

  /// As many functions as fit.
  private static func cut(_ functions: [String], to width: Int) -> String {
    var text = ""
    for (index, function) in functions.enumerated() {
      let next = (index == 0 ? "" : " < ") + function
      if text.count + next.count > width { return text + (index == 0 ? next.prefix(width) : " …") }
      text += next
    }
    return text
  }
}
