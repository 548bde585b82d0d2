import EBPF
import EBPFSystem
import TestSupport

/// Capability 7 with kernel probes, in each of the ways a kernel may have.
enum KernelProbeChecks {
  static let function = "__x64_sys_getppid"

  static let all = [
    Check("kprobe and kretprobe by the performance unit count each of 100,000 calls") {
      try count(by: .perfEventLink, refused: [], cookie: 7)
    },
    Check("kprobe and kretprobe without bpf_link count each of 100,000 calls") {
      try count(
        OlderKernel(hasEventLinks: false, hasProbeUnits: true), by: .perfEvent,
        refused: [.perfEventLink])
    },
    Check("kprobe and kretprobe by tracefs count each of 100,000 calls") {
      try count(
        OlderKernel(hasEventLinks: true, hasProbeUnits: false), by: .tracefs,
        refused: [.perfEvent])
    },
    Check("kprobe and kretprobe by tracefs without bpf_link count each of 100,000 calls") {
      try count(
        OlderKernel(hasEventLinks: false, hasProbeUnits: false), by: .tracefs,
        refused: [.perfEvent, .perfEventLink])
    },
    Check("a probe by tracefs is in kprobe_events as long as its link") {
      let file = "/sys/kernel/tracing/kprobe_events"
      let object = try Guest.load(
        "count_kprobe", kernel: OlderKernel(hasEventLinks: true, hasProbeUnits: false))
      let link = try object.program("count_entry").attach(.kprobe(function))
      let during = try Guest.text(file)
      try require(
        during.hasPrefix("p:ebpf_") && during.hasSuffix("\(function) \(function)\n"), during)
      try link.detach()
      try equal(try Guest.text(file), "", "kprobe_events after detaching")
    },
    Check("sections attach by themselves: kprobe/ and kretprobe/") {
      try countBySection("count_kprobe")
    },
    Check("sections attach by themselves: ksyscall/ and kretsyscall/") {
      try countBySection("count_ksyscall")
    },
    Check("a probe inside of a function counts where the kernel allows one") {
      // The first instruction of a function that ftrace can patch is 5 bytes long.
      let object = try Guest.load("count_kprobe")
      let child = try StoppedProcess([Guest.syscalls])
      try object.setVariable("target_tgid", to: child.id)
      let offset = try firstOffset()
      let link = try object.program("count_entry").attach(.kprobe(function, offset: offset))
      try equal(try child.finish(), 0, "the status of syscalls")
      try equal(try object.variable("entries", as: UInt64.self), 100_000, "entries")
      try link.detach()
    },
  ]

  /// Where the second instruction is: after a `nopl` or `call` of 5 bytes, which `endbr64` (4 bytes)
  /// may precede.
  private static func firstOffset() throws -> UInt64 {
    let object = try Guest.load("count_kprobe")
    for offset: UInt64 in [5, 9] {
      do throws(EBPFError) {
        let link = try object.program("count_entry").attach(.kprobe(function, offset: offset))
        try link.detach()
        return offset
      } catch { continue }
    }
    throw Unmet(description: "no probe at +5 nor at +9")
  }

  private static func countBySection(_ fixture: String) throws {
    let object = try Guest.load(fixture)
    let child = try StoppedProcess([Guest.syscalls])
    try object.setVariable("target_tgid", to: child.id)
    let entry = try object.program("count_entry").attachBySection()
    let end = try object.program("count_return").attachBySection()
    try equal(try child.finish(), 0, "the status of syscalls")
    try equal(try object.variable("entries", as: UInt64.self), 100_000, "entries")
    try equal(try object.variable("returns", as: UInt64.self), 100_000, "returns")
    try end.detach()
    try entry.detach()
  }

  private static func count(
    _ kernel: any KernelInterface = LiveKernel(), by mechanism: Link.Mechanism,
    refused: [Link.Mechanism], cookie: UInt64 = 0
  ) throws {
    let object = try Guest.load("count_kprobe", kernel: kernel)
    let child = try StoppedProcess([Guest.syscalls])
    try object.setVariable("target_tgid", to: child.id)
    let entry = try object.program("count_entry")
      .attach(.kprobe(function).withCookie(cookie))
    let end = try object.program("count_return").attach(.kretprobe(function))
    try equal(entry.mechanism, mechanism, "the way of the kprobe")
    try equal(end.mechanism, mechanism, "the way of the kretprobe")
    try equal(entry.refusals.map(\.mechanism), refused, "the ways refused")
    try equal(try child.finish(), 0, "the status of syscalls")
    try equal(try object.variable("entries", as: UInt64.self), 100_000, "entries")
    try equal(try object.variable("returns", as: UInt64.self), 100_000, "returns")
    try equal(try object.variable("cookies", as: UInt64.self), cookie * 100_000, "cookies")
    try entry.detach()
    try end.detach()
  }
}
