import EBPF
import EBPFSystem
import EBPFTracers
import Glibc
import Synchronization
import TestSupport
import Testing

/// Capabilities 21 to 23 on the running kernel, against programs of known work in network namespaces
/// of their own.
@Suite(.serialized) struct NetworkTracerTests {
  private func tracer(
    of process: Int32, _ change: (inout NetworkTracerConfiguration) -> Void = { _ in }
  ) -> NetworkTracer {
    NetworkTracer(configuration(of: process, change))
  }

  private func configuration(
    of process: Int32, _ change: (inout NetworkTracerConfiguration) -> Void = { _ in }
  ) -> NetworkTracerConfiguration {
    var configuration = NetworkTracerConfiguration()
    configuration.filter.follow(process)
    change(&configuration)
    return configuration
  }

  /// Traces a scenario of Tests/Fixtures/workloads/sockets.c from its first stop to its end.
  private func activity(
    _ scenario: [String], _ change: (inout NetworkTracerConfiguration) -> Void = { _ in }
  ) throws -> NetworkActivity {
    let child = try StoppedProcess(workload: "sockets", scenario)
    let tracer = tracer(of: child.id, change)
    try tracer.start()
    #expect(try child.finish() == 0)
    let activity = try tracer.stop()
    checkSums(activity)
    return activity
  }

