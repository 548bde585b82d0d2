import EBPFSystem
import Glibc
import Testing

@Suite struct CapabilityTests {
  /// The effective set of each thread of this process, as the kernel tells it.
  private static func ofThreads() throws -> [UInt64] {
    try FileSystem.entries("/proc/self/task").compactMap { thread in
      do throws(Errno) {
        let text = try SystemFile.text("/proc/self/task/\(thread)/status")
        return ProcessStatus(parsing: text).effectiveCapabilities
      } catch {
        // A thread that has ended meanwhile.
        guard error == .noEntry || error == .noProcess else { throw error }
        return nil
      }
    }
  }

  @Test func `every thread is left with what is kept`() async {
    await #expect(processExitsWith: .success) {
      // Threads that wait for ever, as those of a tracer do.
      for _ in 0..<8 { try Thread.detach { while true { pause() } } }
      let before = try CapabilityTests.ofThreads()
      try #require(before.count > 8 && before.allSatisfy { $0 != 0 })
      let held = try CurrentProcess.capabilities()
      try #require(held.contains(.bpf) && held.contains(.trace))

      try CurrentProcess.limitCapabilities(to: [.bpf, .performanceMonitoring])
      #expect(try CapabilityTests.ofThreads().allSatisfy { $0 == 1 << 39 | 1 << 38 })
      #expect(try CurrentProcess.capabilities() == [.bpf, .performanceMonitoring])
      // What is gone does not come back.
      try CurrentProcess.limitCapabilities(to: [.bpf, .trace])
      #expect(try CapabilityTests.ofThreads().allSatisfy { $0 == 1 << 39 })
      // Of the first thread, which is not the one that asked.
      #expect(try SystemFile.text("/proc/self/status").contains("NoNewPrivs:\t1"))
    }
  }

  @Test func `another user keeps what is kept and no more`() async {
    await #expect(processExitsWith: .success) {
      try CurrentProcess.becomeUser(65_534, group: 65_534, keeping: [.bpf])
      #expect(CurrentProcess.effectiveUser == 65_534)
      #expect(try CurrentProcess.capabilities() == [.bpf])
    }
  }
}
