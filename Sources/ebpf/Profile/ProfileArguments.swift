public import ArgumentParser
public import EBPFTracers
public import ProfileFormats

extension ProfilePreset: ExpressibleByArgument {}

extension ProfileFormat: ExpressibleByArgument {
  /// A format by its name, as `--format` takes it.
  public init?(argument: String) { self.init(name: argument) }

  /// The names that `--format` takes.
  static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
  /// The endings that `-o` understands.
  static var endings: String { allCases.map(\.fileEnding).joined(separator: ", ") }
}
