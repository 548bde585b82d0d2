import EBPFSystem
import Glibc
import TestSupport
import Testing

/// Ctrl-C while a tracer records, and after.
@Suite struct TracerRecordingTests {
  /// True while the main thread of a process blocks a signal: the mask in /proc/PID/status.
  private func blocks(_ signal: Int32, _ process: Int32) throws -> Bool {
    let line = try #require(
      try SystemFile.lines("/proc/\(process)/status").first { $0.hasPrefix("SigBlk:") })
    let mask = try #require(
      line.split(whereSeparator: \.isWhitespace).last.flatMap { UInt64($0, radix: 16) })
    return mask >> UInt64(signal - 1) & 1 == 1
  }

  /// Looks at `condition` until it holds; a minute without it is a failure.
  private func until(_ what: String, _ condition: () throws -> Bool) throws {
    let deadline = Clock.monotonic.now + 60_000_000_000
    while try !condition() {
      try #require(Clock.monotonic.now < deadline, "waited a minute for: \(what)")
      sched_yield()
    }
  }

  @Test func `a second interrupt while the result is written ends it at once`() throws {
    // Nobody reads what it prints, so that it cannot come to its end by itself.
    let command = try RunningCommand(
      [EBPF.path, "profile", "-F", "1000", "--idle", "--json"], isOutputFull: true)
    try until("it to watch for interrupts") { try blocks(SIGINT, command.pid) }
    command.send(SIGINT)
    // It takes the first one, and from then on leaves the next to the kernel.
    try until("the first interrupt to be taken") { try !blocks(SIGINT, command.pid) }
    #expect(command.end(by: SIGINT) == 130)
  }
}
