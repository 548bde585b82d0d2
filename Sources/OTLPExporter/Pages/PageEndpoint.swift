#if OTLPExporter
  internal import NIOCore
  internal import NIOHTTP1
  internal import NIOPosix

  /// A small HTTP server: pages of text for whoever asks.
  public final class PageEndpoint: Sendable {
    /// What a page says at one moment.
    public struct Answer: Sendable, Hashable {
      /// The HTTP status.
      public var status: Int
      /// The media type.
      public var type: String
      /// The text.
      public var body: String

      /// An answer.
      public init(
        status: Int = 200, type: String = "text/plain; charset=utf-8", body: String
      ) {
        self.status = status
        self.type = type
        self.body = body
      }
    }

    /// Gives the page of this moment. Called on an event loop: it must not wait.
    public typealias Page = @Sendable () -> Answer

    /// The most connections at a time; more are closed at once.
    static let maximumConnections = 32

    private let channel: any Channel
    /// Where it listens: `http://localhost:9464`.
    public let address: String
    /// The port that is listened on.
    public let port: Int

    /// Begins to listen, so that a taken address is told at once.
    ///
    /// - Parameters:
    ///   - port: 0 takes a free one.
    ///   - pages: by path, each beginning with a slash.
    public init(
      host: String, port: Int, pages: [String: Page],
      hint: String = "give an address of this machine and a free port"
    ) async throws(ExporterError) {
      let connections = ConnectionCount()
      let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            channel.closeFuture.whenComplete { _ in connections.remove() }
            // An error here closes the connection.
            guard connections.add(limit: PageEndpoint.maximumConnections) else {
              throw ExporterError(.address, "too many connections")
            }
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline()
            try pipeline.addHandler(PageHandler(pages))
          }
        }
      do {
        channel = try await bootstrap.bind(host: host, port: port).get()
      } catch {
        throw ExporterError(
          .address, "cannot listen on \(printable(host)):\(port): \(printable("\(error)"))",
          hint: hint)
      }
      self.port = channel.localAddress?.port ?? port
      address = "http://\(host):\(self.port)"
    }

    /// Stops listening.
    public func close() async {
      // What can fail is closing twice, which is no harm.
      do { try await channel.close() } catch {}
    }
  }
#endif
