import EBPF
import EBPFSystem
import EBPFTracers
import Glibc
import TestSupport
import Testing

/// System calls as events, with their arguments.
@Suite(.serialized) struct SyscallEventTests {
  private func tracer(
    of process: Int32, _ change: (inout SyscallTracerConfiguration) -> Void = { _ in }
  ) -> SyscallTracer {
    var configuration = SyscallTracerConfiguration()
    configuration.filter.processes = [process]
    configuration.sendsEvents = true
    change(&configuration)
    return SyscallTracer(configuration)
  }

  @Test func `every call is an event with what it was given and what it returned`() throws {
    let folder = try TemporaryDirectory()
    let child = try StoppedProcess(workload: "known_calls", [folder.path])
    let tracer = tracer(of: child.id)
    try tracer.start()
    #expect(try child.finish() == 7)
    let summary = try tracer.stop()
    let events = summary.unreadEvents
    #expect(events.count == 23 && summary.losses == expectedLosses(sent: 23, cut: 1))
    let longest = String(repeating: "x", count: 511)
    let memory = try #require(events.first { $0.call.name == "mmap" })
    let address = memory.resultText
    let expected = [
      #"openat(AT_FDCWD, "new\nfile", O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0640) = 3"#,
      #"write(3, "hello \"world\"\n", 14) = 14"#,
      "lseek(3, 0, SEEK_SET) = 0",
      #"read(3, "hello \"world\"\n", 64) = 14"#,
      "close(3) = 0",
      #"renameat2(AT_FDCWD, "new\nfile", AT_FDCWD, "other", RENAME_NOREPLACE) = 0"#,
      "openat(AT_FDCWD, \"\(longest)\"..., O_WRONLY|O_DIRECTORY|O_NOFOLLOW, 0)"
        + " = -1 ENAMETOOLONG (file name too long)",
      "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = \(address)",
      "mprotect(\(address), 4096, PROT_NONE) = 0",
      "madvise(\(address), 4096, MADV_DONTNEED) = 0",
      "munmap(\(address), 8192) = 0",
      "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3",
      nil,  // setsockopt, with an address on the stack
      "connect(3, 127.0.0.1:9, 16) = -1 ECONNREFUSED (connection refused)",
      "connect(3, [::1]:9, 28) = -1 EAFNOSUPPORT (address family not supported by protocol)",
      "connect(3, unix:/nowhere/socket, 110) = "
        + "-1 EAFNOSUPPORT (address family not supported by protocol)",
      "pipe2([4, 5], O_NONBLOCK) = 0",
      "clock_nanosleep(CLOCK_MONOTONIC, 0, {0.001000000}, NULL) = 0",
      nil,  // futex
      "kill(\(child.id), 0) = 0",
      #"unlinkat(AT_FDCWD, "other", 0) = 0"#,
      "exit_group(7) = ?",
    ]
    // getpid() for kill is not in the list: it has no arguments.
    let seen = events.filter { $0.call.name != "getpid" }
    for (event, text) in zip(seen, expected) {
      if let text { #expect(event.text == text) }
      #expect(event.process == child.id && event.thread == child.id)
      #expect(event.command == "known_calls")
    }
    let option = try #require(events.first { $0.call.name == "setsockopt" })
    #expect(option.arguments.map(\.text)[1...2] == ["SOL_SOCKET", "SO_REUSEADDR"])
    let futex = try #require(events.first { $0.call.name == "futex" })
    #expect(futex.arguments[1].name == "op" && futex.arguments[1].text == "FUTEX_WAKE_PRIVATE")
    let sleep = try #require(events.first { $0.call.name == "clock_nanosleep" })
    #expect(sleep.nanoseconds >= 1_000_000)
    for (one, next) in zip(events, events.dropFirst()) {
      #expect(one.entered + one.nanoseconds <= next.entered)
    }
  }

  private func expectedLosses(sent: UInt64, cut: UInt64) -> SyscallLosses {
    var losses = SyscallLosses()
    losses.eventsSent = sent
    losses.cutTexts = cut
    return losses
  }

  @Test func `an executed path is known although the memory it was in is gone`() throws {
    let child = try StoppedProcess(["/bin/sh", "-c", "kill -STOP $$; exec /bin/true"])
    let tracer = tracer(of: child.id) { $0.grouping = .none }
    try tracer.filterSyscall("execve", enabled: true)
    try tracer.start()
    try child.finish()
    let events = try tracer.stop().unreadEvents
    #expect(events.count == 1)
    let event = try #require(events.first)
    #expect(event.arguments.first?.text == "\"/bin/true\"" && event.result == .value(0))
    #expect(event.command == "true")
  }

  @Test func `what arrives and what is lost are together what was made`() throws {
    let child = try StoppedProcess(workload: "syscalls")
    let tracer = tracer(of: child.id) { $0.eventBufferBytes = 4096 }
    try tracer.start()
    try child.finish()
    let summary = try tracer.stop()
    #expect(summary.losses.events > 100_000)
    #expect(UInt64(summary.unreadEvents.count) + summary.losses.events == 111_001)
    #expect(summary.total == 111_001)
    let all = summary.statistics
    #expect(all.dropped == summary.losses.events)
    #expect(all.seen == all.recorded + all.dropped + all.unwanted)
  }

  @Test func `only the events that were asked for are sent, with the stack that made them`() throws
  {
    let child = try StoppedProcess(workload: "syscalls")
    let tracer = tracer(of: child.id) {
      $0.results.failedOnly = true
      $0.stacksOver = .max
    }
    try tracer.start()
    try child.finish()
    var received = 0
    try tracer.readEvents { event in
      received += 1
      #expect(event.result == .error(2) && event.call.name == "openat")
      #expect(!event.stack.isEmpty)
    }
    #expect(try tracer.stop().unreadEvents.isEmpty)
    #expect(received == 5_000)
  }

  @Test func `of calls that fail there is an event each, and all are counted`() throws {
    let child = try StoppedProcess(workload: "syscalls")
    // 111,001 events would need some twenty times as much.
    let tracer = tracer(of: child.id) {
      $0.eventRule = SyscallEventRule(failed: true)
      $0.eventBufferBytes = 1 << 20
    }
    try tracer.start()
    try child.finish()
    let summary = try tracer.stop()
    #expect(summary.unreadEvents.count == 5_000)
    #expect(
      summary.unreadEvents.allSatisfy { $0.result == .error(2) && $0.call.name == "openat" })
    #expect(summary.losses.eventsSent == 5_000 && summary.losses.eventsUnwanted == 106_001)
    #expect(summary.losses.events == 0 && summary.statistics.dropped == 0)
    #expect(summary.statistics.recorded == 111_001)
    #expect(summary.total == 111_001 && summary.returns == 111_000 && summary.errors == 5_000)
    #expect(summary.calls.allSatisfy { $0.histogram.total == $0.returns })
    #expect(summary.matrix.reduce(0) { $0 + $1.count } == 111_001)
  }

