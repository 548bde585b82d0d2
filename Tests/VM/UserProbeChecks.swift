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
      Check("uprobe.multi counts each malloc and free, before 6.6 by an event for each place") {
        try count(
          "count_uprobe_multi", by: Guest.isOld ? .perfEventLink : .uprobeMulti,
          refused: Guest.isOld ? [.uprobeMulti] : [], cookie: 9)
      },
      Check("uprobe.multi on a list and on a pattern runs at each of the functions") {
        for symbols in [["malloc", "free"], ["mallo?", "free"]] {
          let object = try Guest.load("count_uprobe_multi")
          let child = try StoppedProcess([Guest.memory])
          try object.setVariable("target_tgid", to: child.id)
          let link = try object.program("malloc_entry").attach(
            .uprobeMulti(.path(Guest.memory), symbols: symbols, process: child.id).withCookie(2))
          try equal(try child.finish(), 0, "the status of memory")
          let totals = try object.map("totals", key: UInt32.self, value: UInt64.self)
          try equal(try totals.value(for: 4), 1900, "entries")
          try equal(try totals.value(for: 7), 3800, "cookies")
          try link.detach()
        }
      },
      Check("a list with an unknown function is refused as a whole") {
        let object = try Guest.load("count_uprobe_multi")
        let error = try refusal {
          let link = try object.program("malloc_entry").attach(
            .uprobeMulti(.path(Guest.memory), symbols: ["malloc", "malloc_none"]))
          try link.detach()
        }
        try equal(error.message, "the file defines no function 'malloc_none'", "\(error)")
        try equal(error.code, .notFound, "the code of \(error)")
      },
    ]

  /// The fixture's `enum malloc_total`, of the 1000 blocks of 1…1000 bytes and the 900 freed ones.
  private static func count(
    _ name: String, _ kernel: any KernelInterface = LiveKernel(), by mechanism: Link.Mechanism,
    refused: [Link.Mechanism]? = nil, cookie: UInt64 = 0
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
    if let refused { try equal(entry.refusals.map(\.mechanism), refused, "the ways refused") }
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
