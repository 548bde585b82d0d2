#if OTLPExporter
  import TestSupport
  import Testing

  /// Many spans through the whole exporter, in a process of its own whose memory can be seen.
  /// `scripts/soak.sh --spans` sends a million.
  @Suite(.timeLimit(.minutes(2))) struct VolumeTests {
    @Test func `sixty thousand spans arrive, each once, and leave nothing in memory`() async throws
    {
      let count = 60_000
      let receiver = try await Receiver("200", arguments: ["--sums"])
      let sender = try TalkingProcess(
        [try TestPrograms.path("telemetry-sender"), "--spans", "\(count)", "20000"],
        environment: [
          "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.address, "SWIFT_BACKTRACE": "enable=no",
        ])
      var costs: [Int: Int] = [:]
      var account = ""
      for await line in sender.lines {
        let words = line.split(separator: " ").map(String.init)
        if words.count == 6, words[0] == "spans", let spans = Int(words[1]) {
          costs[spans] = Int(words[3])
        }
        account = line
      }
      #expect(
        account
          == "recovered 0 produced \(count) sent \(count) spooled 0 dropped 0 balanced true")
      let requests = try await receiver.finish()
      #expect(requests.reduce(0) { $0 + ($1.count ?? 0) } == count)
      #expect(requests.reduce(0) { $0 + ($1.sum ?? 0) } == count * (count - 1) / 2)
      let growth = try #require(costs[count]) - #require(costs[20_000])
      // In kilobytes: a span is 150 bytes, so 6,000 would be all of them.
      #expect(growth < 2000, "\(growth) kB more after forty thousand spans more")
    }
  }
#endif
