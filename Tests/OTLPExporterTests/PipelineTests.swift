import OTLP
import Synchronization
import TestSupport
import Testing

@testable import OTLPExporter

/// Answers by a script, and remembers what it got.
final class ScriptedTransport: Transport {
  private struct State {
    var outcomes: [DeliveryOutcome]
    var bodies: [[UInt8]] = []
    var maximumBytes = Int.max
    var hangs = false
  }

  private let state: Mutex<State>

  /// Takes everything when the script is over.
  init(_ outcomes: [DeliveryOutcome] = [], maximumBytes: Int = .max, hangs: Bool = false) {
    state = Mutex(State(outcomes: outcomes, maximumBytes: maximumBytes, hangs: hangs))
  }

  func send(_ bytes: [UInt8]) async -> DeliveryOutcome {
    if state.withLock(\.hangs) {
      // Ends only with the task.
      let never = AsyncStream<Void>.makeStream().stream
      for await _ in never {}
      return .retry(DeliveryFailure(.timeout, "cancelled"), after: nil)
    }
    return state.withLock { state in
      if bytes.count > state.maximumBytes { return .tooLarge(DeliveryFailure(.tooLarge, "413")) }
      let outcome =
        state.outcomes.isEmpty
        ? .delivered(rejected: 0, message: "") : state.outcomes.removeFirst()
      switch outcome {
      case .delivered, .deliveredUnreadably: state.bodies.append(bytes)
      default: break
      }
      return outcome
    }
  }

  func close() async {}

  /// The span ids of what was taken.
  func spans() throws -> [[UInt8]] {
    try state.withLock(\.bodies).flatMap { bytes -> [[UInt8]] in
      guard
        case .traces(let request) = try TelemetryExport(signal: .traces, protobuf: bytes).message
      else { return [] }
      return request.resourceSpans.flatMap {
        $0.scopeSpans.flatMap { $0.spans.map { Array($0.spanID) } }
      }
    }
  }

  var requests: Int { state.withLock(\.bodies.count) }
}

/// Collects notices, and lets a test wait for one.
final class NoticeLog: Sendable {
  let stream: AsyncStream<Notice>
  private let continuation: AsyncStream<Notice>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream() }

  func report(_ notice: Notice) { continuation.yield(notice) }

  /// The notices so far; nothing more is taken.
  func all() async -> [Notice] {
    continuation.finish()
    var result: [Notice] = []
    for await notice in stream { result.append(notice) }
    return result
  }
}

@Suite struct DeliveryPipelineTests {
  private let clock = TestClock()
  private let log = NoticeLog()

  private func pipeline(
    _ transport: ScriptedTransport, memory: Int = 1 << 20, request: Int = 1 << 20,
    spool: Spool? = nil
  ) throws -> DeliveryPipeline {
    var limits = DeliveryQueue.Limits()
    limits.memoryBytes = memory
    limits.retry.initialDelay = .zero
    limits.retry.maximumDelay = .zero
    limits.spoolBytes = spool == nil ? 0 : 1 << 20
    return try DeliveryPipeline(
      signal: .traces, limits: limits, maximumRequestBytes: request, transport: transport,
      spool: spool, clock: clock, report: log.report)
  }

  @Test func `what is given before a drain arrives`() async throws {
    let transport = ScriptedTransport()
    let pipeline = try pipeline(transport)
    #expect(pipeline.export(Samples.spans(0..<10)) == .accepted)
    #expect(pipeline.export(Samples.spans(10..<20)) == .accepted)
    pipeline.drain(for: .seconds(10))
    await pipeline.run()
    #expect(try transport.spans().count == 20)
    #expect(Set(try transport.spans()).count == 20)
    #expect(pipeline.statistics.sent == 20)
    #expect(pipeline.statistics.isBalanced)
    #expect(await log.all().isEmpty)
  }

  @Test func `what is given while it runs arrives too, and failures are tried again`() async throws
  {
    let failure = DeliveryFailure(.connection, "refused")
    let transport = ScriptedTransport(Array(repeating: .retry(failure, after: nil), count: 5))
    let pipeline = try pipeline(transport)
    async let running: Void = pipeline.run()
    await withTaskGroup(of: Void.self) { group in
      for first in stride(from: 0, to: 1000, by: 10) {
        group.addTask { _ = pipeline.export(Samples.spans(first..<(first + 10))) }
      }
    }
    pipeline.drain(for: .seconds(10))
    await running
    #expect(Set(try transport.spans()).count == 1000)
    #expect(try transport.spans().count == 1000)
    #expect(pipeline.statistics.retries == 5)
    #expect(pipeline.statistics.isBalanced)
    #expect(await log.all() == [.failing(failure), .recovered(failures: 5)])
  }

  @Test func `large requests go in parts, the order kept`() async throws {
    let transport = ScriptedTransport()
    let pipeline = try pipeline(transport, request: 2000)
    let export = Samples.spans(0..<100, padding: 100)
    #expect(pipeline.export(export) == .accepted)
    pipeline.drain(for: .seconds(10))
    await pipeline.run()
    #expect(try transport.spans() == ScriptedTransport.ids(export))
    #expect(transport.requests > 6)
    #expect(pipeline.statistics.isBalanced)
  }

