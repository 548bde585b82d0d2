/// Makes authorities and certificates for TLS: `NAME.pem` and its key, `NAME.key`, in a folder.
public struct Certificates: Sendable {
  private let directory: TemporaryDirectory

  /// Nothing is made yet.
  public init(in directory: TemporaryDirectory) { self.directory = directory }

  /// Makes an authority.
  public func makeAuthority(_ name: String) throws {
    try openssl([
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
      "-days", "2", "-subj", "/CN=\(name) authority", "-keyout", directory.file("\(name).key"),
      "-out", directory.file("\(name).pem"),
    ])
  }

  /// Makes a certificate that an authority signs.
  ///
  /// - Parameter subject: whom it is for: `IP:127.0.0.1`, `DNS:collector.test`.
  public func make(
    _ name: String, by authority: String, for subject: String = "IP:127.0.0.1"
  ) throws {
    try openssl([
      "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
      "/CN=\(name)", "-keyout", directory.file("\(name).key"), "-out",
      directory.file("\(name).csr"),
    ])
    try directory.write("subjectAltName=\(subject)\n", to: "\(name).ext")
    try openssl([
      "x509", "-req", "-in", directory.file("\(name).csr"), "-days", "2", "-CA",
      directory.file("\(authority).pem"), "-CAkey", directory.file("\(authority).key"),
      "-CAcreateserial", "-extfile", directory.file("\(name).ext"), "-out",
      directory.file("\(name).pem"),
    ])
  }

  /// What a ``Receiver`` is started with to show a certificate.
  public func arguments(_ name: String) -> [String] {
    ["--certificate", directory.file("\(name).pem"), "--key", directory.file("\(name).key")]
  }

  private func openssl(_ arguments: [String]) throws {
    _ = try Command.output(["openssl"] + arguments)
  }
}
