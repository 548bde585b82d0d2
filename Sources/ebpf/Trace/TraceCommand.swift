import ArgumentParser
import EBPF
import EBPFSystem
import EBPFTracers

/// `ebpf trace`: several tracers at once.
struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    _superCommandName: "ebpf",
    abstract: "Run several tracers together: one start, one end, one report.",
    usage: """
      ebpf trace TRACER[,TRACER ...] [-p PID] [-d SECONDS] [-o FOLDER]
      ebpf trace TRACER[,TRACER ...] [OPTION ...] -- COMMAND [ARGUMENT ...]
      """,
    discussion: """
      The tracers are profile, syscalls, network and memory, each as its own command runs it \
      without options. Either all of them start or none does. They record the same processes, none \
      of them this one, and end at one moment.

      With --json there is one document with a key for each tracer, which has what the tracer's own \
      command prints. -o writes a file for each into a folder: profile.html and memory.html (flame \
      graphs), syscalls.json and network.json.

      --control and --max-overhead act on all of them; the end tells what each recorded, lost and \
      cost.

      EXAMPLES
        ebpf trace profile,syscalls -d 10
        ebpf trace profile,syscalls,network,memory -o report -- make test
        ebpf trace syscalls,network -p 1234 --json | jq .network.totals

      Needs what the tracers need: CAP_BPF and CAP_PERFMON, or root.
      """)

  @Argument(
    help: ArgumentHelp(
      "The tracers, separated by commas: profile, syscalls, network, memory.",
      valueName: "tracers"))
  var tracers: TracerNames

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write each tracer's result into this folder.", valueName: "folder"))
  var output: String?

  @Flag(name: .long, help: "memory: record the allocator's calls too, by sampling.")
  var allocations = false

  @Flag(name: .long, help: "memory: record every call of the allocator.")
  var exact = false

  @Option(name: [.customShort("T"), .long], help: "How many rows each table shows.")
  var top = 10

  @OptionGroup var tracing: TracerOptions

  mutating func validate() throws {
    if tracing.live { throw ValidationError("--live shows one tracer: use that tracer's command") }
    if allocations || exact, !tracers.contains(.memory) {
      throw ValidationError("--allocations and --exact are about the tracer 'memory'")
    }
    if top < 0 { throw ValidationError("--top takes a number of rows, not \(top)") }
  }

  mutating func run() throws {
    let parts = try TraceParts(self)
    do throws(EBPFError) {
      let telemetry: TelemetryOutput? = try TelemetryOutput(tracing)
      let report = try record(parts, telemetry)
      try report.write()
      try telemetry?.write(isQuiet: tracing.json)
      if tracing.failOnLoss, let sentence = report.lossSentence {
        throw EBPFError(.dataLost, sentence)
      }
    } catch {
      let status = Output.failure(error, json: tracing.json)
      throw error.code == .dataLost ? ExitCode.no : status
    }
  }

  private func record(
    _ parts: TraceParts, _ telemetry: TelemetryOutput?
  ) throws(EBPFError) -> TraceReport {
    // A folder that cannot be is refused before anything starts.
    if let output { try TraceReport.makeFolder(output) }
    let configurations = try parts.configurations()
    let containers = tracing.containerNames
    let supervision = try TracerSupervision(tracing)
    let recording = TracerRecording<TracerGroup>(
      seconds: tracing.duration, command: tracing.command, noun: "events", containers: containers,
      holdsCommand: tracers.contains(.profile) || tracers.contains(.memory))
    let program = tracing.command.first
    let results = try recording.run(
      { child in configurations.group(following: child, program: program) },
      prepare: { (group, process) throws(EBPFError) in try group.prepare(process) },
      onStart: { (group, loop) throws(EBPFError) in
        try supervision.join(RunningTracer.members(of: group), loop)
      })
    telemetry?.add(results)
    let reports = parts.reports(results, containers)
    return TraceReport(
      reports: reports, economy: supervision.economy, json: tracing.json, folder: output)
  }
}

/// The tracers of `ebpf trace`, in the order given.
struct TracerNames: ExpressibleByArgument {
  enum Name: String, CaseIterable {
    case profile, syscalls, network, memory
  }

  let names: [Name]

  init?(argument: String) {
    var names: [Name] = []
    for word in argument.split(separator: ",", omittingEmptySubsequences: false) {
      guard let name = Name(rawValue: String(word)), !names.contains(name) else { return nil }
      names.append(name)
    }
    guard !names.isEmpty else { return nil }
    self.names = names
  }

  func contains(_ name: Name) -> Bool { names.contains(name) }
}

extension RunningTracer {
  /// The members of a group, each on its own.
  static func members(of group: TracerGroup) -> [RunningTracer] {
    let all: [RunningTracer?] = [
      group.profiler.map { RunningTracer($0) }, group.syscalls.map { RunningTracer($0) },
      group.network.map { RunningTracer($0) }, group.memory.map { RunningTracer($0) },
    ]
    return all.compactMap { $0 }
  }
}
