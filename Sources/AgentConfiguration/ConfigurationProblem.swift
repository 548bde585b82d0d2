/// What is wrong with a configuration, and where.
public struct ConfigurationProblem: Sendable, Hashable, CustomStringConvertible {
  /// The file.
  public var file: String
  /// The line, from 1; 0 for the whole file.
  public var line: Int
  /// The column, from 1; 0 for the whole file.
  public var column: Int
  /// The key with those around it: `tracers.profile.frequency`; empty for the whole text.
  public var key: String
  /// What is wrong: lower case, no full stop.
  public var message: String
  /// What the reader can do.
  public var hint: String?

  /// A problem.
  public init(
    file: String, line: Int = 0, column: Int = 0, key: String = "", message: String,
    hint: String? = nil
  ) {
    self.file = file
    self.line = line
    self.column = column
    self.key = key
    self.message = message
    self.hint = hint
  }

  /// `agent.yaml:4:16: tracers.profile.frequency: takes 1 to 1000, not 'fast'`.
  public var description: String {
    var text = line == 0 ? "\(file): " : "\(file):\(line):\(column): "
    if !key.isEmpty { text += "\(key): " }
    text += message
    if let hint { text += " (\(hint))" }
    return text
  }
}

/// A configuration that cannot be used: everything that is wrong with it, in the order of its lines.
public struct ConfigurationError: Error, Sendable, Hashable {
  /// At least one.
  public var problems: [ConfigurationProblem]

  /// An error of at least one problem.
  public init(problems: [ConfigurationProblem]) { self.problems = problems }
}
