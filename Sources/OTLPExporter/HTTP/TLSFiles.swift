#if OTLPExporter
  internal import EBPFSystem
  internal import NIOSSL

  /// Certificates and keys, read once at the start: what is wrong with them is told before anything
  /// is lost.
  enum TLSFiles {
    /// Where Linux distributions keep the authorities they trust.
    static let systemAuthorities = [
      "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
      "/etc/ssl/ca-bundle.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
      "/etc/ssl/cert.pem",
    ]
    private static let limit = 4 << 20

    static func configuration(
      _ settings: ExporterConfiguration.SignalConfiguration,
      systemAuthorities: [String] = TLSFiles.systemAuthorities
    ) throws(ExporterError) -> TLSConfiguration {
      var result = TLSConfiguration.makeClientConfiguration()
      let authorities =
        settings.certificateFile ?? systemAuthorities.first(where: FileSystem.exists)
      guard let authorities else {
        throw ExporterError(
          .tls, "\(settings.endpoint.origin) needs TLS, and this system has no file of authorities",
          hint: "set OTEL_EXPORTER_OTLP_CERTIFICATE or SSL_CERT_FILE to a PEM file that has the "
            + "receiver's authority")
      }
      result.trustRoots = .certificates(try certificates(authorities))
      if let chain = settings.clientCertificateFile, let key = settings.clientKeyFile {
        result.certificateChain = try certificates(chain).map { .certificate($0) }
        let bytes = try content(key)
        do {
          result.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: bytes, format: .pem))
        } catch {
          throw ExporterError(
            .tls, "'\(key)' holds no private key",
            hint: "it has to be PEM, without a passphrase: -----BEGIN PRIVATE KEY-----")
        }
      }
      return result
    }

    private static func certificates(_ path: String) throws(ExporterError) -> [NIOSSLCertificate] {
      let bytes = try content(path)
      do {
        let found = try NIOSSLCertificate.fromPEMBytes(bytes)
        if !found.isEmpty { return found }
      } catch {}  // The error below says more than BoringSSL's.
      throw ExporterError(
        .tls, "'\(path)' holds no certificate",
        hint: "it has to be PEM: -----BEGIN CERTIFICATE-----")
    }

    private static func content(_ path: String) throws(ExporterError) -> [UInt8] {
      do throws(Errno) { return try SystemFile.read(path, limit: limit) } catch {
        throw ExporterError(
          .tls, "'\(path)' cannot be read: \(error)",
          hint: "OTEL_EXPORTER_OTLP_CERTIFICATE, …_CLIENT_CERTIFICATE, …_CLIENT_KEY or "
            + "SSL_CERT_FILE names it")
      }
    }
  }
#endif
