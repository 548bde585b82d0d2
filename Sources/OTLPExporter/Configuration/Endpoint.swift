public import OTLP

/// Where requests go: an `http` or `https` URL, checked.
public struct Endpoint: Sendable, Hashable, CustomStringConvertible {
  /// Whether TLS is used.
  public var isSecure: Bool
  /// A name or an address; an IPv6 address without its brackets.
  public var host: String
  /// The port.
  public var port: Int
  /// The path and what follows it; begins with a slash.
  public var path: String

  /// Creates an endpoint from its parts.
  public init(isSecure: Bool, host: String, port: Int, path: String) {
    self.isSecure = isSecure
    self.host = host
    self.port = port
    self.path = path
  }

  /// Parses a URL.
  ///
  /// - Parameter variable: where the URL comes from, for the error.
  public init(_ text: String, variable: String) throws(ExporterError) {
    func refused(_ why: String, _ hint: String) -> ExporterError {
      ExporterError(.configuration, "\(variable) is '\(Endpoint.shown(text))': \(why)", hint: hint)
    }
    let example = "write it like http://collector.example:4318"
    guard text.utf8.count <= 4096, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      throw refused("a URL has only printable ASCII, and at most 4096 bytes", example)
    }
    guard let colon = text.firstRange(of: "://") else {
      throw refused("it has no scheme", example)
    }
    switch text[..<colon.lowerBound].lowercased() {
    case "http": isSecure = false
    case "https": isSecure = true
    case let scheme: throw refused("'\(scheme)' is neither http nor https", example)
    }
    let rest = text[colon.upperBound...]
    let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
    let authority = rest[..<end]
    guard !authority.contains("@") else {
      throw refused(
        "it holds a user name or password",
        "give credentials as OTEL_EXPORTER_OTLP_HEADERS=authorization=Basic%20…")
    }
    guard !rest[end...].contains("#") else { throw refused("it has a fragment", example) }
    let portText: Substring
    if authority.first == "[" {
      guard let close = authority.firstIndex(of: "]") else {
        throw refused("'[' has no ']'", example)
      }
      host = String(authority[authority.index(after: authority.startIndex)..<close])
      let after = authority[authority.index(after: close)...]
      guard after.isEmpty || after.first == ":" else { throw refused("no port after ']'", example) }
      portText = after.dropFirst()
    } else {
      let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count <= 2 else {
        throw refused("an IPv6 address needs brackets", "write it like http://[::1]:4318")
      }
      host = String(parts[0])
      portText = parts.count == 2 ? parts[1] : ""
    }
    guard !host.isEmpty else { throw refused("it names no host", example) }
    if portText.isEmpty {
      port = isSecure ? 443 : 80
    } else {
      guard let number = UInt16(portText), number > 0 else {
        throw refused("'\(portText)' is no port", "a port is a number from 1 to 65535")
      }
      port = Int(number)
    }
    let tail = rest[end...]
    path = tail.first == "/" ? String(tail) : "/" + tail
  }

  /// This endpoint with a signal's path behind its own: what a general endpoint means for a signal.
  public func appending(_ signal: TelemetrySignal) -> Endpoint {
    var result = self
    let query = path.firstIndex(of: "?") ?? path.endIndex
    var base = path[..<query]
    while base.last == "/" { base = base.dropLast() }
    result.path = "\(base)/\(signal.path)\(path[query...])"
    return result
  }

  /// The URL, with the port written out.
  public var description: String { "\(origin)\(path)" }

  /// The URL up to the port.
  public var origin: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return "\(isSecure ? "https" : "http")://\(name):\(port)"
  }

  /// A URL for an error message: no control characters, no password, not endless.
  private static func shown(_ text: String) -> String {
    var visible = text.unicodeScalars.prefix(200).map { scalar in
      scalar.value < 0x20 || scalar.value == 0x7f ? "?" : String(Character(scalar))
    }.joined()
    if let at = visible.lastIndex(of: "@") {
      let start = visible.firstRange(of: "://")?.upperBound ?? visible.startIndex
      if start < at { visible.replaceSubrange(start..<at, with: "…") }
    }
    return visible
  }
}
