import OpenTelemetryContext
import Testing

@Suite struct SpanContextTests {
  private static let trace = "0af7651916cd43dd8448eb211c80319c"

  @Test func `traceparent is read as W3C writes it`() throws {
    let span = try #require(SpanContext(traceparent: "00-\(Self.trace)-b7ad6b7169203331-01"))
    #expect(span.traceHigh == 0x0af7_6519_16cd_43dd && span.traceLow == 0x8448_eb21_1c80_319c)
    #expect(span.spanID == 0xb7ad_6b71_6920_3331 && span.flags == 1)
    let later = SpanContext(traceparent: "cc-\(Self.trace)-b7ad6b7169203331-03-what-the-future-has")
    #expect(later?.spanID == span.spanID && later?.flags == 3)
  }

  @Test(arguments: [
    "", "00", "00-\(trace)-b7ad6b7169203331", "00-\(trace)-b7ad6b7169203331-01-x",
    "ff-\(trace)-b7ad6b7169203331-01", "00-\(trace.uppercased())-b7ad6b7169203331-01",
    "00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-\(trace)-0000000000000000-01",
    "00-\(trace)0-b7ad6b7169203331-01", "00-\(trace)-b7ad6b716920333g-01",
    "00-\(trace)-b7ad6b7169203331-1", "0x-\(trace)-b7ad6b7169203331-01", "00_\(trace)",
  ])
  func `anything else is no span`(text: String) {
    #expect(SpanContext(traceparent: text) == nil)
  }

  @Test func `bytes make the same span as numbers`() {
    let trace = (1...16).map(UInt8.init)
    let span = SpanContext(traceID: trace, spanID: trace.suffix(8), flags: 0)
    #expect(
      span
        == SpanContext(
          traceHigh: 0x0102_0304_0506_0708, traceLow: 0x090a_0b0c_0d0e_0f10,
          spanID: 0x090a_0b0c_0d0e_0f10, flags: 0))
    #expect(SpanContext(traceID: trace.dropLast(), spanID: trace.suffix(8)) == nil)
    #expect(SpanContext(traceID: trace, spanID: trace) == nil)
    #expect(SpanContext(traceID: [UInt8](repeating: 0, count: 16), spanID: trace.suffix(8)) == nil)
  }

  @Test func `scopes nest, and leave what was before`() throws {
    let first = try #require(SpanContext(traceHigh: 1, traceLow: 2, spanID: 3))
    let second = try #require(SpanContext(traceHigh: 4, traceLow: 5, spanID: 6, flags: 0))
    struct Failure: Error {}
    #expect(ThreadContext.current == nil)
    ThreadContext.withSpan(first) {
      #expect(ThreadContext.current == first)
      #expect(throws: Failure.self) {
        try ThreadContext.withSpan(second, attributes: ["x"]) {
          #expect(ThreadContext.current == second)
          throw Failure()
        }
      }
      #expect(ThreadContext.current == first)
    }
    #expect(ThreadContext.current == nil)
    ThreadContext.attach(second)
    #expect(ThreadContext.withSpan(first) { ThreadContext.current } == first)
    #expect(ThreadContext.current == second)
    ThreadContext.attach(first)
    #expect(ThreadContext.current == first)
    ThreadContext.detach()
    #expect(ThreadContext.current == nil)
  }
}
