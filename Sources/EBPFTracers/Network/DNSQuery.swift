public import Profiles

/// A question to a DNS server over UDP, and what became of it.
public struct DNSQuery: Sendable, Hashable {
  /// When it was first sent, in nanoseconds of the monotonic clock.
  public var time: UInt64
  /// Who asked.
  public var process: NetworkProcess?
  /// What the thread that asked was at work on, where its process tells and
  /// ``NetworkTracerConfiguration/linksSpans`` asks for it.
  public var span: Profile.Span?
  /// The end that asked.
  public var local: NetworkEndpoint
  /// The server.
  public var server: NetworkEndpoint
  /// The inode of the network namespace.
  public var networkNamespace: UInt32
  /// The name asked for, without a final dot.
  public var name: String
  /// The type asked for: `AAAA`.
  public var type: String
  /// How often it was sent.
  public var attempts: Int
  /// The answer; nil when none was seen.
  public var answer: DNSAnswer?
}

/// What a DNS server answered.
public struct DNSAnswer: Sendable, Hashable {
  /// From the first sending to the arrival of the answer.
  public var latencyNanoseconds: UInt64
  /// `NOERROR`, `NXDOMAIN`.
  public var code: String
  /// Records in the answer section.
  public var records: Int
  /// True when the server says that it left something out (TC).
  public var isTruncated: Bool
}

/// Brings queries and answers together.
struct DNSMatcher: Sendable {
  private struct Key: Hashable {
    var tuple: NetworkTuple
    var id: UInt16
    var name: String
    var type: UInt16
  }

  /// Queries that wait for their answer; beyond this, old ones are given up.
  private static let waitingLimit = 16_384
  /// When a query counts as unanswered, once too many wait.
  private static let patience: UInt64 = 30_000_000_000

  private var waiting: [Key: DNSQuery] = [:]
  /// Messages that could not be understood.
  private(set) var malformed: UInt64 = 0
  /// Answers to questions that nobody here asked while watched.
  private(set) var unasked: UInt64 = 0

  /// Takes one message; returns queries that are complete with it.
  mutating func add(_ header: NetworkPacketHeader, _ data: [UInt8]) -> [DNSQuery] {
    guard let message = DNSMessage(data), message.isResponse == (header.direction == 2) else {
      malformed += 1
      return []
    }
    var key = Key(
      tuple: header.tuple, id: message.id, name: message.name.lowercased(), type: message.type)
    guard message.isResponse else {
      if waiting[key]?.attempts != nil {
        waiting[key]?.attempts += 1
        return []
      }
      let given = waiting.count >= Self.waitingLimit ? giveUp(before: header.time) : []
      waiting[key] = DNSQuery(header, message)
      return given
    }
    if message.name.isEmpty, message.type == 0,
      let only = waiting.keys.first(where: { $0.tuple == key.tuple && $0.id == key.id })
    {
      key = only
    }
    guard var query = waiting.removeValue(forKey: key) else {
      unasked += 1
      return []
    }
    query.answer = DNSAnswer(
      latencyNanoseconds: header.time - min(query.time, header.time),
      code: DNSMessage.codeName(message.responseCode), records: Int(message.answers),
      isTruncated: message.isTruncated)
    return [query]
  }

  /// The queries that still wait; nobody waits for them any more.
  mutating func takeUnanswered() -> [DNSQuery] {
    defer { waiting = [:] }
    return waiting.values.sorted { $0.time < $1.time }
  }

  private mutating func giveUp(before now: UInt64) -> [DNSQuery] {
    let limit = now - min(now, Self.patience)
    var old = waiting.filter { $0.value.time < limit }
    // Nothing is that old: a flood. The older half goes.
    if old.isEmpty {
      let times = waiting.values.map(\.time).sorted()
      let middle = times[times.count / 2]
      old = waiting.filter { $0.value.time <= middle }
    }
    for key in old.keys { waiting.removeValue(forKey: key) }
    return old.values.sorted { $0.time < $1.time }
  }
}

extension DNSQuery {
  fileprivate init(_ header: NetworkPacketHeader, _ message: DNSMessage) {
    time = header.time
    process = NetworkProcess(header.owner)
    span = header.span.span
    local = NetworkEndpoint(
      address: NetworkAddress(header.tuple.local), port: header.tuple.localPort)
    server = NetworkEndpoint(
      address: NetworkAddress(header.tuple.remote), port: header.tuple.remotePort)
    networkNamespace = header.tuple.networkNamespace
    name = message.name
    type = DNSMessage.typeName(message.type)
    attempts = 1
    answer = nil
  }
}
