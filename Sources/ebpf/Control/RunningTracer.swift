import EBPF
import EBPFTracers

/// A tracer of a recording, as those see it who control it from outside.
struct RunningTracer {
  /// The name of its command: `syscalls`.
  let name: String
  let tracer: any Tracer
  /// What it can do without.
  let means: OverheadGovernor.Means
  /// `totals` of its summary, so far.
  let totals: () throws(EBPFError) -> any Encodable
  /// Changes which system calls are recorded; nil where there are none.
  var select: ((SyscallSelection) throws(EBPFError) -> Void)?
}

extension RunningTracer {
  /// Pauses it; one that is paused stays so.
  func pause() throws(EBPFError) { if !tracer.isPaused { try tracer.pause() } }

  /// Lets it record again; one that does goes on.
  func resume() throws(EBPFError) { if tracer.isPaused { try tracer.resume() } }

  /// `running` or `paused`.
  var state: String { tracer.isPaused ? "paused" : "running" }
}

extension RunningTracer {
  init(_ tracer: CPUProfiler) {
    self.init(
      name: "profile", tracer: tracer, means: .init(sendsEvents: false, takesStacks: true),
      totals: { () throws(EBPFError) in ProfileTotalsDocument(try tracer.snapshot().profile) })
  }

  init(_ tracer: WallProfiler) {
    self.init(
      name: "profile", tracer: tracer, means: .init(sendsEvents: false, takesStacks: true),
      totals: { () throws(EBPFError) in WallDocument.Progress(try tracer.statistics()) })
  }

  init(_ tracer: SyscallTracer) {
    let configuration = tracer.configuration
    self.init(
      name: "syscalls", tracer: tracer,
      means: .init(
        sendsEvents: configuration.sendsEvents, takesStacks: configuration.stacksOver != nil),
      totals: { () throws(EBPFError) in SyscallsDocument.Totals(try tracer.snapshot()) },
      select: { (selection) throws(EBPFError) in try tracer.setSelection(selection) })
  }

  init(_ tracer: NetworkTracer) {
    self.init(
      name: "network", tracer: tracer, means: .init(sendsEvents: false, takesStacks: false),
      totals: { () throws(EBPFError) in NetworkDocument.Totals(try tracer.activity()) })
  }

  init(_ tracer: ProcessTracer) {
    self.init(
      name: "processes", tracer: tracer, means: .init(sendsEvents: false, takesStacks: false),
      totals: { () throws(EBPFError) in ProcessesDocument.Progress(try tracer.snapshot()) })
  }

  init(_ tracer: MemoryTracer) {
    self.init(
      name: "memory", tracer: tracer,
      means: .init(sendsEvents: false, takesStacks: tracer.configuration.takesStacks),
      totals: { () throws(EBPFError) in MemoryDocument.Totals(try tracer.totals()) })
  }
}
