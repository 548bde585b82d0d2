import EBPF
import EBPFSystem
import EBPFTracers
import TestSupport
import Testing

/// Capabilities 21 and 22 on the running kernel: which connections there are, whose, and what moves.
@Suite(.serialized) struct NetworkConnectionTests: SocketTracing {
  /// The other end of a connection inside one network namespace.
  private func peer(_ connection: NetworkConnection, in activity: NetworkActivity)
    -> NetworkConnection?
  {
    activity.connections.first {
      $0.local == connection.remote && $0.remote == connection.local
        && $0.networkNamespace == connection.networkNamespace
    }
  }

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
}
