import FoundationEssentials

/// `Tests/Oracles/otlp_receiver.py`, running.
public final class Receiver: Sendable {
  /// One request, as the official decoder read it.
  public struct Request: Decodable, Sendable {
    /// The method, CONNECT where it was asked as a proxy.
    public var method: String
    /// The path.
    public var target: String
    /// The headers, names in lower case.
    public var headers: [String: String]
    /// The signal.
    public var signal: String
    /// What tells the items in it apart.
    public var items: [String]
    /// The bytes of the body as they came.
    public var size: Int
    /// The bytes of the body, inflated.
    public var plain: Int
    /// The step of the script that it met.
    public var step: String
    /// Whether the answer said yes.
    public var took: Bool
    /// The number of spans; needs `--sums`, which leaves out ``items``.
    public var count: Int?
    /// The sum of their ids; needs `--sums`.
    public var sum: Int?
    private var body: Data?

    /// The facts in it, as ``OTLPDecoder/rows(_:_:isJSON:)`` gives them; needs `--bodies`.
    public func rows() throws -> [[String]] {
      guard let body else { throw Command.Failure(description: "the receiver keeps no bodies") }
      return try OTLPDecoder.rows(signal, Array(body))
    }
  }

  private struct Port: Decodable { var port: Int }

  /// The port it listens at, on 127.0.0.1.
  public let port: Int
  private let process: TalkingProcess
  private let requests: AsyncStream<String>

  /// Starts it and returns when it listens.
  public init(_ script: String, port: Int = 0, arguments: [String] = []) async throws {
    let root = Fixtures.directory + "/../Oracles/otlp_receiver.py"
    process = try TalkingProcess(
      ["python3", root, "--port", "\(port)"] + arguments + [script],
      environment: ["PYTHONDONTWRITEBYTECODE": "1"])
    requests = process.lines
    var lines = process.lines.makeAsyncIterator()
    guard let first = await lines.next() else {
      throw Command.Failure(description: "the receiver did not start")
    }
    self.port = try JSONDecoder().decode(Port.self, from: Data(first.utf8)).port
  }

  /// Its address without TLS.
  public var address: String { "http://127.0.0.1:\(port)" }

  /// The next request; waits for it.
  public func next() async throws -> Request {
    var lines = requests.makeAsyncIterator()
    guard let line = await lines.next() else {
      throw Command.Failure(description: "the receiver ended")
    }
    return try JSONDecoder().decode(Request.self, from: Data(line.utf8))
  }

  /// Ends the receiver and gives what it got, but for what was taken by ``next()``.
  public func finish() async throws -> [Request] {
    process.kill()
    var result: [Request] = []
    for await line in requests {
      result.append(try JSONDecoder().decode(Request.self, from: Data(line.utf8)))
    }
    return result
  }

  /// Ends it at once.
  public func kill() { process.kill() }
}