  @Test func `of calls that take long there is an event each, as many as the histogram has`()
    throws
  {
    let folder = try TemporaryDirectory()
    let child = try StoppedProcess(workload: "known_calls", [folder.path])
    // Below its sleep of 1 ms, and where a bucket begins.
    let minimum: UInt64 = 1 << 19
    let tracer = tracer(of: child.id) {
      $0.eventRule = SyscallEventRule(minimumNanoseconds: minimum)
    }
    try tracer.start()
    #expect(try child.finish() == 7)
    let summary = try tracer.stop()
    #expect(summary.total == 23)
    #expect(summary.unreadEvents.contains { $0.call.name == "clock_nanosleep" })
    #expect(summary.unreadEvents.allSatisfy { $0.nanoseconds >= minimum })
    var long: UInt64 = 0
    for call in summary.calls {
      for (bucket, count) in call.histogram.counts.enumerated()
      where SyscallHistogram.bounds(bucket).lowerBound >= minimum { long += count }
    }
    #expect(UInt64(summary.unreadEvents.count) == long)
    #expect(summary.losses.eventsSent + summary.losses.eventsUnwanted == 23)
  }

  @Test func `what costs too much makes events of long calls fewer, not of calls that fail`() throws
  {
    let child = try StoppedProcess(workload: "syscalls")
    let tracer = tracer(of: child.id) {
      $0.eventRule = SyscallEventRule(failed: true, minimumNanoseconds: 0)
    }
    try tracer.start()
    try tracer.economize(TracerEconomy(sampling: 1, minimumEventNanoseconds: 3_600_000_000_000))
    try child.finish()
    let summary = try tracer.stop()
    #expect(summary.unreadEvents.count == 5_000)
    #expect(summary.unreadEvents.allSatisfy { $0.result == .error(2) })
    // All that return are long enough; exit_group, which does not, is not.
    #expect(summary.losses.eventsSpared == 106_000 && summary.losses.eventsUnwanted == 1)
    #expect(summary.total == 111_001 && summary.statistics.dropped == 0)
  }

  @Test func `a rule that nothing meets sends nothing`() throws {
    let child = try StoppedProcess(workload: "syscalls")
    let tracer = tracer(of: child.id) { $0.eventRule = SyscallEventRule() }
    try tracer.start()
    try child.finish()
    let summary = try tracer.stop()
    #expect(summary.unreadEvents.isEmpty && summary.losses.eventsSent == 0)
    #expect(summary.total == 111_001 && summary.errors == 5_000)
  }
}
