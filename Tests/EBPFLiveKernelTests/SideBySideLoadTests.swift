import EBPF
import EBPFTracers
import TestSupport
import Testing

/// The programs of an object are verified by several threads at once; nobody sees that.
@Suite struct SideBySideLoadTests {
  @Test func `of several rejected programs, loaded side by side, the first one is told`() throws {
    let object = try LoadedObjectTests.object("rejected.bpf.o")
    let first = try #require(object.programs.first).name
    #expect(object.programs.count > 2)
    for _ in 0..<20 {
      let error = try #require(throws: EBPFError.self) { _ = try LoadedObject(object) }
      #expect(error.context.contains(.program(first)), "\(error)")
    }
  }

  @Test func `programs are in the object's order, whichever the kernel verified first`() throws {
    // Some of them take the verifier ten times as long as others.
    let object = try ObjectFile(parsing: EmbeddedObject.syscallTracer, name: "syscall_tracer")
    let loaded = try LoadedObject(object)
    #expect(loaded.programs.count == 9)
    #expect(loaded.programs.map(\.name) == object.programs.map(\.name))
    #expect(Set(loaded.programs.map(\.id)).count == loaded.programs.count)
  }
}
