#if OTLPExporter
  internal import NIOCore
  internal import NIOHTTP1
  internal import OTLP
  internal import Synchronization

  /// How many connections are open.
  final class ConnectionCount: Sendable {
    private let count = Mutex(0)

    func add(limit: Int) -> Bool {
      count.withLock { count in
        count += 1
        return count <= limit
      }
    }

    func remove() { count.withLock { $0 -= 1 } }
  }

  /// One connection of a scraping server.
  final class PrometheusHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// The longest time for a request to arrive; longer than scrapes are apart, so that a server
    /// keeps its connection, and short enough that nobody can hold one open for nothing.
    static let patience: TimeAmount = .seconds(120)

    private let snapshot: PrometheusEndpoint.Snapshot
    private var request: HTTPRequestHead?
    private var timer: Scheduled<Void>?

    init(_ snapshot: @escaping PrometheusEndpoint.Snapshot) { self.snapshot = snapshot }

    func channelActive(context: ChannelHandlerContext) {
      expectRequest(context)
      context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
      timer?.cancel()
      context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head): request = head
      case .body: break
      case .end:
        guard let head = request else { return }
        request = nil
        expectRequest(context)
        answer(head, context)
      }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      context.close(promise: nil)
    }

    private func expectRequest(_ context: ChannelHandlerContext) {
      timer?.cancel()
      let channel = context.channel
      timer = context.eventLoop.scheduleTask(in: PrometheusHandler.patience) {
        channel.close(promise: nil)
      }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
      let path = head.uri.prefix { $0 != "?" }
      let status: HTTPResponseStatus
      var body: String
      var type = "text/plain; charset=utf-8"
      switch (head.method, path) {
      case (.GET, "/metrics"), (.HEAD, "/metrics"):
        (body, _) = PrometheusText.page(snapshot())
        status = .ok
        type = PrometheusText.contentType
      case (.GET, _), (.HEAD, _): (status, body) = (.notFound, "the metrics are at /metrics\n")
      default: (status, body) = (.methodNotAllowed, "only GET and HEAD\n")
      }
      var headers = HTTPHeaders()
      headers.add(name: "content-type", value: type)
      headers.add(name: "content-length", value: "\(body.utf8.count)")
      if status == .methodNotAllowed { headers.add(name: "allow", value: "GET, HEAD") }
      if !head.isKeepAlive { headers.add(name: "connection", value: "close") }
      let answer = HTTPResponseHead(version: head.version, status: status, headers: headers)
      context.write(wrapOutboundOut(.head(answer)), promise: nil)
      if head.method != .HEAD {
        context.write(
          wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(string: body)))),
          promise: nil)
      }
      let channel = context.channel
      let done = context.writeAndFlush(wrapOutboundOut(.end(nil)))
      if !head.isKeepAlive { done.whenComplete { _ in channel.close(promise: nil) } }
    }
  }
#endif
