import EBPFSystem
import TestSupport
import Testing

/// What the README shows is what the package does.
@Suite struct ReadmeTests {
  static let root = Fixtures.directory + "/../.."

  @Test func `the example in the README is the one that is built`() throws {
    let readme = String(decoding: try contents(ofFile: Self.root + "/README.md"), as: UTF8.self)
    let example = String(
      decoding: try contents(ofFile: Self.root + "/Tests/Example/SystemCalls.swift"), as: UTF8.self)
    #expect(readme.contains("```swift\n" + example + "```"))
  }

  @Test func `the example prints a process's system calls`() throws {
    let child = try StoppedProcess(workload: "syscalls")
    let folder = try FileSystem.link("/proc/self/exe").split(separator: "/").dropLast()
    let program = "/" + folder.joined(separator: "/") + "/system-calls"
    let results = try TemporaryDirectory()
    let output = results.file("output")
    let example = try StoppedProcess([
      "/bin/sh", "-c",
      "kill -STOP $$; exec \(program) \(Fixtures.path("ringbuf_events.bpf.o")) \(child.id) >\(output)",
    ])
    example.resume()
    try Kernel.eventually { try Self.isAttached(example.id) }
    try child.finish()
    #expect(try example.wait() == 0)
    let lines = String(decoding: try contents(ofFile: output), as: UTF8.self).split(separator: "\n")
    #expect(lines.count == 5)
    // getppid is number 110 on x86_64; the workload begins with it.
    #expect(lines.last?.hasSuffix("thread \(child.id) makes system call 110") == true)
  }

  /// Whether a process holds a link to the raw tracepoint sys_enter, by what /proc says of it.
  private static func isAttached(_ process: Int32) throws -> Bool {
    try FileSystem.entries("/proc/\(process)/fdinfo").contains { descriptor in
      do {
        return try SystemFile.text("/proc/\(process)/fdinfo/\(descriptor)").contains("sys_enter")
      } catch { return false }  // closed meanwhile
    }
  }
}
