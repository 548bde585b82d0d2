import Glibc
import OpenTelemetryContext

/// A service of known work, which publishes what it is and which span its threads are at work on.
///
/// usage: context-publisher SECONDS | tasks ROUNDS | network ROUNDS
///
/// Publishes, starts a thread, and stops itself while both are at work on a span. When it is continued
/// each thread burns so many seconds of processor time in each of its functions, whose names say in which
/// span they run. With `tasks` or `network` it stops itself first, and then does the work of
/// ``Tasks`` or ``Connections``.
@main struct ContextPublisher {
  /// The ids of the spans by the last digit: 1 is workInA, 2 workInB, 3 workInC.
  static func span(_ number: UInt64) -> SpanContext {
    guard
      let span = SpanContext(
        traceHigh: 0x0102_0304_0506_0708, traceLow: 0x1112_1314_1516_1710 + number,
        spanID: 0x2122_2324_2526_2720 + number)
    else { fatalError("no span") }
    return span
  }

  @MainActor static func main() async throws {
    let arguments = CommandLine.arguments.dropFirst()
    try publish()
    if arguments.count == 2, arguments.first == "tasks", let rounds = Int(arguments[2]) {
      _ = kill(getpid(), SIGSTOP)
      await Tasks(rounds: rounds).run()
    } else if arguments.count == 2, arguments.first == "network", let rounds = Int(arguments[2]) {
      let connections = Connections(rounds: rounds)
      _ = kill(getpid(), SIGSTOP)
      await connections.run()
    } else if arguments.count == 1, let seconds = Double(arguments[1]) {
      work(seconds)
    } else {
      fatalError("usage: context-publisher SECONDS | tasks ROUNDS | network ROUNDS")
    }
  }

  static func publish() throws {
    try ProcessContext.publish(
      [
        "service.name": "orders", "service.instance.id": "instance-1", "service.version": "1.2.3",
        "answer": 42, "share": 0.25, "is.known": true, "tags": ["a", "b"],
      ], threadAttributes: ["http.route", "user"])
  }

  static func work(_ seconds: Double) {
    let ready = Pipe()
    let go = Pipe()
    let thread = Other(ready: ready, go: go, seconds: seconds).start()
    ready.receive()
    ThreadContext.withSpan(span(1), attributes: ["/orders", "", "left out"]) {
      _ = kill(getpid(), SIGSTOP)
    }
    go.send()
    workOutside(seconds)
    ThreadContext.withSpan(span(1)) {
      workInA(seconds)
      ThreadContext.withSpan(span(2)) { workInB(seconds) }
      workInA(seconds)
    }
    workOutside(seconds)
    pthread_join(thread, nil)
  }

  /// The work of the second thread.
  final class Other: Sendable {
    let ready: Pipe
    let go: Pipe
    let seconds: Double

    init(ready: Pipe, go: Pipe, seconds: Double) {
      self.ready = ready
      self.go = go
      self.seconds = seconds
    }

    func start() -> pthread_t {
      var thread = pthread_t()
      pthread_create(
        &thread, nil,
        { context in
          guard let context else { return nil }
          Unmanaged<Other>.fromOpaque(context).takeRetainedValue().run()
          return nil
        }, Unmanaged.passRetained(self).toOpaque())
      return thread
    }

    private func run() {
      ThreadContext.attach(span(3))
      ready.send()
      go.receive()
      workInC(seconds)
      ThreadContext.detach()
      workOutside(seconds)
    }
  }

  /// One thread waits for another.
  struct Pipe: Sendable {
    let reader: Int32
    let writer: Int32

    init() {
      var ends: [Int32] = [0, 0]
      guard pipe(&ends) == 0 else { fatalError("pipe: \(errno)") }
      (reader, writer) = (ends[0], ends[1])
    }

    func send() {
      var byte: UInt8 = 1
      guard write(writer, &byte, 1) == 1 else { fatalError("write: \(errno)") }
    }

    func receive() {
      var byte: UInt8 = 0
      guard read(reader, &byte, 1) == 1 else { fatalError("read: \(errno)") }
    }
  }
}

@inline(never) func workInA(_ seconds: Double) {
  ask("workInA")
  burn(seconds, 1)
  stay()
}
@inline(never) func workInB(_ seconds: Double) {
  ask("workInB")
  burn(seconds, 2)
  stay()
}
@inline(never) func workInC(_ seconds: Double) {
  ask("workInC")
  burn(seconds, 3)
  stay()
}
@inline(never) func workOutside(_ seconds: Double) {
  ask("workOutside")
  burn(seconds, 4)
  stay()
}

/// Ten system calls that fail, and name who asked.
func ask(_ name: String) {
  for _ in 0..<10 where open("/nowhere/\(name)", O_RDONLY) >= 0 { fatalError("/nowhere is there") }
}

/// Called last, so that whoever calls it stays on the stack while it calls others.
@inline(never) func stay() {}

/// Keeps the processor busy.
@inline(never) func burn(_ seconds: Double, _ seed: UInt64) {
  let end = usedSeconds() + seconds
  var state = seed
  while usedSeconds() < end {
    for _ in 0..<20_000 { state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407 }
    if state == 0 { print(state) }
  }
}

func usedSeconds() -> Double {
  var used = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used)
  return Double(used.tv_sec) + Double(used.tv_nsec) / 1e9
}
