import EBPF
import EBPFSystem
import TestSupport

/// Probes in a statically linked program.
enum UserProbeChecks {
  static let all =
    [
      Check("uprobe and uretprobe by the performance unit count each malloc and free") {
        try count("count_uprobe", by: .perfEventLink, cookie: 9)
      },
      Check("uprobe and uretprobe without bpf_link count each malloc and free") {
        try count(
          "count_uprobe", OlderKernel(hasEventLinks: false, hasProbeUnits: true), by: .perfEvent)
      },
      Check("uprobe and uretprobe by tracefs count each malloc and free") {
        try count(
          "count_uprobe", OlderKernel(hasEventLinks: true, hasProbeUnits: false), by: .tracefs)
        try equal(
          try Guest.text("/sys/kernel/tracing/uprobe_events"), "", "uprobe_events afterwards")
      },
    ]
    + (Guest.isOld
      ? [
        Check("uprobe.multi is refused before 6.6, and what works is named") {
          let object = try Guest.load("count_uprobe_multi")
          let error = try refusal {
            let link = try object.program("malloc_entry").attach(
              .uprobeMulti(.path(Guest.memory), symbols: ["malloc"]))
            try link.detach()
          }
          try equal(
            error, .unsupported, "this kernel cannot attach to 1 functions of /bin/memory",
            errno: "EINVAL",
            hint: "uprobe.multi needs Linux 6.6; load the program as 'uprobe' and attach one by one"
          )
        }
      ]
      : [
        Check("uprobe.multi counts each malloc and free") {
          try count("count_uprobe_multi", by: .uprobeMulti, cookie: 9)
        }
      ])

  /// The fixture's `enum malloc_total`, of the 1000 blocks of 1…1000 bytes and the 900 freed ones.
  private static func count(
    _ name: String, _ kernel: any KernelInterface = LiveKernel(), by mechanism: Link.Mechanism,
    cookie: UInt64 = 0
  ) throws {
    let object = try Guest.load(name, kernel: kernel)
    let child = try StoppedProcess([Guest.memory])
    try object.setVariable("target_tgid", to: child.id)
    let binary = UserProbe.Binary.path(Guest.memory)
    let entry = try object.program("malloc_entry").attach(
      .uprobe(binary, symbol: "malloc", process: child.id).withCookie(cookie))
    let end = try object.program("malloc_return").attach(
      .uretprobe(binary, symbol: "malloc", process: child.id))
    let free = try object.program("free_entry").attach(
      .uprobe(binary, symbol: "free", process: child.id))
    try equal(entry.mechanism, mechanism, "the way of the uprobe")
    try equal(end.mechanism, mechanism, "the way of the uretprobe")
    try equal(try child.finish(), 0, "the status of memory")
    let totals = try object.map("totals", key: UInt32.self, value: UInt64.self)
    try equal(
      try (0..<8).map { try totals.value(for: UInt32($0)) ?? .max },
      [1000, 500_500, 900, 405_450, 1000, 900, 0, cookie * 1000], "the totals")
    let live = try object.map("live", key: UInt64.self, value: UInt64.self).entries()
    try equal(live.map(\.value).sorted(), Array(901...1000), "the sizes of live blocks")
    try entry.detach()
    try end.detach()
    try free.detach()
  }
}
