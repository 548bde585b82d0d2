/// The proxies that `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name, in either case.
public struct ProxyEnvironment: Sendable, Hashable {
  /// The value of `http_proxy` or `HTTP_PROXY`.
  public var http: String?
  /// The value of `https_proxy` or `HTTPS_PROXY`.
  public var https: String?
  /// What `no_proxy` or `NO_PROXY` lists: hosts that are reached directly.
  public var exceptions: [String] = []

  /// No proxy.
  public init() {}

  /// Reads the variables; lower case comes first, as curl does it.
  public init(environment: [String: String]) {
    func value(_ name: String) -> String? {
      for name in [name.lowercased(), name] {
        if let text = environment[name]?.trimmingSpaces, !text.isEmpty { return String(text) }
      }
      return nil
    }
    https = value("HTTPS_PROXY")
    // In a CGI program, HTTP_PROXY is what a client sent as a header.
    http = environment["REQUEST_METHOD"] == nil ? value("HTTP_PROXY") : environment["http_proxy"]
    exceptions = value("NO_PROXY")?.split { $0 == "," || $0 == " " }.map { $0.lowercased() } ?? []
  }

  /// A proxy to connect to.
  public struct Proxy: Sendable, Hashable {
    /// The proxy's name or address.
    public var host: String
    /// The proxy's port.
    public var port: Int
    /// The user name to give, decoded.
    public var user: String?
    /// The password to give, decoded.
    public var password: String?
  }

  /// The proxy for an endpoint; nil when it is reached directly.
  public func proxy(for endpoint: Endpoint) throws(ExporterError) -> Proxy? {
    guard let text = endpoint.isSecure ? https : http, !isException(endpoint) else { return nil }
    let name = endpoint.isSecure ? "HTTPS_PROXY" : "HTTP_PROXY"
    var url = text
    if url.firstRange(of: "://") == nil { url = "http://" + url }
    var user: String?
    var password: String?
    if let start = url.firstRange(of: "://")?.upperBound, let at = url.lastIndex(of: "@"),
      start < at
    {
      let credentials = url[start..<at].split(
        separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      user = HeaderList.percentDecoded(credentials[0])
      password = credentials.count == 2 ? HeaderList.percentDecoded(credentials[1]) : ""
      url.removeSubrange(start...at)
    }
    let proxy = try Endpoint(url, variable: name)
    guard !proxy.isSecure else {
      throw ExporterError(
        .unsupported, "\(name) is an https proxy: TLS to a proxy is not built in",
        hint: "name the proxy as http://host:port; what goes through it can still be https")
    }
    return Proxy(host: proxy.host, port: proxy.port, user: user, password: password)
  }

  /// Whether the list names the endpoint: `*`, a host, a domain (with or without a leading dot), or
  /// any of these with a port.
  private func isException(_ endpoint: Endpoint) -> Bool {
    let host = endpoint.host.lowercased()
    return exceptions.contains { entry in
      if entry == "*" || entry == host || entry == "[\(host)]" { return true }
      var name = entry[...]
      if let colon = entry.lastIndex(of: ":"),
        entry.firstIndex(of: ":") == colon || entry.first == "["
      {
        guard Int(entry[entry.index(after: colon)...]) == endpoint.port else { return false }
        name = entry[..<colon]
      }
      if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
      if name.hasPrefix("*") { name = name.dropFirst() }
      if name.hasPrefix(".") { name = name.dropFirst() }
      return !name.isEmpty && (host == name || host.hasSuffix("." + name))
    }
  }
}
