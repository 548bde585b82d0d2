import EBPF
import EBPFSystem
import EBPFTracers
import Glibc
import Synchronization
import TestSupport
import Testing

/// The network tracer's life on the running kernel, and what else it can record.
@Suite(.serialized) struct NetworkTracerTests: SocketTracing {
  @Test func `a paused tracer leaves out what happens meanwhile`() throws {
    let child = try StoppedProcess(workload: "sockets", ["twice"])
    let tracer = tracer(of: child.id)
    try tracer.start()
    try child.resumeUntilStopped()
    try tracer.pause()
    try child.resumeUntilStopped()
    let paused = try tracer.activity()
    #expect(paused.totals.connects == 1 && paused.totals.bytesSent == 1000)
    checkSums(paused)
    try tracer.resume()
    #expect(try child.finish() == 0)
    let activity = try tracer.stop()
    checkSums(activity)
    #expect(activity.totals.connects == 2 && activity.totals.accepts == 2)
    #expect(activity.totals.bytesSent == 2000)
    #expect(activity.statistics.unwanted >= 2)
  }

  @Test func `bytes that move during a pause are in nobody's figures`() throws {
    let child = try StoppedProcess(workload: "sockets", ["existing"])
    let tracer = tracer(of: child.id)
    try tracer.start()
    try tracer.pause()
    try child.resumeUntilStopped()
    #expect(try tracer.activity().totals.bytesSent == 0)
    try tracer.resume()
    #expect(try tracer.activity().totals.bytesSent == 0)
    #expect(try child.finish() == 0)
    let activity = try tracer.stop()
    #expect(activity.connections.count == 2 && activity.totals.bytesSent == 0)
    checkSums(activity)
  }

  @Test func `a filter changes while the tracer runs`() throws {
    let child = try StoppedProcess(workload: "sockets", ["twice"])
    let tracer = tracer(of: child.id)
    try tracer.start()
    var filter = TracerFilter()
    for (processes, expected) in [([child.id], 1), ([getpid()], 1), ([child.id], 2)] {
      filter.processes = Set(processes)
      try tracer.setFilter(filter)
      if expected == 2 { try child.finish() } else { try child.resumeUntilStopped() }
      #expect(try tracer.activity().totals.connects == UInt64(expected))
    }
    checkSums(try tracer.stop())
  }

  @Test func `events are told as they happen, and are the same as the result`() throws {
    let events = Mutex<[NetworkEvent]>([])
    let child = try StoppedProcess(workload: "sockets", ["rounds", "20"])
    let tracer = NetworkTracer(configuration(of: child.id)) { arrived in
      #expect(!arrived.isEmpty)
      events.withLock { $0 += arrived }
    }
    try tracer.start()
    #expect(try child.finish() == 0)
    let activity = try tracer.stop()
    checkSums(activity)
    let told = events.withLock { $0 }
    var connected = 0
    var accepted = 0
    var closed: [NetworkConnection] = []
    for event in told {
      switch event {
      case .connected: connected += 1
      case .accepted: accepted += 1
      case .closed(let connection): closed.append(connection)
      case .failed, .retransmitted, .query: Issue.record("\(event)")
      }
    }
    #expect(connected == 20 && accepted == 20)
    #expect(closed == activity.connections)
  }

  @Test func `DNS queries are there with their answers`() throws {
    let activity = try activity(["dns"]) { $0.recordsDNS = true }
    func queries(_ name: String) -> [DNSQuery] { activity.queries.filter { $0.name == name } }
    let answered = queries("answer.test")
    #expect(answered.count == 20)
    #expect(answered.allSatisfy { $0.type == "A" && $0.answer?.code == "NOERROR" })
    #expect(
      answered.allSatisfy { $0.answer?.records == 1 && $0.server.description == "127.0.0.1:53" })
    #expect(answered.allSatisfy { ($0.answer?.latencyNanoseconds ?? 0) > 0 })
    #expect(answered.allSatisfy { $0.process?.command == "sockets" })
    #expect(queries("missing.example.test").map { $0.answer?.code } == ["NXDOMAIN"])
    #expect(queries("refused.test").map { $0.answer?.code } == ["REFUSED"])
    let silent = queries("silent.test")
    #expect(silent.map(\.attempts) == [2] && silent.map(\.type) == ["TXT"])
    #expect(silent.allSatisfy { $0.answer == nil })
    #expect(queries("answer.version6.test").map(\.server.description) == ["[::1]:53"])
    // An answer whose name runs past its end, and six bytes that are no message.
    #expect(queries("broken.test").map { $0.answer == nil } == [true])
    #expect(activity.malformedMessages == 2)
    #expect(activity.totals.queries == 25)
  }

  @Test func `dropped packets have the kernel's reasons`() throws {
    var configuration = NetworkTracerConfiguration()
    configuration.recordsDrops = true
    let tracer = NetworkTracer(configuration)
    try tracer.start()
    // A datagram to a port where nobody listens.
    let child = try StoppedProcess(workload: "sockets", ["failures"])
    #expect(try child.finish() == 0)
    let activity = try tracer.stop()
    let reasons = Set(activity.drops.map(\.reason))
    #expect(reasons.contains("NO_SOCKET"), "\(activity.drops)")
    #expect(activity.drops.contains { $0.function?.contains("tcp_v4_rcv") ?? false })
    #expect(activity.totals.drops == activity.drops.reduce(0) { $0 + $1.packets })
    let all = activity.statistics
    #expect(all.seen == all.recorded + all.dropped + all.unwanted)
  }

  @Test func `a tracer is started once, and needs room`() throws {
    let tracer = tracer(of: getpid())
    try tracer.start()
    #expect(throws: EBPFError.self) { try tracer.start() }
    _ = try tracer.stop()
    #expect(throws: EBPFError.self) { try tracer.activity() }
    #expect(throws: EBPFError.self) { try tracer.stop() }
    let roomless = self.tracer(of: getpid()) { $0.connectionCapacity = 0 }
    #expect(throws: EBPFError.self) { try roomless.start() }
  }

  @Test func `nothing is left after the end`() async {
    // In a process of its own: others of this one open and use what they need meanwhile.
    await #expect(processExitsWith: .success) {
      func cycle() throws {
        let tracer = NetworkTracerTests().tracer(of: getpid())
        try tracer.start()
        _ = try tracer.activity()
        _ = try tracer.stop()
      }
      try cycle()
      let before = try OpenDescriptors.count()
      for _ in 0..<3 { try cycle() }
      try OpenDescriptors.expectNoMore(than: before)
    }
  }
}
