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
    Check("a name that several functions have is refused, and their places are named") {
      let name = try ambiguousFunction()
      for kernel in try kernels() {
        let error = try refused(.kprobe(name), kernel)
        try equal(error.message, "the kernel has several functions '\(name)'", "\(error)")
        let hint = error.hint ?? ""
        try require(hint.hasPrefix("name one by its place: _text+0x"), "\(error)")
        // The places are ones that can be probed.
        let first = try require(
          hint.split(separator: " ").first { $0.hasPrefix("_text+0x") }, "\(error)")
        let offset = try require(UInt64(first.dropFirst(8), radix: 16), hint)
        let object = try Guest.load("count_kprobe", kernel: kernel)
        let link = try object.program("count_entry").attach(.kprobe("_text", offset: offset))
        try link.detach()
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

  /// A name that tracefs lists several times.
  private static func ambiguousFunction() throws -> String {
    let symbols = try Guest.text("/proc/kallsyms").split(separator: "\n")
    var places: [Substring: Int] = [:]
    for symbol in symbols {
      let words = symbol.split(separator: " ")
      if words.count == 3, words[1] == "t" { places[words[2], default: 0] += 1 }
    }
    let listed = try Guest.text("/sys/kernel/tracing/available_filter_functions")
    var counts: [Substring: Int] = [:]
    for name in listed.split(separator: "\n") { counts[name, default: 0] += 1 }
    let names = counts.filter { $0.value == 2 && places[$0.key] == 2 }.keys.sorted()
    return String(try require(names.first, "every name means one function"))
  }

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
