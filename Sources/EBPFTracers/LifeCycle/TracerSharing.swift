internal import Symbolization

/// What tracers of one process have in common: the names of functions they looked up.
public final class TracerSharing: Sendable {
  private let symbolizer = Symbolizer.ofTracers()

  /// The shared one, or one that ends with its only user.
  static func symbolizer(_ sharing: TracerSharing?) -> Symbolizer {
    sharing?.symbolizer ?? Symbolizer.ofTracers()
  }

  /// Nothing looked up yet.
  public init() {}
}
