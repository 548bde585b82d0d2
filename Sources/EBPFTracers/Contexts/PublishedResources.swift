internal import EBPF
internal import EBPFSystem
public import Profiles
internal import PublishedContexts
internal import Symbolization
internal import Synchronization

/// What processes publish of themselves by OpenTelemetry's OTEP 4719, for telemetry about them.
///
/// A process is looked at when it is asked for, again after a few seconds, and what was found stays known
/// for a while after it has ended. Safe to share between threads.
public final class PublishedResources: Sendable {
  /// The most processes that are kept, those without a context included.
  private static let limit = 4096
  /// How long what was found is believed, in nanoseconds.
  private static let lifetime: UInt64 = 5_000_000_000

  private struct Known {
    var resource: [Profile.Attribute]?
    var time: UInt64
  }
  private let known = Mutex<[Int32: Known]>([:])
  private let symbolizer = Symbolizer.ofTracers()

  /// Knows nothing yet.
  public init() {}

  /// What a process says of itself, by its id in the initial pid namespace; nil when it says nothing.
  public func resource(of process: Int32) -> [Profile.Attribute]? {
    known.withLock { known in
      // Asked for in here: outside, another thread may have noted a later time meanwhile.
      let now = Clock.monotonic.now
      let before = known[process]
      if let before, now - before.time < Self.lifetime { return before.resource }
      if known.count >= Self.limit { known.removeAll() }
      let found = symbolizer.number(of: process).flatMap(Self.read)
      // Its memory goes before the last that is told of it.
      let isGone = found == nil && !symbolizer.isThere(pid: process)
      known[process] = Known(resource: isGone ? before?.resource : found, time: now)
      return known[process]?.resource
    }
  }

  private static func read(_ number: Int32) -> [Profile.Attribute]? {
    do throws(EBPFError) {
      return try ContextWatch.read(number, wantsPlace: false, isProgram: { true })?.context.resource
    } catch { return nil }  // As of one that publishes nothing: nobody is told apart by it.
  }
}
