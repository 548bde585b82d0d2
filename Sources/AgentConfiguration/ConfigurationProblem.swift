/// What is wrong with a configuration, and where.
public struct ConfigurationProblem: Sendable, Hashable, CustomStringConvertible {
  /// The file.
  public var file: String
  /// The line, from 1.
  public var line: Int
  /// The column, from 1.
  public var column: Int
  /// The key with those around it: `tracers.profile.frequency`; empty for the whole text.
  public var key: String
  /// What is wrong: lower case, no full stop.
  public var message: String
  /// What the reader can do.
  public var hint: String?

  /// `agent.yaml:4:16: tracers.profile.frequency: takes 1 to 1000, not 'fast'`.
  public var description: String {
    var text = "\(file):\(line):\(column): "
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
}
