import EBPF
import EBPFTracers

/// What takes part in a recording because `--control` or `--max-overhead` was given.
final class TracerSupervision {
  private let control: ControlPart?
  private let limit: Double?
  private var governor: GovernorPart?

  /// Makes the control socket, so that a path that cannot be one is refused before anything starts.
  init(_ options: TracerOptions) throws(EBPFError) {
    control = try options.control.map { (path) throws(EBPFError) in try ControlPart(path: path) }
    limit = options.maxOverhead?.share
  }

  /// Begins, with the tracers that have just been started.
  func join(_ tracers: [RunningTracer], _ loop: RecordingLoop) throws(EBPFError) {
    if let limit {
      let part = try GovernorPart(limit: limit, tracers)
      part.join(loop)
      governor = part
    }
    try control?.join(ControlDesk(tracers: tracers, governor: governor), loop)
  }

  /// What was left out to save; nil without a limit.
  var economy: GovernorState? { governor?.state }
}
