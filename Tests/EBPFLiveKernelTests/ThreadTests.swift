import EBPFSystem
import Testing

@Suite struct ThreadTests {
  /// The calling thread's nice value, as /proc has it: field 19 of `stat`, after the name.
  private func nice() throws -> Int32 {
    let text = try SystemFile.text("/proc/thread-self/stat")
    let fields = try #require(text.split(separator: ")").last).split(separator: " ")
    return try #require(Int32(fields[16]))
  }

  @Test func `a thread is urgent only while it runs urgent work, also when that fails`() throws {
    struct Failure: Error {}
    let before = try nice()
    #expect(try Thread.urgently { try nice() } == -20)
    #expect(try nice() == before)
    #expect(throws: Failure.self) {
      try Thread.urgently { () throws(Failure) in throw Failure() }
    }
    #expect(try nice() == before)
  }
}
