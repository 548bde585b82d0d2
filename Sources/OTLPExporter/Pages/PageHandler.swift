#if OTLPExporter
  internal import NIOCore
  internal import NIOHTTP1
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

  /// One connection of somebody who asks.
  final class PageHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// The longest time for a request to arrive; longer than scrapes are apart, so that a server
    /// keeps its connection, and short enough that nobody can hold one open for nothing.
    static let patience: TimeAmount = .seconds(120)

    private let pages: [String: PageEndpoint.Page]
    private var request: HTTPRequestHead?
    private var timer: Scheduled<Void>?

    init(_ pages: [String: PageEndpoint.Page]) { self.pages = pages }

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
      timer = context.eventLoop.scheduleTask(in: PageHandler.patience) {
        channel.close(promise: nil)
      }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
      let path = head.uri.prefix { $0 != "?" }
      let answer: PageEndpoint.Answer
      if head.method != .GET && head.method != .HEAD {
        answer = .init(status: 405, body: "only GET and HEAD\n")
      } else if let page = pages[String(path)] {
        answer = page()
      } else {
        let known = pages.keys.sorted().joined(separator: ", ")
        answer = .init(status: 404, body: "what there is: \(known)\n")
      }
      var headers = HTTPHeaders()
      headers.add(name: "content-type", value: answer.type)
      headers.add(name: "content-length", value: "\(answer.body.utf8.count)")
      if answer.status == 405 { headers.add(name: "allow", value: "GET, HEAD") }
      if !head.isKeepAlive { headers.add(name: "connection", value: "close") }
      let response = HTTPResponseHead(
        version: head.version, status: HTTPResponseStatus(statusCode: answer.status),
        headers: headers)
      context.write(wrapOutboundOut(.head(response)), promise: nil)
      if head.method != .HEAD {
        context.write(
          wrapOutboundOut(
            .body(.byteBuffer(context.channel.allocator.buffer(string: answer.body)))),
          promise: nil)
      }
      let channel = context.channel
      let done = context.writeAndFlush(wrapOutboundOut(.end(nil)))
      if !head.isKeepAlive { done.whenComplete { _ in channel.close(promise: nil) } }
    }
  }
#endif
