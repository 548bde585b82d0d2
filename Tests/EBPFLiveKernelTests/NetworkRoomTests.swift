import EBPFTracers
import TestSupport
import Testing

/// More connections and sockets than there is room for: what is lost is counted, the rest is right.
@Suite(.serialized) struct NetworkRoomTests: SocketTracing {
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
}
