import ArgumentParser
import EBPF
import EBPFTracers
import ProfileFormats

/// `ebpf profile`: where the processors spend their time.
struct ProfileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "profile",
    _superCommandName: "ebpf",
    abstract: "Sample stacks on every CPU and show where time goes.",
    usage: """
      ebpf profile [-d SECONDS] [-o FILE]
      ebpf profile -p PID [-d SECONDS] [-o FILE]
      ebpf profile [-o FILE] -- COMMAND [ARGUMENT ...]
      ebpf profile --off-cpu | --wall [--min-block TIME] ...
      """,
    discussion: """
      Stacks of the kernel and of user code are taken -F times a second on each CPU, counted in \
      the kernel and named here: C, C++, Rust and Swift functions, the kernel's, and those of \
      perf map files.

      Without -d and without a command it records until Ctrl-C. The ending of -o FILE picks the \
      format: .html (interactive flame graph in one file), .svg, .folded, .pb.gz (pprof), \
      .speedscope.json.

      --off-cpu counts every context switch instead: for how long, why and in which stack threads \
      were off the CPU. Waiting for a CPU (runnable) and waiting for anything else (blocked) are told \
      apart. --wall adds the time on the CPU, which is exact for each thread and divided among its \
      stacks by samples; running, runnable and blocked add up to the time that a thread was there. \
      --wakers adds the stack of whoever ended a wait, upside down above a frame '--'.

      --live shows the hottest functions and processes, or the waits and threads, while it records; \
      Enter shows who calls a function, or a whole stack. What a command writes to the terminal meanwhile is thrown away.

      Needs CAP_BPF and CAP_PERFMON; names of other users' functions need CAP_SYS_PTRACE, names \
      of kernel functions CAP_SYSLOG.
      """)

  @Option(
    name: [.customShort("F"), .long],
    help: ArgumentHelp("Samples a second on each CPU, 1 to 1000. (default: 99)", valueName: "hz"))
  var frequency: Int?

  @Option(name: .long, help: "Rate and duration: production, staging, development or debug.")
  var preset: ProfilePreset?

  @Flag(name: [.customShort("U"), .long], help: "User stacks only.")
  var userOnly = false

  @Flag(name: [.customShort("K"), .long], help: "Kernel stacks only.")
  var kernelOnly = false

  @OptionGroup var unwinding: UnwindOptions

  @Flag(
    name: .customLong("off-cpu"),
    help: "Show the time that threads are off the CPU instead, by stack and by what they wait for.")
  var offCpu = false

  @Flag(name: .long, help: "Show all time of each thread: on the CPU, and off it.")
  var wall = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "With --off-cpu: leave out the stacks of waits shorter than this: 10us, 1ms.",
      valueName: "time"))
  var minBlock: TimeArgument?

  @Flag(
    name: .long,
    help: "With --off-cpu or --wall: show who ended each wait, and in which stack.")
  var wakers = false

  @Flag(name: .long, help: "Tell the threads of a process apart.")
  var threads = false

  @Flag(name: .long, help: "Count idle CPUs as well.")
  var idle = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Stop recording after this many samples; 0: never. (default: 100000; with --live 0)",
      valueName: "samples"))
  var maxSamples: UInt64?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write the profile to this file.", valueName: "file"))
  var output: String?

  @Option(name: .long, help: "Format instead of the file's ending: \(ProfileFormat.names).")
  var format: ProfileFormat?

  @Option(
    name: .long, help: ArgumentHelp("How many functions the table shows.", valueName: "functions"))
  var top = 20

  @OptionGroup var tracing: TracerOptions

  mutating func validate() throws {
    if let frequency, !CPUProfilerConfiguration.frequencies.contains(frequency) {
      throw ValidationError("-F takes 1 to 1000 samples a second, not \(frequency)")
    }
    if userOnly && kernelOnly { throw ValidationError("-U and -K exclude each other") }
    try validateTime()
    if top < 0 { throw ValidationError("--top takes a number of functions, not \(top)") }
    if let output, format == nil, ProfileFormat(path: output) == nil {
      throw ValidationError(
        "cannot tell the format of '\(output)'; it should end in \(ProfileFormat.endings); for "
          + "OpenTelemetry give --otlp")
    }
  }

  mutating func run() throws {
    do throws(EBPFError) {
      if let output { try ResultFile(path: output).check() }
      if recordsTime { return try recordTime() }
      let configuration = try configuration()
      let view =
        tracing.live
        ? try LiveView(LiveProfile(), name: "profile", subject: tracing.subject, interval: 1) : nil
      let containers = tracing.containerNames
      let supervision = try TracerSupervision(tracing)
      let telemetry: TelemetryOutput? = try TelemetryOutput(tracing)
      let recording = TracerRecording<CPUProfiler>(
        seconds: tracing.duration ?? presetSeconds, command: tracing.command, noun: "samples",
        containers: containers, showsProgress: view == nil, holdsCommand: walksByTable)
      let result = try recording.run(
        { command in
          var configuration = configuration
          if let command { configuration.filter.follow(command) }
          return CPUProfiler(configuration)
        }, prepare: { (tracer, process) throws(EBPFError) in try tracer.prepare(process) },
        isFull: \.isFull,
        onStart: { (tracer, loop) throws(EBPFError) in
          try view?.join(tracer, loop)
          try supervision.join([RunningTracer(tracer)], loop)
        })
      let report = ProfileReport(
        result, command: self, containers: containers, economy: supervision.economy)
      try report.write()
      telemetry?.add(result.profile)
      try telemetry?.write(isQuiet: tracing.json)
      if tracing.failOnLoss && report.hasLoss { throw EBPFError(.dataLost, report.lossSentence) }
    } catch {
      let status = Output.failure(error, json: tracing.json)
      throw error.code == .dataLost ? ExitCode.no : status
    }
  }

  /// How long the preset records.
  var presetSeconds: Double? { preset.map { Double($0.seconds) } }

  /// Which half of a stack is taken.
  var stacks: CPUProfilerConfiguration.Stacks {
    userOnly ? .user : kernelOnly ? .kernel : .both
  }

  /// True where user stacks are walked by unwind tables, which a program should have before it runs.
  var walksByTable: Bool { unwinding.unwind == .auto && !kernelOnly }

  func configuration() throws(EBPFError) -> CPUProfilerConfiguration {
    var configuration = CPUProfilerConfiguration()
    configuration.frequency = frequency ?? preset?.frequency ?? configuration.frequency
    configuration.stacks = stacks
    configuration.unwindBytes = unwinding.bytes
    configuration.unwinding = unwinding.unwinding
    configuration.separatesThreads = threads
    configuration.includesIdle = idle
    configuration.sampleLimit = maxSamples ?? (tracing.live ? 0 : configuration.sampleLimit)
    configuration.filter = try tracing.filter()
    return configuration
  }
}
