#if TracerMetrics
  import EBPF
  import EBPFTracers
  import Synchronization

  /// A tracer that has the figures it is told to have.
  final class ScriptedTracer: Tracer {
    private let figures = Mutex<(TracerStatistics, TracerOverhead)?>(nil)

    func have(_ statistics: TracerStatistics, _ overhead: TracerOverhead) {
      figures.withLock { $0 = (statistics, overhead) }
    }

    func start() {}

    func stop() -> TracerStatistics { figures.withLock { $0.take() }?.0 ?? TracerStatistics() }

    func statistics() -> TracerStatistics { figures.withLock { $0?.0 } ?? TracerStatistics() }

    func overhead() throws(EBPFError) -> TracerOverhead {
      guard let overhead = figures.withLock({ $0?.1 }) else {
        throw EBPFError(.invalidState, "cannot measure a tracer that is stopped")
      }
      return overhead
    }

    func pause() {}
    func resume() {}
    var isPaused: Bool { false }
    func kernelNanoseconds() -> UInt64? { nil }
    func setFilter(_ filter: TracerFilter) {}
    func economize(_ economy: TracerEconomy) {}
  }
#endif
