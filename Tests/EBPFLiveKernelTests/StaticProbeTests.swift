import EBPF
import Glibc
import TestSupport
import Testing

/// USDT probes on the running kernel: every hit is counted, and every argument read (`usdt.c`).
@Suite struct StaticProbeTests {
  /// i, -7, -i, 10 i, i modulo 256 and -i, each summed over 0 to 999.
  static let sums: [Int64] = [
    499_500, -7000, -499_500, 4_995_000, (0..<1000).reduce(0) { $0 + $1 % 256 }, -499_500,
  ]

  static func load(target: Int32) throws -> LoadedObject {
    let object = try LoadedObject(LoadedObjectTests.object("count_usdt.bpf.o"))
    try object.setVariable("target_tgid", to: target)
    return object
  }

  static func check(_ object: LoadedObject, ticks: UInt64 = 1000, cookie: UInt64) throws {
    #expect(try object.variable("ticks", as: UInt64.self) == ticks)
    #expect(try object.variable("failures", as: UInt64.self) == 0)
    #expect(try object.variable("cookies", as: UInt64.self) == cookie * ticks)
    let bytes = try #require(try object.map(".bss").value(for: [0, 0, 0, 0]))
    let sums = (0..<6).map { index -> Int64 in
      let start = bytes.count - 12 * 8 + index * 8
      return bytes[start..<(start + 8)].reversed().reduce(0) { $0 << 8 | Int64($1) }
    }
    #expect(sums == Self.sums)
  }

  @Test(arguments: ["usdt", "usdt-static"], [true, false])
  func `a thousand hits at two places, six arguments each`(
    workload: String, onlyTarget: Bool
  ) throws {
    let child = try StoppedProcess(workload: workload)
    let object = try Self.load(target: child.id)
    let path = try StoppedProcess.workload(workload)
    let link = try object.program("on_tick").attach(
      .usdt(
        .path(path), provider: "swift_ebpf", name: "tick", process: onlyTarget ? child.id : nil
      ).withCookie(5))
    #expect(link.mechanism == .uprobeMulti)
    try child.resumeUntilStopped()
    try Self.check(object, cookie: 5)
    try link.detach()
    #expect(try child.finish() == 0)
  }

  @Test func `a semaphore is held while its probe is watched`() throws {
    let child = try StoppedProcess(workload: "usdt")
    let object = try Self.load(target: child.id)
    let link = try object.program("on_gated").attach(
      .usdt(.process(child.id), provider: "swift_ebpf", name: "gated", process: child.id))
    try child.resumeUntilStopped()
    #expect(try object.variable("gated", as: UInt64.self) == 500)
    try link.detach()
    // 1: it was above 0 during the work; not 2: it is 0 again.
    #expect(try child.finish() == 1)
  }

  @Test func `entries of arguments are given back`() throws {
    let child = try StoppedProcess(workload: "usdt")
    let object = try Self.load(target: child.id)
    // The map has 16 entries, and each round needs two with a cookie of its own.
    for cookie in 1...20 as ClosedRange<UInt64> {
      try object.program("on_tick").attach(
        .usdt(.process(child.id), provider: "swift_ebpf", name: "tick").withCookie(cookie)
      ).detach()
    }
    let link = try object.program("on_tick").attach(
      .usdt(.process(child.id), provider: "swift_ebpf", name: "tick").withCookie(9))
    try child.resumeUntilStopped()
    try Self.check(object, cookie: 9)
    try link.detach()
    try child.finish()
  }

  /// Independent of our own fixture: libbpf's header reads what we wrote.
  @Test func `a program made with libbpf's header reads its arguments`() throws {
    let folder = try TemporaryDirectory()
    let path = try StoppedProcess.workload("usdt")
    let source = """
      #include <stdbool.h>
      #include <linux/bpf.h>
      #include <linux/ptrace.h>
      #include <bpf/usdt.bpf.h>
      int target_tgid = 0;
      long ticks = 0, first = 0, second = 0, third = 0;
      SEC("usdt/\(path):swift_ebpf:tick")
      int BPF_USDT(on_tick, long a, int b, int c)
      {
        if ((int)(bpf_get_current_pid_tgid() >> 32) != target_tgid)
          return 0;
        __sync_fetch_and_add(&ticks, 1);
        __sync_fetch_and_add(&first, a);
        __sync_fetch_and_add(&second, (long)b);
        __sync_fetch_and_add(&third, (long)c);
        return 0;
      }
      char LICENSE[] SEC("license") = "GPL";
      """
    let file = try folder.write(Array(source.utf8), to: "libbpf.bpf.c")
    let built = folder.file("libbpf.bpf.o")
    _ = try Command.output([
      "clang", "-target", "bpf", "-D__TARGET_ARCH_x86", "-D__x86_64__", "-g", "-O2",
      "-I/usr/include/x86_64-linux-gnu", "-c", file, "-o", built,
    ])
    let child = try StoppedProcess(workload: "usdt")
    let object = try LoadedObject(try ObjectFile(path: built))
    try object.setVariable("target_tgid", to: child.id)
    let link = try object.program("on_tick").attachBySection()
    try child.resumeUntilStopped()
    #expect(try object.variable("ticks", as: Int64.self) == 1000)
    #expect(try object.variable("first", as: Int64.self) == Self.sums[0])
    #expect(try object.variable("second", as: Int64.self) == Self.sums[1])
    #expect(try object.variable("third", as: Int64.self) == Self.sums[2])
    try link.detach()
    try child.finish()
  }

  @Test func `what is not there is refused, with what is`() throws {
    let object = try Self.load(target: 0)
    let program = try object.program("on_tick")
    let path = try StoppedProcess.workload("usdt")
    func refusal(_ binary: String, _ name: String) -> EBPFError? {
      #expect(throws: EBPFError.self) {
        _ = try program.attach(.usdt(.path(binary), provider: "swift_ebpf", name: name))
      }
    }
    let misspelt = refusal(path, "tock")
    #expect(misspelt?.message == "the file has no USDT probe 'swift_ebpf:tock'")
    #expect(misspelt?.hint?.hasPrefix("did you mean 'swift_ebpf:tick'") == true)
    let none = refusal(try StoppedProcess.workload("cpu"), "tick")
    #expect(none?.hint == "it has no USDT probes at all: 'readelf -n' lists them")
    let other = try LoadedObject(LoadedObjectTests.object("count_uprobe.bpf.o"))
    let error = #expect(throws: EBPFError.self) {
      _ = try other.program("malloc_entry").attach(
        .usdt(.path(path), provider: "swift_ebpf", name: "tick"))
    }
    #expect(error?.message == "the object has no map '__bpf_usdt_specs'")
  }
}
