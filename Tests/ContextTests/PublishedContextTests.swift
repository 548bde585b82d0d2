import EBPFObject
import EBPFSystem
import OpenTelemetryContext
import Profiles
import Synchronization
import Testing

@testable import PublishedContexts

/// What this process publishes, as the reader of other processes sees it.
@Suite(.serialized) struct PublishedContextTests {
  private func context() throws -> PublishedContext? {
    let maps = try SystemFile.read("/proc/self/maps")
    return try PublishedContextReader.read(
      ProcessMaps(parsing: maps, executableOnly: false), try ProcessMemory(of: CurrentProcess.id))
  }

  @Test func `what is published is read, changed and taken back`() throws {
    #expect(try context() == nil)
    try ProcessContext.publish(["service.name": "a", "n": -7])
    let first = try #require(try context())
    #expect(
      first.resource == [.init("n", .integer(-7)), .init("service.name", .string("a"))])
    #expect(first.hasThreadContexts)
    let texts = (0..<40).map { "attribute \($0) " + String(repeating: "é", count: $0 * 10) }
    try ProcessContext.publish([
      "service.name": "b", "texts": .strings(texts), "yes": true, "half": 0.5, "none": "",
    ])
    let second = try #require(try context())
    #expect(second.stamp > first.stamp)
    #expect(
      second.resource == [
        .init("half", .double(0.5)), .init("none", .string("")),
        .init("service.name", .string("b")), .init("texts", .strings(texts)),
        .init("yes", .boolean(true)),
      ])
    let mappings = try SystemFile.lines("/proc/self/maps").filter { $0.contains("OTEL_CTX") }
    #expect(mappings.count == 1, "an update takes no new mapping: \(mappings)")
    ProcessContext.withdraw()
    #expect(try context() == nil)
    ProcessContext.withdraw()
  }

  @Test func `what is too large is refused before anything is changed`() throws {
    let long = String(repeating: "x", count: ProcessContext.sizeLimit)
    #expect(throws: ProcessContextError.self) { try ProcessContext.publish(["a": .string(long)]) }
    #expect(throws: ProcessContextError.self) {
      try ProcessContext.publish([:], threadAttributes: Array(repeating: "k", count: 257))
    }
    #expect(try context() == nil)
  }

  @Test func `of a context that changes all the time one state is read, or it is said`() throws {
    let isOver = Flag()
    let published = Flag()
    try Thread.detach {
      var round = 0
      while !isOver.value.load(ordering: .relaxed) {
        let text = String(repeating: "\(round % 10)", count: 1 + round % 3000)
        do throws(ProcessContextError) {
          try ProcessContext.publish(["a": .string(text), "b": .string(text)])
        } catch { Issue.record(error) }
        round += 1
      }
      ProcessContext.withdraw()
      published.value.store(true, ordering: .releasing)
    }
    var isThere = false
    while !isThere {
      do { isThere = try context() != nil } catch let error as EBPFError {
        // It changed while it was read: then it is there.
        #expect(error.code == .invalidState, "\(error)")
        isThere = true
      }
    }
    let maps = try ProcessMaps(
      parsing: try SystemFile.read("/proc/self/maps"), executableOnly: false)
    let header = try #require(PublishedContextReader.candidates(maps).first).start
    let memory = try ProcessMemory(of: CurrentProcess.id)
    var seen: Set<UInt64> = []
    while seen.count < 100 {
      do throws(EBPFError) {
        let context = try PublishedContextReader.read(at: header, memory)
        #expect(context.resource.map(\.key) == ["a", "b"])
        #expect(context.resource[0].value == context.resource[1].value)
        seen.insert(context.stamp)
      } catch { #expect(error.code == .invalidState, "\(error)") }
    }
    isOver.value.store(true, ordering: .relaxed)
    while !published.value.load(ordering: .acquiring) {}
  }

  private final class Flag: Sendable { let value = Atomic(false) }
}
