#if OTLPExporter
  import EBPFSystem
  import Glibc
  import TestSupport
  import Testing

  @testable import OTLPExporter

  /// kill -9 of sender and receiver, in the middle of their work.
  @Suite(.timeLimit(.minutes(2))) struct KillTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func sender(_ address: String, requests: Int) throws -> TalkingProcess {
      try TalkingProcess(
        [try TestPrograms.path("telemetry-sender"), directory.file("spool"), "\(requests)"],
        environment: ["OTEL_EXPORTER_OTLP_ENDPOINT": address, "SWIFT_BACKTRACE": "enable=no"])
    }

    /// The numbers of requests it says are on disk, up to `limit` of them.
    private func accepted(_ sender: TalkingProcess, limit: Int = .max) async -> [Int] {
      var result: [Int] = []
      for await line in sender.lines {
        if line.hasPrefix("accepted "), let number = Int(line.dropFirst(9)) {
          result.append(number)
        }
        if result.count == limit { break }
      }
      return result
    }

    private func items(_ requests: some Sequence<Int>) -> Set<String> {
      Set(requests.flatMap { ($0 * 10)..<($0 * 10 + 10) }.map(String.init))
    }

    /// A second sender without work of its own sends what the first left. Returns the items the
    /// receiver took, and the sender's account.
    private func sendRest(
      to receiver: Receiver
    ) async throws -> (items: [String], account: [String: String]) {
      let files = try FileSystem.entries(directory.file("spool/logs")).filter {
        $0.hasSuffix(".otlp")
      }
      let second = try sender(receiver.address, requests: 0)
      var items: [String] = []
      while items.count < files.count * 10 {
        let request = try await receiver.next()
        if request.took { items += request.items }
      }
      #expect(second.end(SIGTERM) == 0)
      var last = ""
      for await line in second.lines { last = line }
      let words = last.split(separator: " ").map(String.init)
      try #require(words.count.isMultiple(of: 2), "\(last)")
      let account = Dictionary(
        uniqueKeysWithValues: stride(from: 0, to: words.count, by: 2).map {
          (words[$0], words[$0 + 1])
        })
      return (items, account)
    }

    @Test(arguments: [1, 40])
    func `what a killed sender had accepted arrives after all`(count: Int) async throws {
      // Nothing listens: everything stays in the spool.
      let first = try sender("http://127.0.0.1:1", requests: 1_000_000)
      let printed = await accepted(first, limit: count)
      first.kill()
      #expect(printed == Array(0..<count))

      let receiver = try await Receiver("200")
      let (received, rest) = try await sendRest(to: receiver)
      #expect(try await receiver.finish().isEmpty)
      // Whatever else was on disk came as well; each once, and in order.
      #expect(items(0..<count).isSubset(of: received))
      #expect(received == (0..<received.count).map(String.init))
      #expect(rest["recovered"] == "\(received.count)")
      #expect(rest["sent"] == "\(received.count)")
      #expect(rest["balanced"] == "true")
      #expect(rest["spooled"] == "0")
    }

    @Test func `sender and receiver killed in the middle of a request: the sums are equal`()
      async throws
    {
      let first = try await Receiver("200 200 200 503 200 hang")
      let sender = try sender(first.address, requests: 50)
      let port = first.port
      var taken: [String] = []
      for _ in 0..<6 {
        let request = try await first.next()
        if request.took { taken += request.items }
      }
      // The sixth request hangs: it is neither taken nor refused.
      #expect(await accepted(sender, limit: 50) == Array(0..<50))
      sender.kill()
      first.kill()

      let second = try await Receiver("503 200", port: port)
      let (received, rest) = try await sendRest(to: second)
      #expect(try await second.finish().isEmpty)
      #expect(Set(taken).union(received) == items(0..<50))
      // What the first receiver took was removed from the spool before the next was sent.
      #expect(taken.count + received.count == 500)
      #expect(rest["recovered"] == "\(received.count)")
      #expect(rest["sent"] == "\(received.count)")
      #expect(rest["dropped"] == "0")
      #expect(rest["balanced"] == "true")
    }
  }
#endif
