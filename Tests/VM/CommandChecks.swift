import EBPF
import TestSupport

/// What a user of the command sees.
enum CommandChecks {
  static let all = [
    Check("what 'ebpf check' says of each way to attach is what is experienced") {
      let report = try CheckReport()
      try compareWithExperience(report)
      try require(report.compatible, "the kernel is said not to do")
      try require(report.tracers.allSatisfy(\.canRun), "\(report.tracers)")
    },
    Check("'ebpf check' says which of the two kernels has what") {
      let report = try CheckReport()
      let newer = Guest.isOld ? "no" : "yes"
      for (name, verdict) in [
        ("kernel probes (kprobe)", "yes"), ("function entry and exit (fentry, fexit)", "yes"),
        ("security hooks (lsm)", "yes"), ("many kernel probes (kprobe.multi)", newer),
        ("many user probes (uprobe.multi)", newer),
      ] {
        try report.expect("attach", name, verdict)
      }
      try report.expect("map types", "arena", newer)
      try report.expect("map types", "cgrp_storage", newer)
      try report.expect("map types", "ringbuf", "yes")
      try report.expect("program types", "netfilter", newer)
      try report.expect("types", "64-bit enumerations", "yes")
      try report.expect("helpers", "bpf_loop in raw_tracepoint", "yes")
    },
    Check("'ebpf profile --json' names the function that a program is in") {
      let child = try StoppedProcess([Guest.cpu, "60", "stop"])
      child.resume()
      let command = try Command.run([Guest.command, "profile", "-d", "1", "--json"])
      child.send(9)
      try equal(command.status, 0, "the status (\(command.error))")
      let report = try ProfileReport(command)
      try require(report.totals.samples > 0, command.output)
      let hottest = try require(
        report.functions.max { $0.selfSamples < $1.selfSamples }, "no functions")
      try equal(hottest.name, "hot_b", "the hottest function")
    },
    Check("'ebpf load --attach' says why kprobe.multi cannot be attached, or how it ends") {
      guard Guest.isOld else { return try attachAndInterrupt() }
      let command = try Command.run(
        [Guest.command, "load", "--attach", "/fixtures/count_kprobe_multi.bpf.o"])
      try equal(command.status, 2, "the status")
      for text in ["CONFIG_FPROBE is off", "EOPNOTSUPP", "load the program as 'kprobe'"] {
        try require(command.error.contains(text), command.error)
      }
    },
  ]

  private static let function = KernelProbeChecks.function

  /// Loads and attaches in each of the ways that have a row.
  static func compareWithExperience(_ report: CheckReport) throws {
    let experienced: [(String, Bool)] = [
      (
        "performance events by bpf_link",
        attaches("perf_event_count", .perfEvent(.cpuClock(hz: 99)), by: .perfEventLink)
      ),
      ("raw tracepoints", attaches("count_raw_tp", .rawTracepoint("sys_enter"))),
      ("typed tracepoints (tp_btf)", attaches("count_tp_btf", .loadedTarget)),
      ("kernel probes (kprobe)", attaches("count_kprobe", .kprobe(function))),
      (
        "many kernel probes (kprobe.multi)",
        attaches("count_kprobe_multi", .kprobeMulti([function]))
      ),
      (
        "user probes (uprobe)",
        attaches("count_uprobe", .uprobe(.path(Guest.memory), symbol: "malloc"))
      ),
      (
        "many user probes (uprobe.multi)",
        attaches(
          "count_uprobe_multi", .uprobe(.path(Guest.memory), symbol: "malloc"), by: .uprobeMulti)
      ),
      ("function entry and exit (fentry, fexit)", attaches("fentry", .loadedTarget)),
      ("security hooks (lsm)", attaches("count_lsm", .loadedTarget)),
    ]
    for (name, works) in experienced {
      try report.expect("attach", name, works ? "yes" : "no")
    }
  }

  /// Whether an object's first program can be loaded and attached, in that way.
  private static func attaches(
    _ name: String, _ point: AttachPoint, by mechanism: Link.Mechanism? = nil
  ) -> Bool {
    do {
      let link = try Guest.load(name).programs[0].attach(point)
      let isWanted = mechanism == nil || link.mechanism == mechanism
      try link.detach()
      return isWanted
    } catch { return false }
  }

  /// Ctrl-C, as soon as the programs are said to run.
  private static func attachAndInterrupt() throws {
    let script = """
      ebpf load --attach /fixtures/count_kprobe_multi.bpf.o >/tmp/load.out 2>&1 & process=$!
      until grep -q count_entries /tmp/load.out; do kill -0 $process || break; done
      kill -INT $process
      wait $process
      """
    let command = try Command.run(["sh", "-c", "trap '' INT; " + script])
    let output = try Guest.text("/tmp/load.out")
    try equal(command.status, 0, "the status (\(output))")
  }
}
