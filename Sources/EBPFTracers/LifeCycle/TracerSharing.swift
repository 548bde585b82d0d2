internal import Symbolization

/// What tracers of one process have in common: the names of functions they looked up.
public final class TracerSharing: Sendable {
  let symbolizer = Symbolizer()

  /// Nothing looked up yet.
  public init() {}
}
