import EBPF
import TestSupport

/// One link for many kernel functions: on the newer kernel it counts, on the older one it is refused.
enum MultiProbeChecks {
  static let all =
    Guest.isOld
    ? [
      Check("kprobe.multi without CONFIG_FPROBE is refused, and what works is named") {
        let object = try Guest.load("count_kprobe_multi")
        for name in ["count_entries", "count_returns"] {
          let error = try refusal {
            let link = try object.program(name).attachBySection()
            try link.detach()
          }
          let kind = name == "count_entries" ? "kprobe" : "kretprobe"
          try equal(
            error, .unsupported,
            "this kernel has no probes of many functions (CONFIG_FPROBE is off): "
              + "\(kind).multi __x64_sys_getp?id",
            errno: "EOPNOTSUPP",
            hint:
              "load the program as '\(kind)', by its section or its attach type, and attach it to "
              + "each function")
        }
      }
    ]
    : [
      Check("kprobe.multi and kretprobe.multi count each of 100,000 calls") {
        let pattern = ["__x64_sys_getp?id"]
        try count(.kprobeMulti(pattern), .kprobeMulti(pattern, atReturn: true))
      },
      Check("kprobe.multi on names counts as on the pattern that means them") {
        let names = ["__x64_sys_getppid", "__x64_sys_getpgid"]
        try count(.kprobeMulti(names), .kprobeMulti(names, atReturn: true))
      },
      Check("a program for many functions runs at one as well") {
        try count(.kprobe("__x64_sys_getppid"), .kretprobe("__x64_sys_getppid"))
      },
      Check("kprobe.session runs at the entry and at the return of each of 100,000 calls") {
        let object = try Guest.load("count_kprobe_session")
        let child = try StoppedProcess([Guest.syscalls])
        try object.setVariable("target_tgid", to: child.id)
        let link = try object.program("count_both").attachBySection()
        try equal(try child.finish(), 0, "the status of syscalls")
        try equal(try object.variable("runs", as: UInt64.self), 200_000, "runs")
        try link.detach()
      },
      Check("kprobe.multi on an unknown function is refused") {
        let object = try Guest.load("count_kprobe_multi")
        let program = try object.program("count_entries")
        let error = try refusal {
          let link = try program.attach(.kprobeMulti(["__x64_sys_getppi"]))
          try link.detach()
        }
        try equal(
          error, .notFound, "the kernel has no function '__x64_sys_getppi' to probe",
          errno: "ESRCH")
        try require(error.hint?.hasPrefix("did you mean '__x64_sys_getppid', ") == true, "\(error)")
        let pattern = try refusal {
          let link = try program.attach(.kprobeMulti(["swift_ebpf_*"]))
          try link.detach()
        }
        try equal(
          pattern, .notFound, "no function of the kernel matches 'swift_ebpf_*'")
      },
    ]

  private static func count(_ entryPoint: AttachPoint, _ endPoint: AttachPoint) throws {
    let object = try Guest.load("count_kprobe_multi")
    let child = try StoppedProcess([Guest.syscalls])
    try object.setVariable("target_tgid", to: child.id)
    let entry = try object.program("count_entries").attach(entryPoint.withCookie(3))
    let end = try object.program("count_returns").attach(endPoint)
    try equal(entry.mechanism, .kprobeMulti, "the way")
    try equal(try child.finish(), 0, "the status of syscalls")
    try equal(try object.variable("entries", as: UInt64.self), 100_000, "entries")
    try equal(try object.variable("returns", as: UInt64.self), 100_000, "returns")
    try equal(try object.variable("cookies", as: UInt64.self), 300_000, "cookies")
    try entry.detach()
    try end.detach()
  }
}
