internal import FoundationEssentials

/// What somebody asks of a running tracer: one line of JSON.
///
/// ```
/// {"request": "filter", "tracer": "syscalls", "pid": [1234], "children": true}
/// ```
package struct ControlRequest: Sendable, Hashable {
  /// What to do.
  package enum Verb: String, Sendable, Hashable, CaseIterable {
    /// Record nothing until resumed.
    case pause
    /// Record again.
    case resume
    /// Record other processes or other calls from now on.
    case filter
    /// The summary so far.
    case stats
    /// What recording has cost so far.
    case overhead
    /// End the recording, as Ctrl-C does.
    case stop
  }

  /// What to do.
  package var verb: Verb
  /// The tracer it is about, where a recording has several; nil for all.
  package var tracer: String?
  /// Of ``Verb/filter``: whose events are recorded from now on; nil leaves it as it is.
  package var processes: ControlFilter?
  /// Of ``Verb/filter``: which system calls, as `ebpf syscalls --syscalls` takes them; empty for all,
  /// nil leaves it as it is.
  package var syscalls: String?

  /// A request about all tracers.
  package init(_ verb: Verb, tracer: String? = nil) {
    self.verb = verb
    self.tracer = tracer
  }
}

/// Whose events are recorded. Kinds must all agree; within one any entry is enough; empty: everything.
package struct ControlFilter: Sendable, Hashable {
  /// Process ids.
  package var pid: [Int32] = []
  /// Also what these processes start.
  package var children = false
  /// Command names.
  package var comm: [String] = []
  /// Paths of cgroups.
  package var cgroup: [String] = []
  /// Beginnings of containers' ids or names.
  package var container: [String] = []

  /// Everything.
  package init() {}
}

/// Why a line is no request.
package struct ControlRequestError: Error, Sendable, Hashable {
  /// What is wrong.
  package var message: String
  /// What would be right.
  package var hint: String?

  init(_ message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
  }
}

// MARK: - Reading

extension ControlRequest {
  /// Reads one line, without its end. Keys that nobody knows are refused: a misspelt filter would
  /// record the wrong things.
  package init(parsing line: [UInt8]) throws(ControlRequestError) {
    let fields: Fields
    do { fields = try JSONDecoder().decode(Fields.self, from: Data(line)) } catch {
      throw ControlRequest.refusal(error)
    }
    guard let verb = Verb(rawValue: fields.request) else {
      throw ControlRequestError(
        "there is no request '\(fields.request.prefix(40))'", hint: "there are \(Verb.list)")
    }
    self.init(verb, tracer: fields.tracer)
    let isFilter = fields.processes != nil || fields.syscalls != nil
    if isFilter, verb != .filter {
      throw ControlRequestError("'\(verb.rawValue)' takes no filter")
    }
    if !isFilter, verb == .filter {
      throw ControlRequestError(
        "the filter is missing",
        hint: "give pid, comm, cgroup, container or syscalls, or all: true for no filter")
    }
    if let bad = fields.processes?.pid.first(where: { $0 <= 0 }) {
      throw ControlRequestError("\(bad) is no process id")
    }
    processes = fields.processes
    syscalls = fields.syscalls
  }

  private static func refusal(_ error: any Error) -> ControlRequestError {
    switch error {
    case let refused as ControlRequestError: return refused
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      guard let key = context.codingPath.first else { break }
      return ControlRequestError(
        "'\(key.stringValue)' has a value of the wrong type", hint: Key.hint(key.stringValue))
    case DecodingError.keyNotFound(let key, _):
      return ControlRequestError("'\(key.stringValue)' is missing", hint: "there are \(Verb.list)")
    default: break
    }
    return ControlRequestError(
      "that is not an object of JSON on one line", hint: #"such as {"request": "stats"}"#)
  }

  /// The keys of a request.
  private enum Key: String, CodingKey, CaseIterable {
    case request, tracer, all, pid, children, comm, cgroup, container, syscalls

    static func hint(_ name: String) -> String? {
      switch Key(rawValue: name) {
      case .request, .tracer, .syscalls: "it is a string"
      case .all, .children: "it is true or false"
      case .pid: "it is a list of numbers: [1234]"
      case .comm, .cgroup, .container: "it is a list of strings"
      case nil: nil
      }
    }
  }

  /// Any key, so that unknown ones are seen.
  private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private struct Fields: Decodable {
    let request: String
    let tracer: String?
    var processes: ControlFilter?
    let syscalls: String?

    init(from decoder: any Decoder) throws {
      let all = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
      if let unknown = all.filter({ Key(rawValue: $0) == nil }).min() {
        throw ControlRequestError(
          "there is no key '\(unknown.prefix(40))'",
          hint: "there are " + Key.allCases.map(\.rawValue).joined(separator: ", "))
      }
      let keys = try decoder.container(keyedBy: Key.self)
      request = try keys.decode(String.self, forKey: .request)
      tracer = try keys.decodeIfPresent(String.self, forKey: .tracer)
      syscalls = try keys.decodeIfPresent(String.self, forKey: .syscalls)
      var filter = ControlFilter()
      let isForAll = try keys.decodeIfPresent(Bool.self, forKey: .all) ?? false
      filter.pid = try keys.decodeIfPresent([Int32].self, forKey: .pid) ?? []
      filter.children = try keys.decodeIfPresent(Bool.self, forKey: .children) ?? false
      filter.comm = try keys.decodeIfPresent([String].self, forKey: .comm) ?? []
      filter.cgroup = try keys.decodeIfPresent([String].self, forKey: .cgroup) ?? []
      filter.container = try keys.decodeIfPresent([String].self, forKey: .container) ?? []
      let isGiven = filter != ControlFilter()
      if isForAll, isGiven {
        throw ControlRequestError("'all' and a filter exclude each other")
      }
      if filter.children, filter.pid.isEmpty {
        throw ControlRequestError("'children' goes with 'pid'")
      }
      processes = isForAll || isGiven ? filter : nil
    }
  }
}

extension ControlRequest.Verb {
  /// `pause, resume, …`.
  package static var list: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

// MARK: - Writing

extension ControlRequest: Encodable {
  /// Writes what ``init(parsing:)`` reads.
  package func encode(to encoder: any Encoder) throws {
    var keys = encoder.container(keyedBy: Key.self)
    try keys.encode(verb.rawValue, forKey: .request)
    try keys.encodeIfPresent(tracer, forKey: .tracer)
    try keys.encodeIfPresent(syscalls, forKey: .syscalls)
    guard let processes else { return }
    if processes == ControlFilter() { try keys.encode(true, forKey: .all) }
    if !processes.pid.isEmpty { try keys.encode(processes.pid, forKey: .pid) }
    if processes.children { try keys.encode(true, forKey: .children) }
    if !processes.comm.isEmpty { try keys.encode(processes.comm, forKey: .comm) }
    if !processes.cgroup.isEmpty { try keys.encode(processes.cgroup, forKey: .cgroup) }
    if !processes.container.isEmpty { try keys.encode(processes.container, forKey: .container) }
  }

  /// The request as a line, with its end.
  package var line: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do { return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")] } catch {
      preconditionFailure("a request cannot be encoded: \(error)")
    }
  }
}
