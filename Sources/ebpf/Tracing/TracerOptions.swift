import ArgumentParser
import EBPF
import EBPFSystem
import EBPFTracers

/// What every tracer's command takes: whose events, how long, and in which form.
struct TracerOptions: ParsableArguments {
  @Option(
    name: .shortAndLong, help: ArgumentHelp("Seconds to record.", valueName: "seconds"))
  var duration: Double?

  @Option(name: .shortAndLong, help: "Only this process; may be repeated.")
  var pid: [Int32] = []

  @Flag(name: .long, help: "With -p: also processes that it starts.")
  var children = false

  @Option(name: .long, help: "Only processes or threads with this command name; may be repeated.")
  var comm: [String] = []

  @Option(name: .long, help: "Only this cgroup (a path below the cgroup2 mount) and those in it.")
  var cgroup: [String] = []

  @Flag(
    name: .long,
    help: "Show the figures on the whole terminal while recording; ? lists the keys, q ends.")
  var live = false

  @Option(
    name: .long,
    help: "Only the container whose id or name begins so; may be repeated. It must be running.")
  var container: [String] = []

  @Flag(name: .long, help: "Show in which container each process runs.")
  var containers = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Listen at this path for 'ebpf control': pause, resume, filter, stats, overhead, stop. Only "
        + "the same user and root may connect.", valueName: "socket"))
  var control: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Leave out events, then stacks, then everything while recording costs more than this share of "
        + "one CPU, such as 1%; sums stay unbiased, and the end tells what was done. Measuring the "
        + "time in the kernel adds a little to each event.", valueName: "percent"))
  var maxOverhead: OverheadArgument?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Also write it for OpenTelemetry: to FILE.jsonl as JSON, a line for each request, or from "
        + "FILE.otlp to FILE.traces.otlp, FILE.metrics.otlp, ... as protocol buffers.",
      valueName: "file"))
  var otlp: OTLPFile?

  @Flag(name: .long, help: "Print the result as JSON.")
  var json = false

  @Flag(name: .long, help: "Exit with status 1 when something was lost or cut.")
  var failOnLoss = false

  @Argument(parsing: .postTerminator, help: "A command to run and trace.")
  var command: [String] = []

  mutating func validate() throws {
    if let duration, !(duration > 0 && duration <= 86_400 * 366) {
      throw ValidationError("-d takes a number of seconds above 0")
    }
    if let bad = pid.first(where: { $0 <= 0 }) {
      throw ValidationError("-p takes a process id, not \(bad)")
    }
    if !command.isEmpty && !pid.isEmpty {
      throw ValidationError("give a process with -p or a command after --, not both")
    }
    if live, let objection = LiveTerminal.objection {
      throw ValidationError("--live needs a terminal: \(objection)")
    }
  }

  /// The filter that was asked for; a command's own process is added when it is started.
  func filter() throws(EBPFError) -> TracerFilter {
    for process in pid { try Self.expectProcess(process) }
    var filter = TracerFilter()
    filter.processes = Set(pid)
    filter.followsChildren = children
    filter.commands = Set(comm)
    for path in cgroup { filter.cgroups.insert(try ControlGroup.id(of: path)) }
    for prefix in container { try filter.addContainer(prefix) }
    return filter
  }

  /// Throws when there is no such process; without /proc nobody knows.
  static func expectProcess(_ process: Int32) throws(EBPFError) {
    guard FileSystem.exists("/proc/self"), !FileSystem.exists("/proc/\(process)") else { return }
    throw EBPFError(
      .notFound, "there is no process \(process)", hint: "ps -e lists those that there are")
  }

  /// What looks up containers, where they are shown.
  var containerNames: ContainerNames? { containers || json ? ContainerNames() : nil }

  /// What is traced, in words.
  var subject: String {
    if !command.isEmpty { return command.joined(separator: " ") }
    if !pid.isEmpty { return "process " + pid.map(String.init).joined(separator: ", ") }
    return "all processes"
  }
}

/// A share of one CPU: `1%`, `0.5`; a bare number is percent.
struct OverheadArgument: ExpressibleByArgument {
  /// 0.01 for one percent.
  let share: Double

  init?(argument: String) {
    let digits = argument.hasSuffix("%") ? argument.dropLast() : argument[...]
    guard let percent = Double(digits), percent >= 0.001, percent <= 100_000 else { return nil }
    share = percent / 100
  }
}
