import EBPF
import TestSupport

/// What is left when the kernel keeps its memory even from root. It cannot be undone: these are last.
enum LockdownChecks {
  static let all = [
    Check("under lockdown, 'ebpf check' says what is experienced") {
      try Guest.write("/sys/kernel/security/lockdown", "confidentiality")
      let report = try CheckReport()
      try report.expect("kernel", "no lockdown of kernel memory", "no")
      try CommandChecks.compareWithExperience(report)
      try report.expect("attach", "kernel probes (kprobe)", "no")
      try report.expect("attach", "function entry and exit (fentry, fexit)", "yes")
    },
    Check("under lockdown, a kprobe says that lockdown may be the reason") {
      let object = try Guest.load("count_kprobe")
      let error = try refusal {
        let link = try object.program("count_entry").attach(.kprobe(KernelProbeChecks.function))
        try link.detach()
      }
      try equal(
        error, .denied, "the kernel does not let this process probe kprobe __x64_sys_getppid",
        errno: "EPERM",
        hint: "EPERM comes from kernel lockdown or seccomp, not from capabilities")
    },
    Check("under lockdown, a program that reads kernel memory is refused with the reason") {
      let command = try Command.run([Guest.command, "profile", "-d", "1"])
      try require(command.status != 0, command.output)
      try require(
        command.error.contains("kernel lockdown is in confidentiality mode"), command.error)
    },
    Check("under lockdown, fentry and tp_btf still count") {
      for name in ["fentry counts each of 8,000 calls", "tp_btf counts"] {
        let check = try require(
          (TrampolineChecks.all + TracepointChecks.all).first { $0.name.hasPrefix(name) },
          "no check '\(name)'")
        try check.body()
      }
    },
  ]
}
