#if TracingContext
  import OpenTelemetryContext
  import Testing
  import Tracing
  import TracingContext

  @Suite struct TracingContextTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let first = "00-\(trace)-b7ad6b7169203331-01"
    private static let second = "00-\(trace)-b7ad6b7169203332-00"

    @Test func `the span of a tracer is the thread's while it lasts`() throws {
      let (first, second) = (
        SpanContext(traceparent: Self.first), SpanContext(traceparent: Self.second)
      )
      struct Failure: Error {}
      withTracer(HeaderTracer()) {
        withPublishedSpan { #expect(ThreadContext.current == nil) }
        withSpan(Self.first) { _ in
          #expect(ThreadContext.current == nil)
          withPublishedSpan {
            #expect(ThreadContext.current == first && first != nil)
            withSpan(Self.second) { span in
              #expect(throws: Failure.self) {
                try withPublishedSpan { () throws(Failure) in
                  #expect(ThreadContext.current == second && second?.flags == 0)
                  throw Failure()
                }
              }
              #expect(ThreadContext.current == first)
              #expect(withPublishedSpan(span.context) { ThreadContext.current } == second)
              #expect(withPublishedSpan(nil) { ThreadContext.current } == first)
            }
          }
        }
      }
      #expect(ThreadContext.current == nil)
    }

    @Test func `tasks keep the spans of their tracer apart`() async {
      await withTracer(HeaderTracer()) {
        await withTaskGroup(of: Void.self) { group in
          for header in [Self.first, Self.second, Self.first, Self.second] {
            group.addTask {
              let seen = await withSpan(header) { _ in
                await withPublishedSpan {
                  var seen: Set<SpanContext?> = []
                  for _ in 0..<500 {
                    await Task.yield()
                    seen.insert(ThreadContext.current)
                  }
                  async let child = ThreadContext.current
                  return await seen.union([child])
                }
              }
              #expect(seen == [SpanContext(traceparent: header)])
              #expect(ThreadContext.current == nil)
            }
          }
        }
        await withPublishedSpan {
          await Task.yield()
          #expect(ThreadContext.current == nil)
        }
      }
    }

    @Test(arguments: [
      "", "-", "00", "00-\(trace)-b7ad6b7169203331", "00-\(trace)-0000000000000000-01",
      "ff-\(trace)-b7ad6b7169203331-01", " \(first)", "\(first)\r\n", "\(first),\(second)",
      "00-\(trace.uppercased())-b7ad6b7169203331-01", String(repeating: "00-", count: 100_000),
    ])
    func `a header that is none publishes nothing`(header: String) {
      withTracer(HeaderTracer()) {
        #expect(SpanContext(HeaderTracer.context(header)) == nil)
        #expect(withPublishedSpan(HeaderTracer.context(header)) { ThreadContext.current } == nil)
      }
    }

    @Test func `of several headers only the one counts, and it must be one`() {
      let context = HeaderTracer.context(Self.first)
      func span(_ others: [(String, String)]) -> SpanContext? {
        withTracer(HeaderTracer(others: others.map { (key: $0.0, value: $0.1) })) {
          SpanContext(context)
        }
      }
      let first = SpanContext(traceparent: Self.first)
      #expect(span([("tracestate", "a=b"), ("b3", "0"), ("traceparents", Self.second)]) == first)
      #expect(span([("traceparent", Self.first)]) == first)
      #expect(span([("traceparent", Self.second)]) == nil)
      #expect(span([("traceparent", Self.second), ("traceparent", Self.first)]) == nil)
      #expect(SpanContext(context) == nil, "no tracer is there")
    }
  }
#endif
