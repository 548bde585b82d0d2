/// Why a profile could not be written.
public struct ProfileFormatError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What was found: lower case, no full stop.
  public var message: String
  /// What the reader can do next.
  public var hint: String?

  /// Creates an error.
  public init(_ message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
  }

  /// The message, and the hint on a line of its own.
  public var description: String {
    guard let hint else { return message }
    return "\(message)\n  hint         \(hint)"
  }
}