  @Test(arguments: [false, true])
  func `a receiver that takes less gets halves until they fit`(isSpooled: Bool) async throws {
    let directory = try TemporaryDirectory()
    let spool =
      try isSpooled ? Spool(root: directory.path, signal: .traces, maximumFileSize: 1 << 20) : nil
    let transport = ScriptedTransport(maximumBytes: 500)
    let pipeline = try pipeline(transport, spool: spool)
    var export = Samples.spans(0..<100)
    // One span alone is too large for this receiver.
    if case .traces(var request) = export.message {
      request.resourceSpans[0].scopeSpans[0].spans[50].name = String(repeating: "y", count: 600)
      export.message = .traces(request)
    }
    #expect(pipeline.export(export) == (isSpooled ? .spooled : .accepted))
    pipeline.drain(for: .seconds(10))
    await pipeline.run()
    var expected = ScriptedTransport.ids(export)
    expected.remove(at: 50)
    #expect(try transport.spans() == expected)
    #expect(pipeline.statistics.sent == 99)
    #expect(pipeline.statistics.dropped == [.tooLarge: 1])
    #expect(pipeline.statistics.isBalanced)
    if let spool { #expect(try spool.entries().isEmpty) }
  }

  @Test func `one item larger than a request is dropped at once, and told`() async throws {
    let pipeline = try pipeline(ScriptedTransport(), request: 100)
    #expect(pipeline.export(Samples.spans(0..<1, padding: 200)) == .dropped(.tooLarge))
    #expect(pipeline.statistics.dropped == [.tooLarge: 1])
    #expect(pipeline.statistics.isBalanced)
    #expect(await log.all().count == 1)
  }

  @Test func `memory stays below its limit when nothing can be sent`() async throws {
    let pipeline = try pipeline(ScriptedTransport(), memory: 10_000)
    var receipts: [Receipt] = []
    for _ in 0..<1000 { receipts.append(pipeline.export(Samples.spans(0..<10))) }
    let statistics = pipeline.statistics
    #expect(statistics.queuedBytes <= 10_000)
    #expect(statistics.produced == 10_000)
    #expect(receipts.filter { $0 == .accepted }.count * 10 == statistics.queued)
    #expect(statistics.dropped[.queueFull] == 10_000 - statistics.queued)
    #expect(statistics.isBalanced)
    // A thousand drops are one line.
    #expect(await log.all().count == 1)
  }

  @Test func `a flush ends with its time, even in the middle of a request`() async throws {
    let pipeline = try pipeline(ScriptedTransport(hangs: true))
    _ = pipeline.export(Samples.spans(0..<10))
    pipeline.drain(for: .seconds(10))
    let deadline = clock.monotonic + .seconds(10)
    async let running: Void = pipeline.run()
    for await time in clock.sleeps where time == deadline { break }
    clock.advance(to: deadline)
    await running
    #expect(pipeline.statistics.dropped == [.shutdown: 10])
    #expect(pipeline.statistics.isBalanced)
  }

  @Test func `a cancelled run gives up memory and keeps the disk`() async throws {
    let directory = try TemporaryDirectory()
    let spool = try Spool(root: directory.path, signal: .traces, maximumFileSize: 1 << 20)
    let first = try pipeline(ScriptedTransport(hangs: true), spool: spool)
    #expect(first.export(Samples.spans(0..<10)) == .spooled)
    let running = Task { await first.run() }
    running.cancel()
    await running.value
    #expect(first.statistics.spooled == 10)
    #expect(first.statistics.isBalanced)

    let transport = ScriptedTransport()
    let second = try pipeline(transport, spool: spool)
    #expect(second.statistics.recovered == 10)
    #expect(second.export(Samples.spans(10..<20)) == .spooled)
    second.drain(for: .seconds(10))
    await second.run()
    #expect(try transport.spans() == ScriptedTransport.ids(Samples.spans(0..<20)))
    #expect(second.statistics.sent == 20)
    #expect(second.statistics.isBalanced)
    #expect(try spool.entries().isEmpty)
  }

  @Test func `a damaged file is counted, and the rest is sent`() async throws {
    let directory = try TemporaryDirectory()
    let spool = try Spool(root: directory.path, signal: .traces, maximumFileSize: 1 << 20)
    let first = try pipeline(ScriptedTransport(), spool: spool)
    for start in [0, 10, 20] { _ = first.export(Samples.spans(start..<(start + 10))) }
    try directory.write("not a record", to: "traces/0000000000000002-10.otlp")
    let transport = ScriptedTransport()
    let second = try pipeline(transport, spool: spool)
    second.drain(for: .seconds(10))
    await second.run()
    #expect(second.statistics.recovered == 30)
    #expect(second.statistics.sent == 20)
    #expect(second.statistics.dropped == [.spoolDamaged: 10])
    #expect(second.statistics.damagedFiles == 1)
    #expect(second.statistics.isBalanced)
    #expect(try spool.entries().isEmpty)
  }

  @Test func `a wait the receiver asks for is kept, whatever happens to the wall clock`()
    async throws
  {
    let failure = DeliveryFailure(.status(429), "429")
    let transport = ScriptedTransport([.retry(failure, after: .seconds(70))])
    let pipeline = try pipeline(transport)
    _ = pipeline.export(Samples.spans(0..<1))
    let start = clock.monotonic
    async let running: Void = pipeline.run()
    for await deadline in clock.sleeps {
      #expect(deadline == start + .seconds(70))
      break
    }
    clock.setWall(4_000_000_000)
    #expect(transport.requests == 0)
    pipeline.drain(for: .seconds(600))
    clock.advance(to: start + .seconds(70))
    await running
    #expect(transport.requests == 1)
    #expect(pipeline.statistics.isBalanced)
  }
}

extension ScriptedTransport {
  static func ids(_ export: TelemetryExport) -> [[UInt8]] {
    guard case .traces(let request) = export.message else { return [] }
    return request.resourceSpans.flatMap {
      $0.scopeSpans.flatMap { $0.spans.map { Array($0.spanID) } }
    }
  }
}
