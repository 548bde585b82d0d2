import EBPFTelemetry
import EBPFTracers
import Logging
import OTLP
import OTLPExporter
import OpenTelemetryContext
import ProfileFormats
import ServiceLifecycle
import Synchronization

/// Watches this process with two tracers, and exports what they see.
final class Observation: Service {
  private struct State {
    var profiles: ProfileTelemetry
    var calls: SyscallTelemetry
    /// The ends of the last two intervals.
    var marks: (CPUProfileMark?, CPUProfileMark?)
  }

  private let profiler = CPUProfiler(.thisProcess)
  private let syscalls = SyscallTracer(.thisProcess)
  private let exporter: TelemetryExporter
  private let interval: Duration
  private let options: TelemetryOptions
  private let state: Mutex<State>

  init(_ exporter: TelemetryExporter, every interval: Duration, logger: Logger) {
    self.exporter = exporter
    self.interval = interval
    let options = TelemetryOptions.thisProcess(name: "example-service", version: "1.0.0")
    for problem in options.problems { logger.warning("\(problem)") }
    self.options = options
    state = Mutex(
      State(
        profiles: ProfileTelemetry(options), calls: SyscallTelemetry(options), marks: (nil, nil)))
  }

  /// Says who this process is, and watches from here on. Who publishes what threads do is found by that.
  func start() throws {
    var resource: [String: ProcessContext.Value] = [:]
    for attribute in options.resource.attributes {
      if case .string(let text) = attribute.value { resource[attribute.key] = .string(text) }
    }
    try ProcessContext.publish(resource)
    try profiler.start()
    try syscalls.start()
  }

  /// Exports until a graceful shutdown.
  func run() async throws {
    do {
      try await cancelWhenGracefulShutdown {
        while true {
          try await Task.sleep(for: self.interval)
          try self.export()
        }
      }
    } catch is CancellationError {
      try profiler.pause()
      try syscalls.pause()
      try export()
    }
    _ = try profiler.stop()
    _ = try syscalls.stop()
  }

  /// Sends what was seen since the last time.
  private func export() throws {
    try state.withLock { state in
      let (profile, mark) = try profiler.snapshot(since: state.marks.1)
      state.marks = (state.marks.1, mark)
      let exports =
        state.profiles.collect(profile.profile) + state.calls.collect(try syscalls.snapshot())
      for export in exports { exporter.export(export) }
    }
  }

  /// Sends a span that has ended, soon and with others; the exporter counts what it has no room for.
  func export(_ span: SpanData) {
    let scope = Scope(
      name: "example-service", version: options.version,
      schemaURL: "https://opentelemetry.io/schemas/1.44.0")
    exporter.export(TelemetryExport([span], resource: options.resource, scope: scope))
  }

  /// A page with the flame graph of the last interval and of this one so far.
  func flameGraph() throws -> [UInt8] {
    let mark = state.withLock(\.marks.0)
    return try ProfileFormat.html.encode(profiler.snapshot(since: mark).profile.profile)
  }

  /// How often system calls were made and how long they took, for Prometheus.
  func metrics() throws -> String {
    try state.withLock { PrometheusText.page(of: $0.calls.collect(try syscalls.snapshot())).text }
  }
}