  /// What holds for every recording that is over.
  private func checkSums(
    _ activity: NetworkActivity, location: SourceLocation = #_sourceLocation
  ) {
    let all = activity.statistics
    #expect(
      all.seen == all.recorded + all.dropped + all.unwanted, "\(all)", sourceLocation: location)
    #expect(all.dropped == 0, sourceLocation: location)
  }

  /// The other end of a connection inside one network namespace.
  private func peer(_ connection: NetworkConnection, in activity: NetworkActivity)
    -> NetworkConnection?
  {
    activity.connections.first {
      $0.local == connection.remote && $0.remote == connection.local
        && $0.networkNamespace == connection.networkNamespace
    }
  }

  /// The counters of /proc/PID/net/snmp: `Tcp.ActiveOpens`.
  private func counters(of process: Int32) throws -> [String: Int] {
    let text = String(decoding: try contents(ofFile: "/proc/\(process)/net/snmp"), as: UTF8.self)
    var counters: [String: Int] = [:]
    let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
    for (names, values) in zip(lines, lines.dropFirst()) where names[0] == values[0] {
      for (name, value) in zip(names, values).dropFirst() {
        counters["\(names[0].dropLast()).\(name)"] = Int(value)
      }
    }
    return counters
  }

  // MARK: Capability 22

  @Test func `fifty connections are there with both ends, their bytes and their times`() throws {
    let child = try StoppedProcess(workload: "network")
    let tracer = tracer(of: child.id)
    try tracer.start()
    #expect(try child.finish() == 0)
    let activity = try tracer.stop()
    checkSums(activity)

    let connects = activity.connections.filter { $0.role == .connect }
    #expect(connects.count == 50)
    #expect(activity.connections.count == 100)
    #expect(Set(connects.map(\.local.port)).count == 50)
    #expect(Set(connects.map(\.remote)).count == 1)
    #expect(Set(activity.connections.map(\.networkNamespace)).count == 1)
    for connection in connects {
      #expect(connection.sentBytes == 20_000)
      #expect(connection.receivedBytes == 100)
      #expect(connection.local.address.description == "127.0.0.1")
      #expect(connection.isEstablished && connection.closed != nil && connection.error == nil)
      #expect(connection.durationNanoseconds > 0)
      let handshake = try #require(connection.handshakeNanoseconds)
      #expect(handshake > 0 && handshake <= connection.durationNanoseconds)
      #expect(connection.process?.id == child.id)
      #expect(connection.process?.command == "network")
      let other = try #require(peer(connection, in: activity))
      #expect(other.role == .accept)
      #expect(other.sentBytes == 100 && other.receivedBytes == 20_000)
      #expect(other.process?.id == child.id)
      #expect(other.durationNanoseconds > 0)
      #expect(other.acceptNanoseconds != nil)
    }
    #expect(activity.totals.connects == 50 && activity.totals.accepts == 50)
    #expect(activity.totals.failures == 0 && activity.totals.existing == 0)
    // 50 × (20,000 + 100) by TCP and 30 × 512 by UDP, each byte sent once and received once.
    #expect(activity.totals.bytesSent == 1_020_360)
    #expect(activity.totals.bytesReceived == 1_020_360)
    #expect(activity.totals.messagesSent == 30 && activity.totals.messagesReceived == 30)
    #expect(activity.sockets.map(\.sentBytes).sorted() == [0, 15_360])
    #expect(activity.sockets.map(\.receivedBytes).sorted() == [0, 15_360])
  }

  @Test func `IPv6 is followed, and IPv4 through an IPv6 socket is IPv4`() throws {
    let activity = try activity(["version6"])
    let connects = activity.connections.filter { $0.role == .connect }
    #expect(connects.count == 20)
    #expect(connects.allSatisfy { $0.usesVersion6Socket && $0.sentBytes == 1000 })
    let addresses = connects.map(\.remote.address.description)
    #expect(addresses.filter { $0 == "::1" }.count == 10)
    #expect(addresses.filter { $0 == "127.0.0.1" }.count == 10)
    #expect(connects.allSatisfy { peer($0, in: activity)?.receivedBytes == 1000 })
    #expect(activity.totals.messagesSent == 5 && activity.totals.messagesReceived == 5)
    #expect(activity.totals.bytesReceived == 20_500)
    let receiver = try #require(activity.sockets.first { $0.receivedMessages > 0 })
    #expect(receiver.local.address.description == "::1")
  }

  @Test(arguments: [NetworkAddressFilter.Version.four, .six])
  func `one IP version can be asked for`(version: NetworkAddressFilter.Version) throws {
    let activity = try activity(["version6"]) { $0.addresses.version = version }
    #expect(activity.connections.count == 20)
    #expect(
      activity.connections.allSatisfy { $0.remote.address.isVersion4 == (version == .four) })
    #expect(activity.sockets.isEmpty == (version == .four))
    // Five datagrams sent and five received, where they are not wanted; other programs run as well.
    #expect(activity.statistics.unwanted >= (version == .four ? 20 + 10 : 20))
  }

  @Test func `ports and the namespace narrow what is recorded`() throws {
    let child = try StoppedProcess(workload: "sockets", ["rounds", "10"])
    let namespace = try FileStatus(path: "/proc/\(child.id)/ns/net").inode
    let all = tracer(of: child.id) {
      $0.addresses.networkNamespace = UInt32(truncatingIfNeeded: namespace)
    }
    let none = tracer(of: child.id) { $0.addresses.networkNamespace = 1 }
    let closed = tracer(of: child.id) { $0.addresses.remotePorts = [1] }
    for one in [all, none, closed] { try one.start() }
    #expect(try child.finish() == 0)
    let (recorded, empty, other) = (try all.stop(), try none.stop(), try closed.stop())
    #expect(recorded.connections.count == 20)
    #expect(empty.connections.isEmpty && empty.statistics.unwanted >= 20)
    #expect(other.connections.isEmpty && other.totals.bytesSent == 0)
    for one in [recorded, empty, other] { checkSums(one) }
  }

  // MARK: Capability 21

  @Test func `a connect that fails is there with its error`() throws {
    let activity = try activity(["failures"])
    let failed = activity.connections.filter { !$0.isEstablished }
    let found = Dictionary(
      uniqueKeysWithValues: failed.map { ($0.remote.description, $0.errorName ?? "none") })
    let taken = try #require(
      activity.connections.first { $0.isEstablished && $0.role == .connect }
    ).remote.description
    #expect(
      found == [
        "127.0.0.1:1": "ECONNREFUSED", "127.0.0.1:3": "ECONNREFUSED",
        "203.0.113.7:81": "ENETUNREACH", "198.51.100.7:82": "EHOSTUNREACH",
        taken: "EADDRNOTAVAIL", "[::1]:2": "ECONNREFUSED",
      ])
    #expect(failed.allSatisfy { $0.closed != nil && $0.sentBytes == 0 && $0.process != nil })
    #expect(activity.totals.failures == 6)
    #expect(activity.totals.connects == 1)
  }

  @Test func `a connection from before the start has its bytes from the start on`() throws {
    let child = try StoppedProcess(workload: "sockets", ["existing"])
    let tracer = tracer(of: child.id)
    try tracer.start()
    try child.resumeUntilStopped()
    let living = try tracer.activity()
    #expect(living.connections.map(\.sentBytes).sorted() == [300, 7000])
    #expect(living.connections.map(\.receivedBytes).sorted() == [300, 7000])
    #expect(living.connections.allSatisfy { $0.role == .existing && $0.closed == nil })
    #expect(living.connections.allSatisfy { $0.state == "ESTABLISHED" && $0.opened == nil })
    // The kernel's own account is of the whole life.
    #expect(living.connections.map(\.health.bytesSent).sorted() == [300, 12_000])
    #expect(try child.finish() == 0)

    let activity = try tracer.stop()
    checkSums(activity)
    #expect(activity.connections.count == 2)
    #expect(activity.connections.allSatisfy { $0.role == .existing && $0.closed != nil })
    #expect(activity.connections.map(\.sentBytes).sorted() == [300, 7000])
    #expect(activity.connections.allSatisfy { $0.process?.id == child.id })
    #expect(activity.totals.existing == 2)
    #expect(activity.totals.bytesSent == 7300 && activity.totals.bytesReceived == 7300)
  }

  @Test func `segments that are sent again are counted with their cause`() throws {
    let activity = try activity(["retransmit"])
    let connection = try #require(activity.connections.first)
    #expect(activity.connections.count == 1)
    #expect(connection.remote.description == "10.77.0.2:80")
    #expect(connection.local.address.description == "10.77.0.1")
    #expect(!connection.isEstablished && connection.closed != nil)
    // Given up by close, without an error.
    #expect(connection.error == nil)
    #expect(connection.retransmits.total >= 2)
    #expect(connection.retransmits.afterTimeout == connection.retransmits.total)
    #expect(connection.health.totalRetransmits == UInt32(connection.retransmits.total))
    #expect(activity.totals.retransmits == connection.retransmits.total)
  }

  @Test func `a reset is seen from both ends`() throws {
    let activity = try activity(["reset"])
    let connect = try #require(activity.connections.first { $0.role == .connect })
    let accept = try #require(activity.connections.first { $0.role == .accept })
    #expect(accept.errorName == "ECONNRESET" && accept.resetsReceived == 1)
    #expect(connect.sentBytes == 100 && accept.receivedBytes == 100)
    #expect(activity.totals.resetsReceived >= 1)
  }

  @Test func `ten thousand connections, most of them at the same time, are all there`() throws {
    let activity = try activity(["many", "10000"])
    #expect(activity.totals.connects == 10_000 && activity.totals.accepts == 10_000)
    #expect(activity.totals.bytesSent == 100_000 && activity.totals.bytesReceived == 100_000)
    #expect(activity.connections.count == 20_000)
    let ports = Set(activity.connections.filter { $0.role == .connect }.map(\.local.port))
    #expect(ports.count == 10_000)
    #expect(activity.connections.allSatisfy { $0.sentBytes + $0.receivedBytes == 10 })
  }

  @Test func `what finds no room is counted, and nothing else is wrong`() throws {
    let child = try StoppedProcess(workload: "sockets", ["many", "200"])
    let tracer = tracer(of: child.id) { $0.connectionCapacity = 64 }
    try tracer.start()
    #expect(try child.finish() == 0)
    let activity = try tracer.stop()
    let all = activity.statistics
    #expect(all.seen == all.recorded + all.dropped + all.unwanted)
    #expect(all.recorded == UInt64(activity.connections.count))
    // Connections that others accept take room, too, until their owner is known.
    #expect(all.recorded > 0 && all.recorded + all.dropped >= 400)
  }

  @Test func `a list that is full leaves the totals right`() throws {
    let activity = try activity(["rounds", "100"]) { $0.listLimit = 30 }
    #expect(activity.connections.count == 30)
    #expect(activity.unlisted == 170)
    #expect(activity.totals.connects == 100 && activity.totals.bytesReceived == 1000)
  }

  @Test func `datagrams of more sockets than the kernel's table holds are all counted`() throws {
    // More than twice its 8,192 entries, and one that is looked at before it is taken.
    let child = try StoppedProcess(workload: "sockets", ["datagrams", "2", "6000"])
    let tracer = tracer(of: child.id)
    try tracer.start()
    for round in 1...2 {
      try child.resumeUntilStopped()
      #expect(try tracer.activity().totals.messagesSent == UInt64(round) * 12_000)
    }
    #expect(try child.finish() == 0)
    let activity = try tracer.stop()
    checkSums(activity)
    #expect(activity.totals.messagesSent == 36_000)
    #expect(activity.totals.messagesReceived == 36_000)
    #expect(activity.totals.bytesSent == 288_000 && activity.totals.bytesReceived == 288_000)
    #expect(activity.totals.datagramSockets == 18_001)
    #expect(activity.sockets.count == 18_001)
  }

  @Test func `datagrams that find the table full are counted, with their bytes`() throws {
    let child = try StoppedProcess(workload: "sockets", ["datagrams", "1", "10000"])
    let tracer = tracer(of: child.id)
    try tracer.start()
    for _ in 1...2 {
      try child.resumeUntilStopped()
    }
    #expect(try child.finish() == 0)
    let activity = try tracer.stop()
    // How many are lost depends on how soon the table is emptied; that none is missing does not.
    let all = activity.statistics
    #expect(all.seen == all.recorded + all.dropped + all.unwanted)
    #expect(all.recorded + all.dropped == 60_000)
    #expect(activity.totals.messagesSent + activity.totals.messagesReceived == all.recorded)
    #expect(activity.totals.bytesSent == 240_000 && activity.totals.bytesReceived == 240_000)
  }

  // MARK: Capability 23

  @Test func `statistics agree with the namespace's own counters`() throws {
    let child = try StoppedProcess(workload: "sockets", ["existing"])
    let before = try counters(of: child.id)
    let tracer = tracer(of: child.id)
    try tracer.start()
    try child.resumeUntilStopped()
    let after = try counters(of: child.id)
    let activity = try tracer.activity()
    func difference(_ name: String) -> Int { (after[name] ?? 0) - (before[name] ?? 0) }
    #expect(
      activity.totals.segments
        == UInt64(difference("Tcp.OutSegs") + difference("Tcp.InSegs")))
    #expect(difference("Tcp.ActiveOpens") == 0)
    child.resume()
    try child.wait()
    _ = try tracer.stop()
  }

  @Test func `opens and datagrams agree with the namespace's own counters`() throws {
    let child = try StoppedProcess(workload: "sockets", ["twice"])
    let tracer = tracer(of: child.id)
    try tracer.start()
    for round in 1...2 {
      try child.resumeUntilStopped()
      let kernel = try counters(of: child.id)
      let totals = try tracer.activity().totals
      #expect(kernel["Tcp.ActiveOpens"] == round && totals.connects == UInt64(round))
      #expect(kernel["Tcp.PassiveOpens"] == round && totals.accepts == UInt64(round))
      #expect(totals.bytesSent == UInt64(round) * 1000)
      #expect(try tracer.statistics().recorded == UInt64(round) * 2)
    }
    try child.finish()
    #expect(try tracer.stop().totals.connects == 3)
  }

  @Test func `an idle connection's health is what ss shows, field by field`() throws {
    let child = try StoppedProcess(workload: "sockets", ["existing"])
    let tracer = tracer(of: child.id)
    try tracer.start()
    try child.resumeUntilStopped()
    let shown = try Command.output([
      "nsenter", "--net=/proc/\(child.id)/ns/net", "ss", "-tinH", "state", "established",
    ])
    let activity = try tracer.activity()
    let lines = shown.split(separator: "\n")
    try #require(lines.count == 4, "\(shown)")
    for (first, second) in [(lines[0], lines[1]), (lines[2], lines[3])] {
      let ends = first.split(separator: " ")
      let connection = try #require(
        activity.connections.first {
          $0.local.description == ends[2] && $0.remote.description == ends[3]
        })
      try compare(connection.health, with: SocketStatistics(String(second)))
      #expect(connection.health.receiveQueue == UInt32(ends[0]))
      #expect(connection.health.sendQueue == UInt32(ends[1]))
    }
    child.resume()
    try child.wait()
    _ = try tracer.stop()
  }

  private func compare(_ health: NetworkHealth, with shown: SocketStatistics) throws {
    #expect(shown.words.contains(health.algorithm))
    #expect(health.congestionState == "open")
    let rtt = try #require(shown.pair("rtt"))
    #expect(health.roundTripMicroseconds == UInt32((rtt.0 * 1000).rounded()))
    #expect(health.roundTripVariationMicroseconds == UInt32((rtt.1 * 1000).rounded()))
    #expect(
      health.minimumRoundTripMicroseconds
        == shown.number("minrtt").map { UInt32(($0 * 1000).rounded()) })
    for (name, value) in [
      ("mss", health.segmentSize), ("cwnd", health.congestionWindow),
      ("segs_out", health.segmentsOut), ("segs_in", health.segmentsIn),
      ("data_segs_out", health.dataSegmentsOut), ("data_segs_in", health.dataSegmentsIn),
      ("delivered", health.delivered), ("snd_wnd", health.sendWindow),
    ] {
      #expect(UInt32(shown.number(name) ?? 0) == value, "\(name)")
    }
    for (name, value) in [
      ("bytes_sent", health.bytesSent), ("bytes_acked", health.bytesAcknowledged),
      ("bytes_received", health.bytesReceived), ("bytes_retrans", health.bytesRetransmitted),
    ] {
      #expect(UInt64(shown.number(name) ?? 0) == value, "\(name)")
    }
    // Left out by ss where they are 0, or 3 for reordering.
    #expect(UInt32(shown.number("reordering") ?? 3) == health.reordering)
    #expect(UInt32(shown.number("reord_seen") ?? 0) == health.reorderingSeen)
    #expect(UInt32(shown.number("rcv_ooopack") ?? 0) == health.outOfOrder)
    #expect(UInt32(shown.number("dsack_dups") ?? 0) == health.duplicateAcknowledgements)
    #expect(shown.number("ssthresh").map { UInt32($0) } == health.slowStartThreshold)
    let busy = try #require(health.busyNanoseconds)
    #expect(UInt64(shown.number("busy") ?? 0) == busy / 1_000_000)
  }

  // MARK: Life

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
    let tracer = NetworkTracer(configuration(of: child.id)) { event in
      events.withLock { $0.append(event) }
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
      func descriptors() throws -> Int { try FileSystem.entries("/proc/self/fd").count }
      func cycle() throws {
        let tracer = NetworkTracerTests().tracer(of: getpid())
        try tracer.start()
        _ = try tracer.activity()
        _ = try tracer.stop()
      }
      try cycle()
      let before = try descriptors()
      for _ in 0..<3 { try cycle() }
      #expect(try descriptors() == before)
    }
  }
}

/// The second line that `ss -ti` prints for a connection.
private struct SocketStatistics {
  let words: [String]

  init(_ line: String) { words = line.split { $0 == " " || $0 == "\t" }.map(String.init) }

  /// `name:12.5ms/…` as 12.5.
  func number(_ name: String) -> Double? {
    text(name).flatMap { Double($0.prefix { $0.isNumber || $0 == "." }) }
  }

  func pair(_ name: String) -> (Double, Double)? {
    guard let parts = text(name)?.split(separator: "/"), parts.count == 2,
      let first = Double(parts[0]), let second = Double(parts[1])
    else { return nil }
    return (first, second)
  }

  private func text(_ name: String) -> String? {
    words.first { $0.hasPrefix(name + ":") }.map { String($0.dropFirst(name.count + 1)) }
  }
}
