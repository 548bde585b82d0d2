internal import Symbolization

/// What tracers of one process have in common: the names of functions they looked up.
public final class TracerSharing: Sendable {
  private let symbolizer = Symbolizer.ofTracers()

  /// The shared one, or one that ends with its only user.
  static func symbolizer(_ sharing: TracerSharing?) -> Symbolizer {
    sharing?.symbolizer ?? Symbolizer.ofTracers()
  }

  /// Gives up what files can be asked for again: debug information that is compressed in its file is kept
  /// expanded, some megabytes for a library, for the next address. For who takes profiles seldom.
  public func releaseMemory() { symbolizer.releaseExpanded() }

  /// Nothing looked up yet.
  public init() {}
}
