import Glibc
import OpenTelemetryContext
import Synchronization
import Testing

/// A span that follows its task from thread to thread.
@Suite(.serialized) struct TaskContextTests {
  private static func span(_ number: UInt64) throws -> SpanContext {
    try #require(SpanContext(traceHigh: 1, traceLow: number, spanID: number))
  }

  /// Yields so many times, and then until another thread takes the task up. Returns what the threads
  /// published each time, and how many threads there were.
  private static func hop(_ times: Int) async -> (seen: Set<SpanContext?>, threads: Int) {
    var seen: Set<SpanContext?> = [ThreadContext.current]
    var threads: Set<pthread_t> = [thread()]
    var hops = 0
    while hops < times || (threads.count < 2 && hops < 1_000_000) {
      await Task.yield()
      seen.insert(ThreadContext.current)
      threads.insert(thread())
      hops += 1
    }
    return (seen, threads.count)
  }

  private static func thread() -> pthread_t { pthread_self() }

  /// What the threads of eight child tasks publish.
  private static func inGroup() async -> Set<SpanContext?> {
    await withTaskGroup(of: Set<SpanContext?>.self) { group in
      for _ in 0..<8 { group.addTask { await hop(100).seen } }
      return await group.reduce(into: []) { $0.formUnion($1) }
    }
  }

  @Test func `each task's span is there whenever the task goes on, and nowhere else`() async throws
  {
    let spans = try (1...4).map { try Self.span($0) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for span in spans {
        group.addTask {
          for _ in 0..<5 {
            let (seen, threads) = await ThreadContext.withSpan(span) { await Self.hop(200) }
            #expect(seen == [span] && threads >= 2)
            #expect(ThreadContext.current == nil)
          }
        }
      }
      group.addTask { #expect(await Self.hop(1000).seen == [nil]) }
      try await group.waitForAll()
    }
    #expect(await Self.inGroup() == [nil])
  }

  @Test func `a task that waits leaves its thread without its span`() async throws {
    let span = try Self.span(1)
    let (values, source) = AsyncStream<Int>.makeStream()
    let (starts, start) = AsyncStream<Void>.makeStream()
    async let received = ThreadContext.withSpan(span) {
      start.finish()
      var received: [Int] = []
      for await value in values {
        received.append(value)
        #expect(ThreadContext.current == span)
      }
      return received
    }
    for await _ in starts {}
    for value in 0..<100 {
      #expect(await Self.hop(10).seen == [nil])
      source.yield(value)
    }
    source.finish()
    #expect(await received == Array(0..<100))
    #expect(await Self.inGroup() == [nil])
  }

  @Test func `children are at work on it, scopes nest, and others are not in it`() async throws {
    let (first, second) = (try Self.span(1), try Self.span(2))
    struct Failure: Error {}
    await ThreadContext.withSpan(first) {
      async let one = Self.hop(50).seen
      async let two = ThreadContext.withSpan(second, attributes: ["x"]) { await Self.hop(50).seen }
      let three = await Self.inGroup()
      #expect(await one == [first])
      #expect(await two == [second])
      #expect(three == [first])
      await #expect(throws: Failure.self) {
        try await ThreadContext.withSpan(second) { () async throws(Failure) in
          await Task.yield()
          #expect(ThreadContext.current == second)
          #expect(ThreadContext.withSpan(first) { ThreadContext.current } == first)
          throw Failure()
        }
      }
      #expect(await Self.hop(50).seen == [first])
      #expect(await Task { await Self.hop(50).seen }.value == [nil])
      // What is left behind goes with the part of the task that left it.
      ThreadContext.attach(second)
      #expect(await Self.hop(50).seen == [second, first])
    }
    #expect(ThreadContext.current == nil)
    #expect(await Self.inGroup() == [nil])
  }

  @TaskLocal private static var value = 0

  @Test func `it stays the same task, also when it is cancelled`() async throws {
    let span = try Self.span(1)
    let (starts, start) = AsyncStream<Void>.makeStream()
    let task = Task(priority: .high) {
      try await Self.$value.withValue(7) {
        try await ThreadContext.withSpan(span) {
          await Task.yield()
          #expect(Self.value == 7 && Task.currentPriority == .high && !Task.isCancelled)
          start.finish()
          do { try await Task.sleep(for: .seconds(3600)) } catch {
            #expect(ThreadContext.current == span && Task.isCancelled && Self.value == 7)
            throw error
          }
        }
      }
    }
    for await _ in starts {}
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(await Self.inGroup() == [nil])
  }

  private actor Meeting {
    private(set) var seen: [SpanContext?: Set<SpanContext?>] = [:]
    func enter(for span: SpanContext?) { seen[span, default: []].insert(ThreadContext.current) }
  }

  @Test func `an actor at work for many never publishes another's`() async throws {
    let meeting = Meeting()
    await withTaskGroup(of: Void.self) { group in
      for number in UInt64(1)...6 {
        let span = SpanContext(traceHigh: 1, traceLow: number, spanID: number)
        group.addTask {
          guard let span, number > 2 else {
            for _ in 0..<2000 { await meeting.enter(for: nil) }
            return
          }
          await ThreadContext.withSpan(span) {
            for _ in 0..<2000 {
              await meeting.enter(for: span)
              #expect(ThreadContext.current == span)
            }
          }
        }
      }
    }
    let seen = await meeting.seen
    #expect(seen.count == 5)
    for (span, published) in seen { #expect(published.isSubset(of: [span, nil])) }
  }

  @Test @MainActor func `the main actor's thread is left alone`() async throws {
    let span = try Self.span(1)
    let seen = await ThreadContext.withSpan(span) {
      await Task.yield()
      async let elsewhere = Self.hop(50).seen
      return [[ThreadContext.current], await elsewhere, [ThreadContext.current]]
    }
    #expect(seen == [[nil], [span], [nil]])
  }

  /// Counts what it passes on.
  private final class Counter: TaskExecutor {
    let count = Atomic(0)
    func enqueue(_ job: consuming ExecutorJob) {
      count.add(1, ordering: .relaxed)
      globalConcurrentExecutor.enqueue(UnownedJob(job))
    }
  }

  @Test func `the executor that the task prefers does the work`() async throws {
    let (first, second) = (try Self.span(1), try Self.span(2))
    let counter = Counter()
    let counts = await withTaskExecutorPreference(counter) {
      let before = counter.count.load(ordering: .relaxed)
      await ThreadContext.withSpan(first) {
        await ThreadContext.withSpan(second) { #expect(await Self.hop(100).seen == [second]) }
        #expect(await Self.hop(100).seen == [first])
      }
      return counter.count.load(ordering: .relaxed) - before
    }
    #expect(counts >= 200)
  }
}
