/// Why telemetry cannot be exported the way it was asked for.
public struct ExporterError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of errors; more may follow.
  public struct Code: Sendable, Hashable {
    private enum Kind { case configuration, unsupported, file, tls, address, encoding }
    private var kind: Kind

    /// A value of the configuration cannot be used.
    public static let configuration = Code(kind: .configuration)
    /// What was asked for is not built into this exporter.
    public static let unsupported = Code(kind: .unsupported)
    /// A file or folder cannot be read or written.
    public static let file = Code(kind: .file)
    /// Certificates or keys cannot be used.
    public static let tls = Code(kind: .tls)
    /// The address to serve on cannot be had.
    public static let address = Code(kind: .address)
    /// A request cannot be written as bytes.
    public static let encoding = Code(kind: .encoding)
  }

  /// The kind, for programs.
  public var code: Code
  /// What was found: lower case, no full stop.
  public var message: String
  /// What the reader can do next.
  public var hint: String?

  /// Creates an error.
  public init(_ code: Code, _ message: String, hint: String? = nil) {
    self.code = code
    self.message = message
    self.hint = hint
  }

  /// The message, and the hint on a line of its own.
  public var description: String {
    guard let hint else { return message }
    return "\(message)\n  hint         \(hint)"
  }
}
