import EBPF
import TestSupport

/// What a user reads when a kernel probe cannot be.
enum KernelProbeRefusalChecks {
  static let all = [
    Check("a kprobe on an unknown function names near ones") {
      for kernel in try kernels() {
        let error = try refused(.kprobe("__x64_sys_getppi"), kernel)
        try equal(error.code, .notFound, "the code of \(error)")
        try require(error.hint?.hasPrefix("did you mean '__x64_sys_getppid', ") == true, "\(error)")
      }
    },
    Check("a kprobe on a function that is nowhere near says where to look") {
      let error = try refused(.kprobe("swift_ebpf_none"))
      try equal(
        error, .notFound, "the kernel has no function 'swift_ebpf_none' to probe",
        errno: "ENOENT",
        hint: "grep for it in /proc/kallsyms: the compiler may have inlined or renamed it")
    },
    Check("a kprobe on a function that the kernel keeps probes out of says so") {
      let listed = try Guest.text("/sys/kernel/debug/kprobes/blacklist")
      try require(listed.contains("\tdo_int3\n"), "do_int3 is not blacklisted")
      let error = try refused(.kprobe("do_int3"))
      try equal(
        error, .invalidArgument, "the kernel does not allow a probe at kprobe do_int3",
        errno: "EINVAL")
      try require(error.hint?.contains("kprobes/blacklist") == true, "\(error)")
    },
    Check("a kprobe that is not at an instruction's start says so") {
      for offset: UInt64 in [1, 1 << 20] {
        let error = try refused(.kprobe(KernelProbeChecks.function, offset: offset))
        try equal(error.code, .invalidArgument, "the code of \(error)")
      }
    },
    Check("names that are none are refused before the kernel is asked") {
      try equal(
        try refused(.kprobe("")), .invalidArgument, "the name of the function is empty")
      for name in ["a b", "a/b", "a:b"] {
        try equal(
          try refused(.kprobe(name)), .invalidArgument, "'\(name)' is not a kernel function's name")
      }
      try equal(
        try refused(.kretprobe("a\0b")), .invalidArgument,
        "the name of the function has a zero byte in it")
    },
    Check("a program of another type is refused with the one it takes") {
      let object = try Guest.load("count_raw_tp")
      let error = try refusal {
        let link = try object.program("count_enter").attach(.kprobe("__x64_sys_getppid"))
        try link.detach()
      }
      try equal(
        error, .invalidArgument,
        "a program of type raw_tracepoint cannot run at kprobe __x64_sys_getppid",
        hint: "it takes one of type kprobe")
    },
    Check("a refusal leaves no line in kprobe_events") {
      let kernel = try OlderKernel(hasEventLinks: true, hasProbeUnits: false)
      let error = try refused(.kprobe("swift_ebpf_none"), kernel)
      try equal(error.code, .notFound, "the code of \(error)")
      try equal(try Guest.text("/sys/kernel/tracing/kprobe_events"), "", "kprobe_events")
    },
  ]

  private static func kernels() throws -> [OlderKernel] {
    [
      try OlderKernel(hasEventLinks: true, hasProbeUnits: true),
      try OlderKernel(hasEventLinks: true, hasProbeUnits: false),
    ]
  }

  private static func refused(_ point: AttachPoint, _ kernel: OlderKernel? = nil) throws
    -> EBPFError
  {
    let object =
      if let kernel { try Guest.load("count_kprobe", kernel: kernel) } else {
        try Guest.load("count_kprobe")
      }
    return try refusal {
      let link = try object.program("count_entry").attach(point)
      try link.detach()
    }
  }
}
