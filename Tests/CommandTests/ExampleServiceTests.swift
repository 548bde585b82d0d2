import Glibc
import TestSupport
import Testing

/// The package in `Tests/ExampleService`: a web service that watches itself through the library.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ExampleServiceTests {
  private static let path = Fixtures.directory + "/../ExampleService/.build/debug/example-service"

  /// The pages at these addresses, one after the other, asked for in a span when there is one.
  private func pages(_ addresses: [String], traceparent: String? = nil) throws -> [String] {
    let script = """
      import sys, urllib.request as r
      for a in sys.argv[2:]:
        headers = {"traceparent": sys.argv[1]} if sys.argv[1] else {}
        print(r.urlopen(r.Request(a, headers=headers)).read().decode(), end='\\0')
      """
    return try Command.output(["python3", "-c", script, traceparent ?? ""] + addresses)
      .split(separator: "\0").map(String.init)
  }

  @Test func `it serves its flame graph and its system calls, and exports both`() async throws {
    let receiver = try await Receiver("200", arguments: ["--bodies"])
    let service = try TalkingProcess(
      ["sh", "-c", "exec \"$0\" 0 2>&1", Self.path],
      environment: [
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.address, "OTEL_METRIC_EXPORT_INTERVAL": "500",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
      ])
    var port: Substring?
    for await line in service.lines {
      port = line.firstMatch(of: /listening on 127\.0\.0\.1:(\d+)/)?.1
      if port != nil { break }
    }
    let address = "http://127.0.0.1:\(try #require(port))"

    let parents = try pages(Array(repeating: address + "/parent", count: 100))
    #expect(Set(parents) == ["the process \(getpid()) started this one\n"])
    let metrics = try pages([address + "/metrics"])[0]
    let counted = metrics.split(separator: "\n").filter {
      $0.hasPrefix("process_linux_syscall_count_total{") && $0.contains("\"getppid\"")
    }
    #expect(counted.count == 1 && counted.first?.hasSuffix(" 100") == true, "\(metrics)")
    // The process's name, not that of the thread that was counted first.
    #expect(counted.first?.contains("process_executable_name=\"example-service\"") == true)

    // One after the other, so that the last two intervals, of which the page is, have both.
    let trace = "0af7651916cd43dd8448eb211c80319c"
    let last = try pages(
      [address + "/primes/20000", address + "/flamegraph"],
      traceparent: "00-\(trace)-b7ad6b7169203331-01")
    #expect(last[0] == "2262\n")
    #expect(last[1].hasPrefix("<!DOCTYPE html>") && last[1].contains("ExampleService.(primes in "))

    #expect(service.end(SIGTERM) == 0)
    let requests = try await receiver.finish()
    let rows = try requests.filter { $0.signal == "metrics" }.map { try $0.rows() }
    let points = OTLPDecoder.points("process.linux.syscall.count", in: rows.last ?? [])
    #expect(points.filter { $0.attributes.contains("\"getppid\"") }.map(\.value) == [100])
    #expect(
      requests.contains {
        $0.signal == "profiles" && $0.items.contains { $0.contains("ExampleService.(primes in ") }
      })
    // The request is a span of the caller's trace, and the samples of what it took are linked with it.
    let spans = try requests.filter { $0.signal == "traces" }.flatMap { try $0.rows() }
    #expect(spans.count { $0[0] == "span" && $0[1] == "/parent" } == 100)
    #expect(spans.contains { $0 == ["within", trace, "b7ad6b7169203331", "/primes/{limit}"] })
    let span = try #require(spans.first { $0[0] == "named" && $0[3] == "/primes/{limit}" })
    let profiles = try requests.filter { $0.signal == "profiles" }.flatMap { try $0.rows() }
    let primes = profiles.filter {
      $0[0] == "linked" && $0[5].contains("ExampleService.(primes in ")
    }
    #expect(!primes.isEmpty && primes.allSatisfy { $0[3] == trace && $0[4] == span[2] })

    for request in requests {
      let resources = try request.rows().filter { $0[0] == "resource" }.map { $0[1] }
      #expect(resources.allSatisfy { $0.contains(#""service.name": "example-service""#) })
      #expect(resources.allSatisfy { $0.contains(#""deployment.environment.name": "test""#) })
    }
  }
}
