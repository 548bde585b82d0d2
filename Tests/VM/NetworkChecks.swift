import EBPF
import EBPFSystem
import EBPFTracers
import TestSupport

/// Capabilities 21 to 23: the network tracer against programs of known work in namespaces of their
/// own.
enum NetworkChecks {
  private static let typedDatagrams = ["network_send_btf", "network_receive_btf"]
  private static let datagramFunctions = [
    "network_send_version_4", "network_send_version_6", "network_receive_version_4",
    "network_receive_version_6",
  ]
  private static let rawDatagrams = ["network_send_raw", "network_receive_raw"]

  static let all = [
    Check("fifty connections and thirty datagrams are there to the byte") {
      let activity = try record([Guest.network])
      try checkFixture(activity)
      let used = try hook("datagrams", activity).used
      try require(
        used.hasPrefix(Guest.isOld ? "fexit/udp_sendmsg" : "tp_btf/sock_send_length"), used)
      try equal(
        try hook("connections", activity).used, "tp_btf/inet_sock_set_state", "connections by")
    },
    Check("an older kernel's missing tracepoints are said, with what is used instead") {
      let refused = try hook("datagrams", try record([Guest.network])).refused
      guard Guest.isOld else { return try equal(refused.count, 0, "refused: \(refused)") }
      try equal(
        refused.map(\.hook), ["tp_btf/sock_send_length + tp_btf/sock_recv_length"], "refused")
      try require(
        refused[0].why.contains("the kernel's BTF has no tracepoint 'sock_send_length'"),
        refused[0].why)
    },
    Check("each way to see datagrams counts the same") {
      let ways = [
        (typedDatagrams, "fexit/udp_sendmsg"),
        (typedDatagrams + datagramFunctions, Guest.isOld ? "kprobe/udp_sendmsg" : "raw_tp/sock_"),
        (typedDatagrams + datagramFunctions + rawDatagrams, "kprobe/udp_sendmsg"),
      ]
      for (missing, expected) in ways {
        let activity = try record([Guest.network], KernelWithout(programs: missing))
        let used = try hook("datagrams", activity).used
        try require(used.hasPrefix(expected), "\(used), expected \(expected)")
        try checkFixture(activity)
        let version6 = try record([Guest.sockets, "version6"], KernelWithout(programs: missing))
        try equal(version6.totals.messagesSent, 5, "messages sent by \(used)")
        try equal(version6.totals.messagesReceived, 5, "messages received by \(used)")
        try equal(version6.totals.bytesReceived, 20_500, "bytes received by \(used)")
      }
    },
    Check("without typed tracepoints connections are counted by raw ones") {
      let missing = [
        "network_state_btf", "network_retransmit_btf", "network_synack_btf",
        "network_reset_sent_btf", "network_reset_received_btf", "network_accept4_exit",
      ]
      let activity = try record([Guest.network], KernelWithout(programs: missing))
      try checkFixture(activity)
      try equal(
        try hook("connections", activity).used, "raw_tp/inet_sock_set_state", "connections by")
      let calls = try hook("owners of accepted connections, results of connect", activity)
      try equal(calls.used, "raw_tp/sys_exit", "results of connect by")
    },
    Check("IPv4 and IPv6 are told apart, also where one socket speaks both") {
      let activity = try record([Guest.sockets, "version6"])
      let connects = activity.connections.filter { $0.role == .connect }
      let addresses = connects.map(\.remote.address.description)
      try equal(addresses.count { $0 == "::1" }, 10, "connects to ::1")
      try equal(addresses.count { $0 == "127.0.0.1" }, 10, "connects to 127.0.0.1")
      try require(connects.allSatisfy { $0.usesVersion6Socket && $0.sentBytes == 1000 }, "bytes")
    },
    Check("connects that fail have the error that connect(2) gave") {
      let activity = try record([Guest.sockets, "failures"])
      try equal(activity.totals.failures, 6, "failures")
      let errors = activity.connections.filter { !$0.isEstablished }.compactMap(\.errorName)
      try equal(
        errors.sorted(),
        [
          "EADDRNOTAVAIL", "ECONNREFUSED", "ECONNREFUSED", "ECONNREFUSED", "EHOSTUNREACH",
          "ENETUNREACH",
        ], "errors")
    },
    Check("a connection from before the start has its bytes from the start on") {
      let child = try StoppedProcess([Guest.sockets, "existing"])
      let tracer = NetworkChecks.tracer(of: child.id)
      try tracer.start()
      try child.resumeUntilStopped()
      let living = try tracer.activity()
      try equal(living.connections.map(\.sentBytes).sorted(), [300, 7000], "bytes sent")
      try equal(try child.finish(), 0, "the status")
      let activity = try tracer.stop()
      try equal(activity.totals.existing, 2, "existing connections")
      try equal(activity.connections.map(\.receivedBytes).sorted(), [300, 7000], "bytes received")
    },
    Check("a paused network tracer leaves out what happens meanwhile") {
      let child = try StoppedProcess([Guest.sockets, "twice"])
      let tracer = NetworkChecks.tracer(of: child.id)
      try tracer.start()
      try child.resumeUntilStopped()
      try tracer.pause()
      try child.resumeUntilStopped()
      try equal(try tracer.activity().totals.connects, 1, "connects while paused")
      try tracer.resume()
      try equal(try child.finish(), 0, "the status")
      let activity = try tracer.stop()
      try checkSums(activity)
      try equal(activity.totals.connects, 2, "connects")
      try equal(activity.totals.bytesSent, 2000, "bytes sent")
    },
    Check("statistics agree with the namespace's own counters") {
      let child = try StoppedProcess([Guest.sockets, "twice"])
      let tracer = NetworkChecks.tracer(of: child.id)
      try tracer.start()
      for round in 1...2 {
        try child.resumeUntilStopped()
        let kernel = try openings(of: child.id)
        try equal(kernel, [round, round], "ActiveOpens, PassiveOpens")
        let totals = try tracer.activity().totals
        try equal([totals.connects, totals.accepts], [UInt64(round), UInt64(round)], "totals")
      }
      try child.finish()
      try equal(try tracer.stop().totals.connects, 3, "connects")
    },
    Check("nothing of the network tracer stays in the kernel") {
      let before = try KernelObjects()
      _ = try record([Guest.network])
      try before.requireNothingNew()
    },
  ]

