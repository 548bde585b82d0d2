import ControlProtocol
import Testing

@Suite struct ControlRequestTests {
  private func parse(_ text: String) throws -> ControlRequest {
    try ControlRequest(parsing: Array(text.utf8))
  }

  @Test(arguments: ControlRequest.Verb.allCases.filter { $0 != .filter })
  func `a verb alone is a request about all tracers`(verb: ControlRequest.Verb) throws {
    #expect(try parse(#"{"request": "\#(verb.rawValue)"}"#) == ControlRequest(verb))
    #expect(
      try parse(#"{"request":"\#(verb.rawValue)","tracer":"memory"}"#)
        == ControlRequest(verb, tracer: "memory"))
  }

  @Test func `a filter has processes, calls or both`() throws {
    var request = ControlRequest(.filter)
    var filter = ControlFilter()
    filter.pid = [1, 22]
    filter.children = true
    filter.comm = ["a \"b\""]
    filter.cgroup = ["/x/y"]
    filter.container = ["0123"]
    request.processes = filter
    #expect(
      try parse(
        #"{"request":"filter","pid":[1,22],"children":true,"comm":["a \"b\""],"#
          + #""cgroup":["/x/y"],"container":["0123"]}"#) == request)
    request = ControlRequest(.filter)
    request.syscalls = "openat,!close"
    #expect(try parse(#"{"request":"filter","syscalls":"openat,!close"}"#) == request)
    request.syscalls = nil
    request.processes = ControlFilter()
    #expect(try parse(#"{"request":"filter","all":true}"#) == request)
  }

  @Test func `what is written is read again`() throws {
    var all: [ControlRequest] = ControlRequest.Verb.allCases.filter { $0 != .filter }.map {
      ControlRequest($0, tracer: "profile")
    }
    var filter = ControlRequest(.filter)
    filter.processes = ControlFilter()
    all.append(filter)
    filter.processes?.pid = [.max]
    filter.processes?.comm = ["é\n"]
    filter.syscalls = ""
    all.append(filter)
    for request in all {
      let line = request.line
      #expect(line.last == UInt8(ascii: "\n") && line.count { $0 == UInt8(ascii: "\n") } == 1)
      #expect(try ControlRequest(parsing: line.dropLast()) == request)
    }
  }

  @Test(arguments: [
    ("", "that is not an object of JSON on one line"),
    ("\u{0}\u{1}", "that is not an object of JSON on one line"),
    ("pause", "that is not an object of JSON on one line"),
    ("[1]", "that is not an object of JSON on one line"),
    (#"{"request": "pause""#, "that is not an object of JSON on one line"),
    ("{}", "'request' is missing"),
    (#"{"request": 1}"#, "'request' has a value of the wrong type"),
    (#"{"request": "explode"}"#, "there is no request 'explode'"),
    (#"{"request": "pause", "now": true}"#, "there is no key 'now'"),
    (#"{"request": "pause", "pid": [1]}"#, "'pause' takes no filter"),
    (#"{"request": "filter"}"#, "the filter is missing"),
    (#"{"request": "filter", "all": false}"#, "the filter is missing"),
    (#"{"request": "filter", "pid": [0]}"#, "0 is no process id"),
    (#"{"request": "filter", "pid": [-4]}"#, "-4 is no process id"),
    (#"{"request": "filter", "pid": 4}"#, "'pid' has a value of the wrong type"),
    (#"{"request": "filter", "comm": [1]}"#, "'comm' has a value of the wrong type"),
    (#"{"request": "filter", "children": true}"#, "'children' goes with 'pid'"),
    (#"{"request": "filter", "all": true, "pid": [1]}"#, "'all' and a filter exclude each other"),
  ])
  func `what is no request is refused with the reason`(text: String, reason: String) {
    let error = #expect(throws: ControlRequestError.self) { try parse(text) }
    #expect(error?.message == reason)
  }

  @Test func `numbers and depths beyond reason are refused`() {
    for text in [
      #"{"request": "filter", "pid": [99999999999999999999]}"#,
      #"{"request": "filter", "pid": [1.5]}"#,
      String(repeating: "[", count: 60_000),
      String(repeating: #"{"a":"#, count: 10_000),
    ] {
      #expect(throws: ControlRequestError.self) { try parse(text) }
    }
  }

  @Test func `no random line is more than an error`() {
    var random = SystemRandomNumberGenerator()
    let model = Array(#"{"request":"filter","pid":[1,22],"children":true,"comm":["a"]}"#.utf8)
    for _ in 0..<20_000 {
      var line = model
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        line[Int.random(in: line.indices, using: &random)] = .random(in: 0...255, using: &random)
      }
      do { _ = try ControlRequest(parsing: line) } catch { #expect(!error.message.isEmpty) }
    }
  }
}
