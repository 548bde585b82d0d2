import EBPFTelemetry
import EBPFTracers
import Logging
import OTLPExporter
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
  private let state: Mutex<State>

  init(_ exporter: TelemetryExporter, every interval: Duration, logger: Logger) {
    self.exporter = exporter
    self.interval = interval
    let options = TelemetryOptions.thisProcess(name: "example-service", version: "1.0.0")
    for problem in options.problems { logger.warning("\(problem)") }
    state = Mutex(
      State(
        profiles: ProfileTelemetry(options), calls: SyscallTelemetry(options), marks: (nil, nil)))
  }

  /// Watches from here on.
  func start() throws {
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
