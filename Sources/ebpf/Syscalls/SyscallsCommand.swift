import ArgumentParser
import EBPF
import EBPFTracers

/// `ebpf syscalls`: which system calls are made, by whom, how long they take and how they fail.
struct SyscallsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "syscalls",
    _superCommandName: "ebpf",
    abstract: "Count, time and trace system calls.",
    usage: """
      ebpf syscalls [-p PID | --comm NAME | --cgroup PATH] [-d SECONDS] [-i SECONDS]
      ebpf syscalls --by process|cgroup|errno [-x] [-T ROWS]
      ebpf syscalls --trace [--syscalls LIST] [-x] [--min-latency TIME]
      ebpf syscalls [OPTION ...] -- COMMAND [ARGUMENT ...]
      """,
    discussion: """
      Every system call is counted and timed in the kernel: by number, by process or cgroup, and \
      by errno. Nothing is sampled; what finds no room is counted and told. Without -d and without a \
      command it records until Ctrl-C.

      The table has the calls, those that failed, the time inside them altogether, and their mean, \
      median, 99th percentile and longest. Percentiles come from a histogram with four buckets for \
      each power of two: they are at most a quarter too large. "unreturned" calls are those of \
      threads that were still inside at the end, that were killed inside, and exit_group, which \
      never returns. Calls that threads had entered before recording began are not in the table; \
      the footer tells how many there were.

      32-bit calls are kept apart, as "name [32]". This process itself is left out, unless with \
      --self.

      --syscalls takes names separated by commas. The first name makes a list of what is recorded; \
      a name after ! is left out. Programs that call the C library's open() make the system call \
      openat.

      --trace prints each call when it returns: seconds since the start, process, thread if it is \
      another, command, then the call with its arguments as strace writes them, and how long it \
      took. Paths are cut after 511 bytes ("..."), data after 64. When the buffer is full a call is \
      not printed; it is counted as dropped, and is in the totals.

      --otlp writes metrics, and a span for each call that fails or takes 10 ms (not with --live). \
      Without --trace only those calls leave the kernel as events.

      All filters act in the kernel: what is left out costs little.

      EXAMPLES
        ebpf syscalls -d 10                        which calls, for ten seconds
        ebpf syscalls -p 1234 -L -i 1              by time inside, every second
        ebpf syscalls --live --by process          who calls most, on the whole terminal
        ebpf syscalls --by errno -x                who fails, and with what
        ebpf syscalls --histogram --syscalls fsync how long fsync takes
        ebpf syscalls --trace -x -- ls /nowhere    what a command tries in vain
        ebpf syscalls --trace --min-latency 10ms --stacks -p 1234
        ebpf syscalls --summary -- make            as strace -c, at a hundredth of its cost

      EXIT STATUS
        0    done
        1    something was dropped or cut, with --fail-on-loss
        2    refused or failed
        64   wrong usage
        130  interrupted twice

      PRIVILEGES
        CAP_BPF and CAP_PERFMON, or root. No tracefs is needed. Function names in --stacks of other \
      users' processes need CAP_SYS_PTRACE.
      """)

  @Flag(
    name: [.customShort("P"), .long], help: "A row for each process: the same as --by process.")
  var process = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What the rows are: syscall, process, cgroup or errno. (default: syscall)",
      valueName: "column"))
  var by: SyscallsGrouping?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Only these calls, by name: openat,read; all but those after !: !futex,!nanosleep",
      valueName: "list"))
  var syscalls: [String] = []

  @Flag(name: [.customShort("x"), .customLong("failed")], help: "Only calls that fail.")
  var failed = false

  @Option(
    name: [.customShort("e"), .customLong("errno")],
    help: ArgumentHelp(
      "Only calls that fail with this errno, such as ENOENT; may be repeated.", valueName: "errno"))
  var errnos: [ErrnoArgument] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Only calls that take at least this long: 500us, 10ms, 1s.", valueName: "time"))
  var minLatency: TimeArgument?

  @Flag(
    name: [.customShort("L"), .customLong("latency")],
    help: "Order by the time inside calls instead of their number.")
  var latency = false

  @Option(name: [.customShort("T"), .customLong("top")], help: "How many rows; 0: all.")
  var top = 20

  @Option(
    name: [.customShort("i"), .customLong("interval")],
    help: ArgumentHelp("Print what is new every so many seconds.", valueName: "seconds"))
  var interval: Double?

  @Flag(name: .long, help: "Print a histogram of durations for each call.")
  var histogram = false

  @Flag(name: .long, help: "Print each call with its arguments.")
  var trace = false

  @Flag(
    name: .long,
    help: "With --trace: the user stack of calls that fail, or take --min-latency (1 ms).")
  var stacks = false

  @Flag(name: .long, help: "The totals at the end as strace -c prints them; with --trace as well.")
  var summary = false

  @Option(
    name: .long, help: "Room for combinations of process or cgroup, call and errno.")
  var keys = 65_536

  @Option(name: .long, help: "With --trace: MiB of buffer between the kernel and here.")
  var buffer = 8

  @Flag(name: .customLong("self"), help: "Record this process too.")
  var includesSelf = false

  @Flag(
    name: .long,
    help: "Measure the time of the tracer's own programs; that adds to each call.")
  var programTime = false

  @Flag(
    name: [.customShort("l"), .customLong("list")], help: "List the names of all system calls.")
  var list = false

  @OptionGroup var tracing: TracerOptions

  mutating func validate() throws {
    if process, let by, by != .process {
      throw ValidationError("-P and --by \(by.rawValue) exclude each other")
    }
    if top < 0 { throw ValidationError("-T takes a number of rows, not \(top)") }
    if let interval, !(interval >= 0.1 && interval <= 86_400) {
      throw ValidationError("-i takes seconds, at least 0.1")
    }
    if tracing.live && trace { throw ValidationError("--live and --trace exclude each other") }
    if stacks && !trace { throw ValidationError("--stacks goes with --trace") }
    if keys < 1 || keys > 1 << 24 {
      throw ValidationError("--keys takes 1 to \(1 << 24), not \(keys)")
    }
    if buffer < 1 || buffer > 1024 || buffer & (buffer - 1) != 0 {
      throw ValidationError("--buffer takes a power of two of MiB from 1 to 1024, not \(buffer)")
    }
    do throws(EBPFError) { _ = try selection() } catch {
      throw ValidationError(error.hint.map { "\(error.message); \($0)" } ?? error.message)
    }
  }

  mutating func run() throws {
    if list {
      try Output.result(SyscallTable.host.names.sorted().map { $0 + "\n" }.joined())
      return
    }
    do throws(EBPFError) {
      let telemetry: TelemetryOutput? = try TelemetryOutput(tracing)
      let report = try record(telemetry)
      try report.write()
      try telemetry?.write(isQuiet: tracing.json)
      if tracing.failOnLoss && report.hasLoss { throw EBPFError(.dataLost, report.lossSentence) }
    } catch {
      let status = Output.failure(error, json: tracing.json)
      throw error.code == .dataLost ? ExitCode.no : status
    }
  }

  /// What the rows are.
  var grouping: SyscallsGrouping { by ?? (process ? .process : .syscall) }

  private func record(_ telemetry: TelemetryOutput?) throws(EBPFError) -> SyscallsReport {
    var configuration = try configuration()
    if !trace, !tracing.live, let telemetry {
      configuration.sendsEvents = true
      configuration.eventRule = telemetry.syscallRule
    }
    configuration.linksSpans = telemetry != nil
    let settings = configuration
    for name in settings.selection.allowed {
      if let advice = SyscallSelection.advice(for: name) { Output.note("note: \(advice)") }
    }
    let containers = tracing.containerNames
    let supervision = try TracerSupervision(tracing)
    let live = SyscallsLive(command: self, containers: containers, telemetry: telemetry)
    let view =
      tracing.live
      ? try LiveView(
        LiveSyscalls(grouping: grouping), name: "syscalls", subject: tracing.subject,
        interval: interval ?? 1) : nil
    let recording = TracerRecording<SyscallTracer>(
      seconds: tracing.duration, command: tracing.command, noun: "calls",
      interval: view == nil ? settings.sendsEvents ? EventPrinting.interval : interval : nil,
      containers: containers, showsProgress: view == nil)
    let result = try recording.run(
      { child in
        var configuration = settings
        if let child { configuration.filter.follow(child) }
        return SyscallTracer(configuration)
      },
      onStart: { (tracer, loop) throws(EBPFError) in
        try view?.join(tracer, loop)
        try supervision.join([RunningTracer(tracer)], loop)
      },
      onInterval: { (tracer) throws(EBPFError) in try live.tick(tracer) })
    try live.finish(result)
    telemetry?.add(result)
    return SyscallsReport(
      result, command: self, containers: containers, economy: supervision.economy)
  }

  private func selection() throws(EBPFError) -> SyscallSelection {
    try SyscallSelection(parsing: syscalls.joined(separator: ","))
  }

  func configuration() throws(EBPFError) -> SyscallTracerConfiguration {
    var configuration = SyscallTracerConfiguration()
    configuration.filter = try tracing.filter()
    configuration.selection = try selection()
    configuration.results.failedOnly = failed
    configuration.results.errnos = Set(errnos.map(\.number))
    configuration.results.minimumNanoseconds = minLatency?.nanoseconds ?? 0
    // Telling processes apart costs a look-up for each call: only where somebody sees it.
    configuration.grouping =
      grouping == .cgroup ? .cgroup : grouping == .process || tracing.json ? .process : .none
    configuration.keys = keys
    configuration.sendsEvents = trace
    configuration.eventBufferBytes = buffer << 20
    if stacks { configuration.stacksOver = minLatency?.nanoseconds ?? 1_000_000 }
    configuration.includesSelf = includesSelf
    configuration.measuresProgramTime = programTime || tracing.maxOverhead != nil
    return configuration
  }
}
