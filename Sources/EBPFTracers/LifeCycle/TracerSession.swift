internal import EBPF

/// A tracer between start and stop: what it has in the kernel, and what it read from there.
///
/// ``TracerLifeCycle`` pauses, resumes and finishes it from one thread at a time; figures may be
/// asked for from others meanwhile. Everything is given back when the last reference goes, or at
/// ``unload()``.
protocol TracerSession: AnyObject, Sendable {
  /// What stopping returns.
  associatedtype Result: Sendable

  /// When recording began, in nanoseconds of the monotonic clock.
  var recordingSince: UInt64 { get }
  /// Switches recording off and on; everything stays loaded and attached.
  func setPaused(_ isPaused: Bool) throws(EBPFError)
  /// What was recorded and lost so far; ``TracerStatistics/recordedNanoseconds`` is filled in by the
  /// caller.
  func statistics() throws(EBPFError) -> TracerStatistics
  /// What the tracer has cost so far.
  func overhead() throws(EBPFError) -> TracerOverhead
  /// Time the kernel spent in the tracer's programs; nil where it is not measured.
  func kernelNanoseconds() throws(EBPFError) -> UInt64?
  /// Leaves out what costs too much.
  func economize(_ economy: TracerEconomy) throws(EBPFError)
  /// Detaches, reads what is left and makes the result of it, recorded over so many nanoseconds.
  func finish(recordedNanoseconds: UInt64) throws(EBPFError) -> Result
  /// Gives everything back to the kernel.
  func unload()
}
