public import Profiles

/// A file format that a profile can be written in.
public enum ProfileFormat: String, Sendable, Hashable, CaseIterable {
  /// One file with an interactive flame graph: no network, no other files.
  case html
  /// A flame graph as a picture; shows names on hover, needs no script.
  case svg
  /// One line for each stack, as `flamegraph.pl` and many other tools read it.
  case folded
  /// pprof's protocol buffer, gzipped.
  case pprof
  /// JSON for <https://www.speedscope.app>.
  case speedscope

  /// The ending that file names of this format have, with its dot.
  public var fileEnding: String {
    switch self {
    case .html: ".html"
    case .svg: ".svg"
    case .folded: ".folded"
    case .pprof: ".pb.gz"
    case .speedscope: ".speedscope.json"
    }
  }

  /// The format that `path`'s ending stands for, in any case of letters; nil when there is none.
  public init?(path: String) {
    let lowered = path.lowercased()
    guard let format = Self.allCases.first(where: { lowered.hasSuffix($0.fileEnding) }) else {
      return nil
    }
    self = format
  }

  /// The format called `name`: `html`, `svg`, `folded`, `pprof` or `speedscope`.
  public init?(name: String) {
    self.init(rawValue: name.lowercased())
  }

  /// The bytes of a file with `profile` in this format.
  ///
  /// The same profile and options always give the same bytes.
  ///
  /// - Throws: ``ProfileFormatError`` when an index in the profile points nowhere, when a sample has
  ///   a different number of values than there are value types, or when
  ///   ``ProfileOptions/valueType`` is not one of them.
  public func encode(
    _ profile: Profile, options: ProfileOptions = ProfileOptions()
  ) throws(ProfileFormatError) -> [UInt8] {
    switch self {
    case .html: try PageEncoder.encode(profile, options: options)
    case .svg: try FlameGraphPicture.encode(profile, options: options)
    case .folded: try FoldedStacks.encode(profile, options: options)
    case .pprof: try PprofEncoder.encode(profile, options: options)
    case .speedscope: try SpeedscopeEncoder.encode(profile, options: options)
    }
  }
}
