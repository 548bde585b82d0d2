import OTLP
import Testing

@testable import OTLPExporter

@Suite struct RetryPolicyTests {
  private let policy = RetryPolicy()

  @Test func `waits double up to the limit`() {
    let waits = (1...8).map { policy.delay(failures: $0, fraction: 0.5, retryAfter: nil) }
    #expect(waits == [1, 2, 4, 8, 16, 30, 30, 30].map { .seconds($0) })
    #expect(policy.delay(failures: .max, fraction: 0.5, retryAfter: nil) == .seconds(30))
  }

  @Test func `jitter spreads a wait from half to one and a half, never over the limit`() {
    #expect(policy.delay(failures: 2, fraction: 0, retryAfter: nil) == .seconds(1))
    #expect(policy.delay(failures: 2, fraction: 1, retryAfter: nil) == .seconds(3))
    #expect(policy.delay(failures: 9, fraction: 1, retryAfter: nil) == .seconds(30))
  }

  @Test func `the receiver can ask for more, up to a limit`() {
    #expect(policy.delay(failures: 1, fraction: 0.5, retryAfter: .seconds(40)) == .seconds(40))
    #expect(policy.delay(failures: 5, fraction: 0.5, retryAfter: .seconds(2)) == .seconds(16))
    #expect(
      policy.delay(failures: 1, fraction: 0.5, retryAfter: .seconds(1 << 40)) == .seconds(300))
  }
}

@Suite struct RetryAfterTests {
  /// Sun, 06 Nov 1994 08:49:37 GMT.
  private static let date: Int64 = 784_111_777

  @Test(arguments: [
    ("0", 0), ("120", 120), (" 7 ", 7), ("99999999999999999999", 1 << 32),
    ("Sun, 06 Nov 1994 08:49:37 GMT", 37), ("Sunday, 06-Nov-94 08:49:37 GMT", 37),
    ("Sun Nov  6 08:49:37 1994", 37), ("Sun, 06 Nov 1994 08:48:00 GMT", 0),
    ("Fri, 31 Dec 9999 23:59:60 GMT", 1 << 32),
  ])
  func `seconds and dates are read`(text: String, seconds: Int) {
    #expect(RetryAfter.parse(text, wallSeconds: Self.date - 37) == .seconds(seconds))
  }

  @Test(arguments: [
    "", "-1", "1.5", "soon", "1e3", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 25:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
    "Sun, 06 Nov 99999999999999999999 08:49:37 GMT", "a b c d e f", "Sun, 06 Nov 1994 8:49 GMT",
    String(repeating: "9 ", count: 1000),
  ])
  func `everything else is no wait`(text: String) {
    #expect(RetryAfter.parse(text, wallSeconds: Self.date) == nil)
  }

  @Test func `a wall clock at either end of time does not overflow`() {
    let text = "Sun, 06 Nov 1994 08:49:37 GMT"
    #expect(RetryAfter.parse(text, wallSeconds: .max) == .zero)
    #expect(RetryAfter.parse(text, wallSeconds: .min) == .seconds(1 << 32))
  }

  @Test(arguments: [
    ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
    ("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200),
    ("Tue, 31 Dec 2199 23:59:59 GMT", 7_258_118_399),
    ("Mon, 01 Jan 1900 00:00:00 GMT", -2_208_988_800),
  ])
  func `dates are days since 1970`(text: String, seconds: Int) {
    #expect(HTTPDate.parse(Substring(text)) == Int64(seconds))
  }
}

@Suite struct OTLPAnswerTests {
  private func outcome(
    _ status: Int, type: String? = nil, body: HTTPAnswer.Body = .whole([]),
    retryAfter: String? = nil,
    location: String? = nil
  ) -> DeliveryOutcome {
    OTLPAnswer.outcome(
      HTTPAnswer(
        status: status, retryAfter: retryAfter, contentType: type, location: location, body: body),
      signal: .traces, wallSeconds: 0)
  }

  @Test(arguments: [429, 502, 503, 504])
  func `some refusals are for a while`(status: Int) {
    guard case .retry(let failure, after: .seconds(9)) = outcome(status, retryAfter: "9") else {
      Issue.record("\(outcome(status, retryAfter: "9"))")
      return
    }
    #expect(failure.kind == .status(status))
    #expect(failure.description == "the receiver answers \(status)")
  }

  @Test(arguments: [100, 400, 401, 403, 404, 408, 500, 501, 505])
  func `others are for good`(status: Int) {
    let expected = DeliveryFailure(.status(status), "the receiver answers \(status)")
    #expect(outcome(status) == .refused(expected))
  }

  @Test func `a text of a refusal is shown on one line`() {
    let body = Array(("no such tenant\r\n\u{1B}[31m" + String(repeating: "x", count: 1000)).utf8)
    guard case .refused(let failure) = outcome(400, type: "text/plain", body: .whole(body)) else {
      Issue.record("not refused")
      return
    }
    #expect(failure.description.hasPrefix("the receiver answers 400: no such tenant   [31mxxx"))
    #expect(failure.description.count < 300)
  }

  @Test func `a redirect is a refusal that names the place`() {
    guard case .refused(let failure) = outcome(307, location: "http://evil/") else {
      Issue.record("not refused")
      return
    }
    #expect(failure.kind == .redirect)
    #expect(failure.description.contains("'http://evil/'"))
  }

  @Test func `a partial success counts what was rejected`() {
    // field 1 (partial_success): field 1 (rejected) = 3, field 2 (message) = "no"
    let bytes: [UInt8] = [0x0a, 0x06, 0x08, 0x03, 0x12, 0x02, 0x6e, 0x6f]
    #expect(
      outcome(200, type: "application/x-protobuf", body: .whole(bytes))
        == .delivered(rejected: 3, message: "no"))
    let json = Array(
      #"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no"},"unknown":[1]}"#.utf8)
    #expect(
      outcome(202, type: "application/json; charset=utf-8", body: .whole(json))
        == .delivered(rejected: 3, message: "no"))
    #expect(outcome(200) == .delivered(rejected: 0, message: ""))
  }

  @Test(arguments: [
    ("text/html", HTTPAnswer.Body.whole([1])), ("application/x-protobuf", .whole([0x0a, 0xff])),
    ("application/json", .whole([0x7b])), ("application/x-protobuf", .tooLong),
    ("application/x-protobuf", .cut("reset")),
    // A negative number of rejected items.
    (
      "application/x-protobuf",
      .whole([0x0a, 0x0b, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])
    ),
  ])
  func `a yes that is no OTLP counts as sent, and is told`(type: String, body: HTTPAnswer.Body) {
    guard case .deliveredUnreadably = outcome(200, type: type, body: body) else {
      Issue.record("\(outcome(200, type: type, body: body))")
      return
    }
  }
}
