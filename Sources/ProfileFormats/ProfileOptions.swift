internal import Profiles

/// How to write a profile, and what to say about it.
public struct ProfileOptions: Sendable, Hashable {
  /// What stands at the top of a picture; nil makes one from the command line or the value type.
  public var title: String?
  /// Index into ``Profiles/Profile/valueTypes`` of the value that widths and percentages count; nil
  /// takes the first for folded stacks (a count, as other tools write them) and the last otherwise.
  public var valueType: Int?
  /// What is directly above the stacks; nil takes each format's own: commands in folded stacks,
  /// processes in speedscope files, nothing in pictures.
  public var grouping: CallTree.Grouping?
  /// Which end of a stack the tree of a picture starts with.
  public var direction = CallTree.Direction.fromRoot
  /// Whether folded names of kernel functions end in `_[k]` and those of jitted ones in `_[j]`.
  public var marksKinds = true
  /// The colours of a picture's native functions.
  public var palette = Palette.hot
  /// The facts about the recording that are printed with it.
  public var recording = Recording()

  /// Creates the default options.
  public init() {}

  /// Colours of native functions.
  public enum Palette: String, Sendable, Hashable {
    /// Yellow to red: time on the CPU.
    case hot
    /// Blue to cyan: time off it.
    case cold
  }

  /// What is known about how a profile was made; what is not known is left out of the output.
  public struct Recording: Sendable, Hashable {
    /// The machine's name.
    public var host: String?
    /// The kernel's release.
    public var kernel: String?
    /// What was run to record it, or what was recorded.
    public var commandLine: String?
    /// Samples a second on each processor.
    public var frequency: Double?
    /// How many processors were sampled.
    public var processors: Int?
    /// How many samples were taken; nil counts them from a value type in unit `count`.
    public var samples: UInt64?
    /// Samples that were lost for lack of room.
    public var dropped: UInt64 = 0
    /// Samples whose stack was cut off.
    public var truncated: UInt64 = 0
    /// Frames without a name.
    public var unresolved: UInt64 = 0
    /// The program that wrote it, with its version.
    public var tool: String?

    /// Creates facts of which nothing is known.
    public init() {}
  }
}

extension ProfileOptions {
  /// The value that `profile` is measured by, checked against it.
  func valueIndex(of profile: Profile, default index: Int) throws(ProfileFormatError) -> Int {
    let chosen = valueType ?? index
    guard profile.valueTypes.indices.contains(chosen) else {
      let names = profile.valueTypes.map { "'\($0.type)'" }.joined(separator: ", ")
      throw ProfileFormatError(
        "there is no value type \(chosen): the profile has \(profile.valueTypes.count)",
        hint: names.isEmpty ? "a profile needs at least one value type" : "it has \(names)")
    }
    return chosen
  }
}

extension Profile {
  /// Checks that every index points somewhere, so that encoders need not.
  func check() throws(ProfileFormatError) {
    guard !valueTypes.isEmpty else {
      throw ProfileFormatError("the profile has no value type")
    }
    for (index, frame) in frames.enumerated() {
      if let mapping = frame.mapping, !mappings.indices.contains(mapping) {
        throw Self.dangling("frame", index, "mapping", mapping, mappings.count)
      }
    }
    for (index, stack) in stacks.enumerated() {
      for frame in stack where !frames.indices.contains(frame) {
        throw Self.dangling("stack", index, "frame", frame, frames.count)
      }
    }
    for (index, sample) in samples.enumerated() {
      guard stacks.indices.contains(sample.stack) else {
        throw Self.dangling("sample", index, "stack", sample.stack, stacks.count)
      }
      guard processes.indices.contains(sample.process) else {
        throw Self.dangling("sample", index, "process", sample.process, processes.count)
      }
      if let span = sample.span, !spans.indices.contains(span) {
        throw Self.dangling("sample", index, "span", span, spans.count)
      }
      guard sample.values.count == valueTypes.count else {
        throw ProfileFormatError(
          "sample \(index) has \(sample.values.count) values for \(valueTypes.count) value types")
      }
    }
  }

  private static func dangling(
    _ owner: String, _ index: Int, _ kind: String, _ target: Int, _ count: Int
  ) -> ProfileFormatError {
    ProfileFormatError("\(owner) \(index) refers to \(kind) \(target) of \(count)")
  }
}
