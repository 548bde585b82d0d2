import ArgumentParser
import EBPF
import EBPFTracers

/// `ebpf processes`: which programs run, for how long, and how they end.
struct ProcessesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "processes",
    _superCommandName: "ebpf",
    abstract: "Follow programs from execve to their end: who, for how long, with which status.",
    usage: """
      ebpf processes [-d SECONDS] [-p PID --children] [-x] [--starts] [--forks]
      ebpf processes --json | --otlp FILE
      ebpf processes [OPTION ...] -- COMMAND [ARGUMENT ...]
      """,
    discussion: """
      A line for each program when it ends: the process, its parent, the user, how it ended, how \
      long it ran, its name and arguments. A process that executes several programs has a line for \
      each; "exec" is how all but the last end. Programs that still run at the end of the recording \
      come last. Nothing is sampled: very short programs are there as well.

      EXIT is the status, or the signal that killed it ("+core" when its memory was written to a \
      file). Of processes that were there before recording began arguments are not known: they have \
      their name in brackets, and the time since they began.

      --starts also prints a line when a program begins, as execsnoop does. --forks also shows \
      processes that end as a copy of their parent, without a program of their own; their name is in \
      brackets, too. Paths are cut after 255 bytes, arguments after 1024 ("...").

      --otlp writes a span for each program that ended, without its arguments.

      EXAMPLES
        ebpf processes                     every program of this machine, until Ctrl-C
        ebpf processes -x -d 60            what fails, for a minute
        ebpf processes -- make             what a command runs
        ebpf processes --starts -T         as they begin and end, with the time of day
        ebpf processes --json | jq 'select(.exit_code > 0) | .args'

      EXIT STATUS
        0    done
        1    something was dropped or cut, with --fail-on-loss
        2    refused or failed
        64   wrong usage
        130  interrupted twice

      PRIVILEGES
        CAP_BPF and CAP_PERFMON, or root. No tracefs is needed.
      """)

  @Flag(
    name: [.customShort("x"), .customLong("failed")],
    help: "Only programs that end with a status other than 0, or by a signal.")
  var failed = false

  @Flag(name: .long, help: "Also a line when a program begins.")
  var starts = false

  @Flag(name: .long, help: "Also processes that end without having executed anything.")
  var forks = false

  @Flag(name: [.customShort("T"), .long], help: "Begin each line with the time of day (UTC).")
  var timestamp = false

  @Option(name: .long, help: "KiB of buffer between the kernel and here.")
  var buffer = 4096

  @Flag(name: .customLong("self"), help: "Record this process too.")
  var includesSelf = false

  @OptionGroup var tracing: TracerOptions

  mutating func validate() throws {
    if tracing.live { throw ValidationError("processes are lines as they end: there is no --live") }
    if starts && failed { throw ValidationError("-x and --starts exclude each other") }
    if buffer < 4 || buffer > 1 << 20 || buffer & (buffer - 1) != 0 {
      throw ValidationError("--buffer takes a power of two of KiB from 4 to 1048576, not \(buffer)")
    }
  }

  mutating func run() throws {
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

  private func record(_ telemetry: TelemetryOutput?) throws(EBPFError) -> ProcessesReport {
    var configuration = ProcessTracerConfiguration()
    configuration.filter = try tracing.filter()
    configuration.eventBufferBytes = buffer << 10
    configuration.includesSelf = includesSelf
    configuration.measuresProgramTime = tracing.maxOverhead != nil
    let settings = configuration
    let containers = tracing.containerNames
    let supervision = try TracerSupervision(tracing)
    let lines = ProcessLines(command: self, containers: containers, telemetry: telemetry)
    let recording = TracerRecording<ProcessTracer>(
      seconds: tracing.duration, command: tracing.command, noun: "events",
      interval: EventPrinting.interval, containers: containers)
    let result = try recording.run(
      { child in
        var configuration = settings
        if let child { configuration.filter.follow(child) }
        return ProcessTracer(configuration)
      },
      onStart: { (tracer, loop) throws(EBPFError) in
        try lines.begin()
        try supervision.join([RunningTracer(tracer)], loop)
      },
      onInterval: { (tracer) throws(EBPFError) in try lines.print(tracer) })
    try lines.finish(result)
    telemetry?.add(result)
    return ProcessesReport(
      result, totals: lines.totals, json: tracing.json, economy: supervision.economy)
  }
}
