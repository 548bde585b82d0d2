#if OTLPExporter
  internal import EBPF
  internal import EBPFTelemetry
  internal import EBPFTracers
  internal import OTLP

  /// A tracer that runs for ever, and what makes telemetry of it. One thread at a time uses it.
  ///
  /// What a tracer keeps grows with what it has seen. Before that becomes much, the source is worn, and
  /// whoever has it finishes it and starts it again: that takes some milliseconds, nothing that was
  /// recorded is lost by it, and the times of what follows say where it begins.
  protocol TelemetrySource: AnyObject {
    /// The name of the tracer: `network`.
    var name: String { get }
    /// The tracer at work.
    var tracer: any Tracer { get }
    /// What it can do without.
    var means: OverheadGovernor.Means { get }
    /// What became of its events.
    var conversion: ConversionStatistics { get }
    /// True when so much is kept that it is time to begin anew.
    var isWorn: Bool { get }
    /// Begins, or begins anew with nothing kept.
    func start() throws(EBPFError)
    /// Takes over what would not wait for the next collection.
    func takeEvents() throws(EBPFError)
    /// The telemetry since the last collection.
    func collect() throws(EBPFError) -> [TelemetryExport]
    /// Ends, and returns the last telemetry; it can be started again.
    func finish() throws(EBPFError) -> [TelemetryExport]
    /// Gives up what can be made again and is not needed before the next collection.
    func releaseMemory()
    /// Leaves out what the governor says.
    func economize(_ economy: TracerEconomy) throws(EBPFError)
  }

  extension TelemetrySource {
    func takeEvents() throws(EBPFError) {}

    func releaseMemory() {}

    func economize(_ economy: TracerEconomy) throws(EBPFError) { try tracer.economize(economy) }

    /// What it has recorded, lost and cost since it began anew at `start`, or since the agent did.
    func figures(since start: UInt64?) throws(EBPFError) -> AgentTelemetry.TracerFigures {
      AgentTelemetry.TracerFigures(
        name: name, statistics: try tracer.statistics(), overhead: try tracer.overhead(),
        conversion: conversion, start: start)
    }
  }
#endif
