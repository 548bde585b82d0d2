#if OTLPExporter
  internal import AsyncHTTPClient
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
        let reasons = error.connectionErrors.map { "\($0.error)" }
        let all = [error.dnsAError, error.dnsAAAAError].compactMap { $0.map { "\($0)" } } + reasons
        return DeliveryFailure(
          .connection, "\(origin): no connection: \(printable(all.joined(separator: "; ")))")
      default: return DeliveryFailure(.connection, "\(origin): \(printable("\(error)"))")
      }
    }
  }
#endif
