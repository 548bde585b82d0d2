import EBPF
import TestSupport
import Testing

/// Capability 9: the known work is counted to the call, whichever way the program is attached.
@Suite struct TracepointTests {
  static let ways = [
    ("count_raw_tp.bpf.o", "raw tracepoint"), ("count_tp_btf.bpf.o", "tracing, bpf_link"),
    ("count_tracepoint.bpf.o", "perf event, bpf_link"),
  ]

  @Test(arguments: ways)
  func `Capability 9: 111,001 system calls are counted, of which 111,000 return and 5,000 fail`(
    fixture: String, mechanism: String
  ) throws {
    let counts = try SyscallCounts(fixture)
    let child = try StoppedProcess(workload: "syscalls")
    try counts.object.setVariable("target_tgid", to: child.id)
    let enter = try counts.object.program("count_enter").attachBySection()
    let exit = try counts.object.program("count_exit").attachBySection()
    #expect(enter.mechanism.description == mechanism)
    #expect(try child.finish() == 0)
    #expect(try counts.totals() == [111_001, 111_000, 5_000])
    #expect(try counts.enters(110) == 100_000)
    #expect(try counts.enters(257) == 8_000)
    #expect(try counts.enters(3) == 3_000)
    #expect(try counts.enters(231) == 1)
    #expect(try counts.errors(2) == 5_000)
    try enter.detach()
    try exit.detach()
  }
}
