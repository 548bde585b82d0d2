import EBPF
import EBPFSystem
import Testing

@testable import EBPFTracers

/// The Swift side of the process tracer's contract against the C side's own types.
@Suite struct ProcessRecordsTests {
  private func members(_ name: String) throws -> (size: Int, members: [String: Int]) {
    let object = try ObjectFile(parsing: EmbeddedObject.processTracer, name: "process_tracer")
    let types = try #require(object.btf)
    let id = try #require(try types.firstID(named: name, kind: .structure))
    var members: [String: Int] = [:]
    for member in try types.members(of: types.type(id)) {
      members[try types.string(at: member.nameOffset)] = Int(member.bitOffset) / 8
    }
    return (Int(try types.size(of: id)), members)
  }

  private func offsets<Value>(
    _ type: Value.Type, _ fields: [String: PartialKeyPath<Value>]
  ) -> [String: Int] {
    fields.mapValues { MemoryLayout<Value>.offset(of: $0) ?? -1 }
  }

  @Test func `structures are laid out as the object says`() throws {
    let control = try members("process_control")
    #expect(control.size == MemoryLayout<ProcessControl>.stride)
    #expect(
      control.members
        == offsets(
          ProcessControl.self,
          ["paused": \.paused, "padding": \.padding, "first_event": \.firstEvent]))
    let counters = try members("process_counters")
    #expect(counters.size == MemoryLayout<ProcessCounters>.stride)
    #expect(
      counters.members
        == offsets(
          ProcessCounters.self,
          [
            "paused": \.paused, "excluded": \.excluded, "sampled_out": \.sampledOut,
            "sent": \.sent, "lost": \.lost, "paths_cut": \.pathsCut,
            "arguments_cut": \.argumentsCut, "arguments_unread": \.argumentsUnread,
          ]))
    let record = try members("process_record")
    typealias Header = ProcessRecordHeader
    var expected = offsets(
      Header.self,
      [
        "time": \.time, "start": \.start, "cgroup": \.cgroup, "tgid": \.process,
        "parent": \.parent, "user": \.user, "weight": \.weight, "what": \.what, "flags": \.flags,
        "status": \.status, "argument_count": \.argumentCount, "length": \.pathLength,
        "command": \.command,
      ])
    #expect(MemoryLayout<Header>.offset(of: \.argumentsLength) == expected["length"].map { $0 + 4 })
    expected["text"] = MemoryLayout<Header>.size
    #expect(record.members == expected)
    #expect(
      record.size
        == MemoryLayout<Header>.size + Int(Header.pathLimit) + Int(Header.argumentsLimit))
  }

  private func record(_ header: ProcessRecordHeader, _ text: String) -> ProcessRecord? {
    let bytes = BitwiseBytes.read(header) { BitwiseBytes.array($0) } + Array(text.utf8)
    return ProcessRecord(record: bytes.span.bytes)
  }

  @Test func `texts are taken apart at their zeros`() throws {
    var header = ProcessRecordHeader()
    header.what = ProcessRecordHeader.What.began
    header.pathLength = 5
    header.argumentsLength = 7
    let whole = try #require(record(header, "/a/b\0a\0\0b c\0"))
    #expect(whole.path == "/a/b" && whole.arguments == ["a", "", "b c"])
    header.argumentsLength = 5
    #expect(record(header, "/a/b\0a\0\0b c\0")?.arguments == ["a", "", "b "])
    header.argumentsLength = 1
    #expect(record(header, "/a/b\0\0")?.arguments == [""])
    (header.pathLength, header.argumentsLength) = (0, 0)
    let none = try #require(record(header, ""))
    #expect(none.path.isEmpty && none.arguments.isEmpty)
  }

  @Test func `a record that is cut short or contradicts itself is none`() {
    var header = ProcessRecordHeader()
    #expect(record(header, "") == nil, "neither a beginning nor an end")
    header.what = ProcessRecordHeader.What.ended
    #expect(record(header, "") != nil)
    let bytes = BitwiseBytes.read(header) { BitwiseBytes.array($0) }
    for count in 0..<bytes.count {
      let isRecord = ProcessRecord(record: Array(bytes[..<count]).span.bytes) != nil
      #expect(!isRecord, "\(count)")
    }
    header.pathLength = 2
    #expect(record(header, "x") == nil)
    (header.pathLength, header.argumentsLength) = (1, 3)
    #expect(record(header, "x") == nil)
    header.argumentsLength = .max
    #expect(record(header, "x") == nil)
    (header.pathLength, header.argumentsLength) = (257, 0)
    #expect(record(header, String(repeating: "x", count: 1000)) == nil)
  }
}