  // MARK: -

  private static func tracer(
    of process: Int32, _ kernel: any KernelInterface = LiveKernel()
  ) -> NetworkTracer {
    var configuration = NetworkTracerConfiguration()
    configuration.filter.follow(process)
    return NetworkTracer(configuration, kernel: kernel)
  }

  private static func record(
    _ arguments: [String], _ kernel: any KernelInterface = LiveKernel()
  ) throws -> NetworkActivity {
    let child = try StoppedProcess(arguments)
    let tracer = tracer(of: child.id, kernel)
    try tracer.start()
    try equal(try child.finish(), 0, "the status of \(arguments)")
    let activity = try tracer.stop()
    try checkSums(activity)
    return activity
  }

  private static func checkSums(_ activity: NetworkActivity) throws {
    let all = activity.statistics
    try equal(all.seen, all.recorded + all.dropped + all.unwanted, "the sum of \(all)")
    try equal(all.dropped, 0, "lost events")
  }

  /// What the fixture does: 50 × (20,000 + 100) bytes by TCP and 30 × 512 by UDP.
  private static func checkFixture(_ activity: NetworkActivity) throws {
    let totals = activity.totals
    try equal([totals.connects, totals.accepts], [50, 50], "connects and accepts")
    try equal([totals.bytesSent, totals.bytesReceived], [1_020_360, 1_020_360], "bytes")
    try equal([totals.messagesSent, totals.messagesReceived], [30, 30], "messages")
    try equal(activity.connections.count, 100, "ends")
    for connection in activity.connections where connection.role == .connect {
      try equal([connection.sentBytes, connection.receivedBytes], [20_000, 100], "bytes of one")
      try require(connection.closed != nil && connection.durationNanoseconds > 0, "\(connection)")
      try equal(connection.process?.command, "network", "the command")
    }
  }

  private static func hook(_ need: String, _ activity: NetworkActivity) throws -> TracerHook {
    try require(activity.hooks.first { $0.need == need }, "no hook for \(need)")
  }

  /// `ActiveOpens` and `PassiveOpens` of /proc/PID/net/snmp.
  private static func openings(of process: Int32) throws -> [Int] {
    let lines = try Guest.text("/proc/\(process)/net/snmp").split(separator: "\n")
      .filter { $0.hasPrefix("Tcp:") }.map { $0.split(separator: " ") }
    try require(lines.count == 2, "\(lines)")
    return ["ActiveOpens", "PassiveOpens"].compactMap { name in
      lines[0].firstIndex { $0 == name }.flatMap { Int(lines[1][$0]) }
    }
  }
}
