internal import EBPFTracers
internal import OTLP

extension NetworkTelemetry {
  /// The sums of a recording so far.
  mutating func metrics(_ activity: NetworkActivity, at now: UInt64) -> MetricBatch {
    let totals = activity.totals
    var metrics = MetricBatch(start: state.start, time: now)
    metrics.add(
      MetricDescriptor(
        "system.network.socket.io", unit: "By",
        "Payload that TCP and UDP sockets sent and received."),
      .counter, byDirection(totals.bytesSent, totals.bytesReceived))
    metrics.add(
      MetricDescriptor(
        "system.network.udp.messages", unit: "{message}",
        "Messages that UDP sockets sent and received."),
      .counter, byDirection(totals.messagesSent, totals.messagesReceived))
    metrics.add(
      MetricDescriptor(
        "system.network.tcp.connection.successes", unit: "{connection}",
        "TCP connections that were made."),
      .counter,
      [
        NumberPoint(role(.connect), totals.connects), NumberPoint(role(.accept), totals.accepts),
      ])
    metrics.add(
      MetricDescriptor(
        "system.network.tcp.connection.failures", unit: "{connection}",
        "TCP connects that failed."),
      .counter, failurePoints(totals.failures))
    metrics.add(
      MetricDescriptor(
        "system.network.tcp.retransmits", unit: "{segment}", "TCP segments sent again."),
      .counter, [NumberPoint([], totals.retransmits)])
    metrics.add(
      MetricDescriptor("system.network.tcp.resets", unit: "{reset}", "TCP resets."),
      .counter, byDirection(totals.resetsSent, totals.resetsReceived))
    addHistograms(&metrics)
    addDrops(activity.drops, &metrics)
    return metrics
  }

  private func addHistograms(_ metrics: inout MetricBatch) {
    metrics.add(
      MetricDescriptor(
        "system.network.tcp.connection.duration", unit: "s",
        "How long TCP connections lived that have ended."),
      lifetimes.points(role))
    metrics.add(
      MetricDescriptor(
        "system.network.tcp.handshake.duration", unit: "s",
        "How long the handshakes of ended TCP connections took."),
      handshakes.points(role))
    metrics.add(
      MetricDescriptor(
        "system.network.tcp.rtt.duration", unit: "s",
        "The smoothed round-trip time of TCP connections when they ended."),
      roundTrips.points(role))
    metrics.add(
      MetricDescriptor("dns.lookup.duration", unit: "s", "How long DNS lookups took."),
      lookups.points { query in
        var attributes = [Attribute(Key.questionName, query.name)]
        if let failure = query.failure { attributes.append(Attribute(Key.errorType, failure)) }
        return attributes
      })
  }

  private mutating func addDrops(_ drops: [NetworkDrop], _ metrics: inout MetricBatch) {
    var reasons: [String: UInt64] = [:]
    for drop in drops { reasons[drop.reason, default: 0] += drop.packets }
    metrics.add(
      MetricDescriptor(
        "system.network.packet.dropped", unit: "{packet}", "Packets that the kernel dropped."),
      .counter,
      dropStreams.points(reasons, &pending.statistics) { [Attribute(Key.dropReason, $0)] })
  }

  private func byDirection(_ sent: UInt64, _ received: UInt64) -> [NumberPoint] {
    [
      NumberPoint([Attribute(Key.direction, "transmit")], sent),
      NumberPoint([Attribute(Key.direction, "receive")], received),
    ]
  }

  private func role(_ role: NetworkConnection.Role) -> [Attribute] {
    switch role {
    case .connect: [Attribute(Key.handshakeRole, "client")]
    case .accept: [Attribute(Key.handshakeRole, "server")]
    // Nobody saw its handshake.
    case .existing: []
    }
  }

  /// By reason, and those whose end no event told as one point.
  private func failurePoints(_ total: UInt64) -> [NumberPoint] {
    let known = failures.values.reduce(0, +)
    var points = failures.sorted { $0.key < $1.key }.map {
      NumberPoint([Attribute(Key.errorType, $0.key)], $0.value)
    }
    if total > known { points.append(NumberPoint([.overflow], total - known)) }
    return points
  }

  // MARK: - Log records

  /// One for each reason and place that packets were dropped for since the last collection.
  mutating func reportDrops(_ drops: [NetworkDrop], at now: UInt64) {
    var present: [Drop: UInt64] = [:]
    for drop in drops {
      present[Drop(reason: drop.reason, function: drop.function), default: 0] += drop.packets
    }
    for (drop, packets) in present.sorted(by: { $0.value > $1.value }) {
      let new = packets - min(packets, toldDrops[drop] ?? 0)
      guard new > 0 else { continue }
      var list = pending.attributes
      list.add(Key.dropReason, drop.reason)
      list.add(Key.dropFunction, drop.function)
      list.add("linux.packet.drop.count", new)
      let place = drop.function.map { " in \($0)" } ?? ""
      pending.addRecord(
        "linux.packet.drop", .warning, at: now, observed: now,
        "the kernel dropped \(new) packets\(place): \(drop.reason)", list)
    }
    toldDrops = present
  }
}
