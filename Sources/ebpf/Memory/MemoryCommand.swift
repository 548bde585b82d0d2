import ArgumentParser
import EBPF
import EBPFTracers
import ProfileFormats

/// `ebpf memory`: whose memory grows, where, and what is not freed.
struct MemoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "memory",
    _superCommandName: "ebpf",
    abstract: "Show whose memory grows and where; with --allocations also what is not freed.",
    usage: """
      ebpf memory [-p PID] [-d SECONDS]
      ebpf memory --allocations [-p PID] [-d SECONDS] [-o FILE]
      ebpf memory --exact [-a] [--older MS] -- COMMAND [ARGUMENT ...]
      """,
    discussion: """
      Without more it shows growth: resident memory before and after, page faults, mappings and \
      the program break of each process, and the stacks where memory is mapped or touched first. \
      That works for every allocator and language and costs next to nothing. Processes that the \
      kernel kills for want of memory are reported with their last seconds.

      --allocations adds the allocator's own functions: malloc, calloc, realloc, reallocarray, \
      posix_memalign, aligned_alloc, memalign, valloc, pvalloc and free, in every C library and \
      executable that has them. One allocated byte in 512 KiB is picked (--sample-bytes), and \
      what is shown are unbiased estimates. --exact records every call. Either way a probe runs \
      in each call, which costs a microsecond or more; --exact measures it and says so first. A \
      program that picks allocations itself and tells of them by the USDT probes otel_memory:alloc \
      and otel_memory:free is taken at its word instead, at next to no cost.

      Stacks are walked by the programs' unwind tables, since most C and C++ libraries have no frame \
      pointers and the function that called operator new would be missing; --unwind fp follows frame \
      pointers, which takes less time for each event. Without allocations that is also how the growth \
      of the whole machine is shown: tables are for the processes that are named.

      The ending of -o FILE picks the format: .html (interactive flame graph in one file), .svg, \
      .folded, .pb.gz (pprof), .speedscope.json. Values are alloc_objects, alloc_space, \
      inuse_objects and inuse_space; without allocations page_faults, mapped_space, fault_space. \
      A picture is drawn by the last one unless --value says otherwise.

      EXAMPLES
        ebpf memory -d 10
              who grows
        ebpf memory --exact -- ./program
              exact totals and what the program did not free
        ebpf memory --live --allocations -p 1234
              live bytes by place, on the whole terminal
        ebpf memory --allocations -p 1234 -d 60 -o heap.html
              a flame graph of the heap, by sampling
        ebpf memory --exact -p 1234 -d 30 --older 10000 -a
              every block in use for more than 10 seconds
        ebpf memory --exact --object ./libjemalloc.so --prefix je_ -p 1234 -d 10
              another allocator

      PRIVILEGES
        CAP_BPF and CAP_PERFMON, or root. --allocations needs CAP_SYS_ADMIN before Linux 6.6, and \
      CAP_SYS_PTRACE for other users' processes.
      """)

  @Flag(name: .long, help: "Record the allocator's calls too, by sampling.")
  var allocations = false

  @Flag(name: .long, help: "Record every call of the allocator.")
  var exact = false

  @Option(name: .long, help: "Pick one allocated byte in so many; 524288 unless told otherwise.")
  var sampleBytes: UInt64?

  @Option(
    name: [.customLong("older")],
    help: "List only blocks in use for more than so many milliseconds.")
  var older: UInt64?

  @Option(name: [.customShort("z"), .long], help: "List only blocks of at least so many bytes.")
  var minSize: UInt64?

  @Option(name: [.customShort("Z"), .long], help: "List only blocks of at most so many bytes.")
  var maxSize: UInt64?

  @Flag(name: [.customShort("a"), .customLong("blocks")], help: "List blocks one by one.")
  var listsBlocks = false

  @Option(
    name: [.customShort("O"), .customLong("object")],
    help: "The file that has the allocator; may be repeated. The process's own are found.")
  var objects: [String] = []

  @Option(
    name: [.customShort("S"), .customLong("prefix")],
    help: "What the allocator's functions begin with: je_, mi_, tc_.")
  var prefix = ""

  @Option(name: .long, help: "How many blocks in use are remembered.")
  var maxBlocks: UInt32 = 262_144

  @Option(name: .long, help: "Take the stack of one page fault in so many; 0: of none.")
  var faultStacks: UInt32 = 16

  @Flag(name: .long, help: "Take no stacks: totals only, at less cost.")
  var noStacks = false

  @OptionGroup var unwinding: UnwindOptions

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write the profile to this file.", valueName: "file"))
  var output: String?

  @Option(name: .long, help: "Format instead of the file's ending: \(ProfileFormat.names).")
  var format: ProfileFormat?

  @Option(name: .long, help: "The value a picture shows, such as alloc_space.")
  var value: String?

  @Option(name: [.customShort("T"), .long], help: "How many rows each table shows.")
  var top = 20

  @OptionGroup var tracing: TracerOptions

  /// True where user stacks are walked by unwind tables, which a program should have before it runs.
  var walksByTable: Bool { unwinding.unwind == .auto && !noStacks }

  /// Whether the allocator's calls are recorded.
  var recordsAllocations: Bool { exact || allocations || sampleBytes != nil }

  mutating func validate() throws {
    if exact && sampleBytes != nil {
      throw ValidationError("--exact and --sample-bytes exclude each other")
    }
    let means = MemoryTracerConfiguration.sampleBytes
    if let sampleBytes, !means.contains(sampleBytes) {
      throw ValidationError("--sample-bytes takes 1 to \(means.upperBound), not \(sampleBytes)")
    }
    if !recordsAllocations {
      let needing: [(Bool, String)] = [
        (older != nil, "--older"), (minSize != nil, "-z"), (maxSize != nil, "-Z"),
        (listsBlocks, "-a"), (!objects.isEmpty, "--object"), (!prefix.isEmpty, "--prefix"),
      ]
      if let (_, name) = needing.first(where: \.0) {
        throw ValidationError("\(name) is about allocations: add --allocations or --exact")
      }
    }
    if top < 0 { throw ValidationError("--top takes a number of rows, not \(top)") }
    if maxBlocks == 0 { throw ValidationError("--max-blocks takes a number above 0") }
    if let output, format == nil, ProfileFormat(path: output) == nil {
      throw ValidationError(
        "cannot tell the format of '\(output)'; it should end in \(ProfileFormat.endings); for "
          + "OpenTelemetry give --otlp")
    }
  }

  mutating func run() throws {
    do throws(EBPFError) {
      if let output { try ResultFile(path: output).check() }
      let configuration = try configuration()
      if exact { sayCost(configuration) }
      let program = tracing.command.first
      let view =
        tracing.live
        ? try LiveView(
          LiveMemory(self), name: "memory", subject: tracing.subject, interval: 1) : nil
      let containers = tracing.containerNames
      let supervision = try TracerSupervision(tracing)
      let telemetry: TelemetryOutput? = try TelemetryOutput(tracing)
      let recording = TracerRecording<MemoryTracer>(
        seconds: tracing.duration, command: tracing.command, noun: "events",
        containers: containers, showsProgress: view == nil, holdsCommand: walksByTable)
      let result = try recording.run(
        { command in
          var configuration = configuration
          if let command { configuration.filter.follow(command) }
          return MemoryTracer(configuration, program: program)
        }, prepare: { (tracer, process) throws(EBPFError) in try tracer.prepare(process) },
        onStart: { (tracer, loop) throws(EBPFError) in
          try view?.join(tracer, loop)
          try supervision.join([RunningTracer(tracer)], loop)
        })
      let report = MemoryReport(
        result, command: self, containers: containers, economy: supervision.economy)
      try report.write()
      telemetry?.add(result)
      try telemetry?.write(isQuiet: tracing.json)
      if tracing.failOnLoss && report.hasLoss { throw EBPFError(.dataLost, report.lossSentence) }
    } catch {
      let status = Output.failure(error, json: tracing.json)
      throw error.code == .dataLost ? ExitCode.no : status
    }
  }

  /// Says what each call will cost, before the probes are there.
  private func sayCost(_ configuration: MemoryTracerConfiguration) {
    let subject =
      tracing.pid.isEmpty && tracing.command.isEmpty && tracing.comm.isEmpty
        && tracing.cgroup.isEmpty && tracing.container.isEmpty
      ? "of every process" : "in what is traced"
    do throws(EBPFError) {
      let cost = try AllocationCost.measure(configuration)
      Output.note(
        "exact: each malloc and free \(subject) will take about "
          + "\(Figures.nanoseconds(cost.nanosecondsPerPair)) longer, measured here just now"
          + (walksByTable ? " in a deep stack; --unwind fp costs less" : ""))
    } catch {
      // Starting will fail for the same reason, and say so.
      Output.note("exact: what each malloc and free will cost could not be measured")
    }
  }

  func configuration() throws(EBPFError) -> MemoryTracerConfiguration {
    var configuration = MemoryTracerConfiguration()
    if recordsAllocations {
      configuration.allocations =
        exact
        ? .exact : .sampled(bytes: sampleBytes ?? MemoryTracerConfiguration.usualSampleBytes)
    }
    configuration.allocator.objects = objects
    configuration.allocator.prefix = prefix
    configuration.blockLimit = maxBlocks
    configuration.faultPeriod = faultStacks
    configuration.takesStacks = !noStacks
    configuration.unwinding = unwinding.unwinding
    configuration.unwindBytes = unwinding.bytes
    configuration.filter = try tracing.filter()
    return configuration
  }
}
