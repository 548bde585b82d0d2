import ArgumentParser
import EBPF
import EBPFTracers

/// `ebpf profile --off-cpu` and `--wall`: where the time of threads goes.
extension ProfileCommand {
  /// True where threads' time is recorded, and not only samples.
  var recordsTime: Bool { offCpu || wall }

  /// Refuses options that have no meaning together.
  func validateTime() throws {
    if offCpu && wall { throw ValidationError("--wall has what --off-cpu has: give one of them") }
    if minBlock != nil && !recordsTime {
      throw ValidationError("--min-block goes with --off-cpu or --wall")
    }
    if wakers && !recordsTime {
      throw ValidationError("--wakers goes with --off-cpu or --wall")
    }
    guard recordsTime else { return }
    if idle { throw ValidationError("--idle counts samples: not with --off-cpu or --wall") }
    if maxSamples != nil {
      throw ValidationError("--max-samples counts samples: not with --off-cpu or --wall")
    }
    if offCpu && frequency != nil {
      throw ValidationError("--off-cpu takes no samples: leave out -F")
    }
  }

  /// Records and reports.
  func recordTime() throws(EBPFError) {
    let configuration = try wallConfiguration()
    let view =
      tracing.live
      ? try LiveView(
        LiveWall(showsWakers: wakers), name: "profile", subject: tracing.subject, interval: 1) : nil
    let containers = tracing.containerNames
    let supervision = try TracerSupervision(tracing)
    let telemetry: TelemetryOutput? = try TelemetryOutput(tracing)
    let recording = TracerRecording<WallProfiler>(
      seconds: tracing.duration ?? presetSeconds, command: tracing.command, noun: "waits",
      containers: containers, showsProgress: view == nil, holdsCommand: walksByTable)
    let result = try recording.run(
      { command in
        var configuration = configuration
        if let command { configuration.filter.follow(command) }
        return WallProfiler(configuration)
      },
      prepare: { (tracer, process) throws(EBPFError) in try tracer.prepare(process) },
      onStart: { (tracer, loop) throws(EBPFError) in
        try view?.join(tracer, loop)
        try supervision.join([RunningTracer(tracer)], loop)
      })
    let report = WallReport(
      result, command: self, containers: containers, economy: supervision.economy)
    try report.write()
    telemetry?.add(result.profile)
    try telemetry?.write(isQuiet: tracing.json)
    if tracing.failOnLoss && report.hasLoss { throw EBPFError(.dataLost, report.lossSentence) }
  }

  private func wallConfiguration() throws(EBPFError) -> WallProfilerConfiguration {
    var configuration = WallProfilerConfiguration()
    configuration.coverage = wall ? .wall : .offCPU
    configuration.frequency = frequency ?? preset?.frequency ?? configuration.frequency
    configuration.stacks = stacks
    configuration.unwindBytes = unwinding.bytes
    configuration.unwinding = unwinding.unwinding
    configuration.separatesThreads = threads
    configuration.recordsWakers = wakers
    configuration.minimumWait = minBlock?.nanoseconds ?? 0
    configuration.filter = try tracing.filter()
    return configuration
  }
}
