#if OTLPExporter
  internal import AsyncHTTPClient
  internal import EBPFSystem
  internal import NIOCore
  internal import NIOPosix
  internal import NIOSSL

  /// What the client's errors mean to who runs this.
  enum HTTPFailure {
    static func describe(
      _ error: any Error, _ settings: ExporterConfiguration.SignalConfiguration
    ) -> DeliveryFailure {
      let origin = settings.endpoint.origin
      switch error {
      case let error as HTTPClientError:
        let text = "\(origin): \(error.shortDescription)"
        switch error {
        case .connectTimeout, .deadlineExceeded, .readTimeout, .writeTimeout,
          .getConnectionFromPoolTimeout:
          return DeliveryFailure(.timeout, text)
        case .tlsHandshakeTimeout: return DeliveryFailure(.tls, text)
        case .proxyAuthenticationRequired, .invalidProxyResponse, .httpProxyHandshakeTimeout:
          return DeliveryFailure(.proxy, "\(text); HTTP_PROXY or HTTPS_PROXY names the proxy")
        default: return DeliveryFailure(.connection, text)
        }
      case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
        return DeliveryFailure(
          .tls,
          "\(origin): no TLS: \(printable("\(error)")); the receiver's certificate must come from "
            + (settings.certificateFile.map { "an authority in '\($0)'" }
              ?? "one of the system's authorities, or OTEL_EXPORTER_OTLP_CERTIFICATE name its own")
        )
      case let error as NIOConnectionError:
        guard !error.connectionErrors.isEmpty else {
          return DeliveryFailure(.connection, "\(origin): \(noAddress(of: error.host))")
        }
        let reasons = error.connectionErrors.map { "\($0.error)" }
        return DeliveryFailure(
          .connection, "\(origin): no connection: \(printable(reasons.joined(separator: "; ")))")
      default: return DeliveryFailure(.connection, "\(origin): \(printable("\(error)"))")
      }
    }

    /// What to do about a name that nothing knows. An image made from scratch may have neither file.
    private static func noAddress(of host: String) -> String {
      let files = ["/etc/hosts", "/etc/resolv.conf"].filter(FileSystem.exists)
      let why =
        files.isEmpty
        ? "there is neither /etc/hosts nor /etc/resolv.conf; add one of them, or name an address"
        : "\(files.joined(separator: " and ")) \(files.count == 1 ? "does" : "do") not lead to one"
      return "the name '\(printable(host))' has no address: \(why)"
    }
  }
#endif
