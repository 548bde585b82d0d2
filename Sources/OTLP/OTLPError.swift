/// A message that cannot be written.
public struct OTLPError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What could not be written, and why.
  public var message: String

  /// Creates an error.
  public init(_ message: String) { self.message = message }

  /// The message.
  public var description: String { message }
}
