#if OTLPExporter
  internal import AsyncHTTPClient
  internal import Compression
  internal import NIOCore
  internal import NIOHTTP1
  internal import OTLP
  internal import Synchronization

  /// Requests of one signal over HTTP: one connection, kept open between requests.
  final class HTTPTransport: Transport {
    /// No answer of OTLP is longer.
    static let maximumAnswerBytes = 64 << 10

    private let signal: TelemetrySignal
    private let settings: ExporterConfiguration.SignalConfiguration
    private let maximumRequestBytes: Int
    private let userAgent: String
    private let configuration: HTTPClient.Configuration
    /// Made by the first request: a client has to be shut down, and who never runs makes none.
    private let client = Mutex<HTTPClient?>(nil)
    private let clock: any ExporterClock

    init(
      signal: TelemetrySignal, settings: ExporterConfiguration.SignalConfiguration,
      proxies: ProxyEnvironment, maximumRequestBytes: Int, userAgent: String,
      clock: any ExporterClock
    ) throws(ExporterError) {
      self.signal = signal
      self.settings = settings
      self.maximumRequestBytes = maximumRequestBytes
      self.userAgent = userAgent
      self.clock = clock
      var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
      if settings.endpoint.isSecure {
        configuration.tlsConfiguration = try TLSFiles.configuration(settings)
      }
      if let proxy = try proxies.proxy(for: settings.endpoint) {
        let credentials = proxy.user.map {
          HTTPClient.Authorization.basic(username: $0, password: proxy.password ?? "")
        }
        configuration.proxy = .server(
          host: proxy.host, port: proxy.port, authorization: credentials)
      }
      // Our own policy decides when to try again; the client's would hide failures from it.
      configuration.connectionPool.retryConnectionEstablishment = false
      configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1
      configuration.timeout.connect = .seconds(10)
      configuration.httpVersion = .http1Only
      // A tracer of this process must not see the requests that carry its own spans.
      configuration.tracing.tracer = nil
      self.configuration = configuration
    }

    func close() async {
      // What can fail is a second shutdown, and this is the only one.
      do { try await client.withLock { $0.take() }?.shutdown() } catch {}
    }

    private func openClient() -> HTTPClient {
      client.withLock { client in
        if let client { return client }
        let new = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        client = new
        return new
      }
    }

    func send(_ bytes: [UInt8]) async -> DeliveryOutcome {
      let request: HTTPClientRequest
      switch self.request(bytes) {
      case .success(let made): request = made
      case .failure(let refusal): return refusal.outcome
      }
      guard let limit = settings.timeout else { return await perform(request) }
      return await withTaskGroup(of: DeliveryOutcome?.self) { group in
        group.addTask { await self.perform(request) }
        group.addTask { [settings] in
          do { try await self.pass(limit) } catch { return nil }
          return .retry(
            DeliveryFailure(.timeout, "\(settings.endpoint) does not answer within \(limit)"),
            after: nil)
        }
        var outcome: DeliveryOutcome?
        while outcome == nil, let next = await group.next() { outcome = next }
        group.cancelAll()
        return outcome ?? .retry(DeliveryFailure(.timeout, "the request was cancelled"), after: nil)
      }
    }

    /// Waits; throws when the task is cancelled, and then leaves nothing behind: a task that sleeps keeps its
    /// timer until its time is over, of a thousand requests in a second ten thousand.
    private func pass(_ time: Duration) async throws {
      let timer = openClient().eventLoopGroup.any().scheduleTask(in: TimeAmount(time)) {}
      try await withTaskCancellationHandler {
        try await timer.futureResult.get()
      } onCancel: {
        timer.cancel()
      }
    }

    private struct Refusal: Error { var outcome: DeliveryOutcome }

    private func request(_ bytes: [UInt8]) -> Result<HTTPClientRequest, Refusal> {
      var body = bytes
      if settings.encoding == .json {
        do throws(OTLPError) {
          body = try TelemetryExport(signal: signal, protobuf: bytes).json()
        } catch {
          let failure = DeliveryFailure(.encoding, "a stored request is damaged: \(error)")
          return .failure(Refusal(outcome: .damaged(failure)))
        }
      }
      guard body.count <= maximumRequestBytes else {
        let why = "a request has \(body.count) bytes, and at most \(maximumRequestBytes) are sent"
        return .failure(Refusal(outcome: .tooLarge(DeliveryFailure(.tooLarge, why))))
      }
      var request = HTTPClientRequest(url: settings.endpoint.description)
      request.method = .POST
      request.headers.add(
        name: "content-type",
        value: settings.encoding == .json ? "application/json" : "application/x-protobuf")
      request.headers.add(name: "user-agent", value: userAgent)
      if settings.compression == .gzip {
        do throws(CompressionError) {
          body = try Gzip.compress(body)
          request.headers.add(name: "content-encoding", value: "gzip")
        } catch {
          let failure = DeliveryFailure(.encoding, error.message)
          return .failure(Refusal(outcome: .damaged(failure)))
        }
      }
      for header in settings.headers {
        request.headers.replaceOrAdd(name: header.name, value: header.value)
      }
      request.body = .bytes(ByteBuffer(bytes: body))
      return .success(request)
    }

    private func perform(_ request: HTTPClientRequest) async -> DeliveryOutcome {
      do {
        let response = try await openClient().execute(request, deadline: .distantFuture)
        let answer = HTTPAnswer(
          status: Int(response.status.code),
          retryAfter: response.headers.first(name: "retry-after"),
          contentType: response.headers.first(name: "content-type"),
          location: response.headers.first(name: "location"), body: await body(of: response))
        return OTLPAnswer.outcome(answer, signal: signal, wallSeconds: clock.wallSeconds)
      } catch {
        return .retry(HTTPFailure.describe(error, settings), after: nil)
      }
    }

    private func body(of response: HTTPClientResponse) async -> HTTPAnswer.Body {
      do {
        let buffer = try await response.body.collect(upTo: HTTPTransport.maximumAnswerBytes)
        return .whole(Array(buffer.readableBytesView))
      } catch is NIOTooManyBytesError {
        return .tooLong
      } catch {
        return .cut(printable("\(error)"))
      }
    }
  }
#endif
