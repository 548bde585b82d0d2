import EBPF
import TestSupport

/// Functions' entries and exits by trampolines.
enum TrampolineChecks {
  static let all = [
    Check("fentry counts each of 8,000 calls, and its cookie is read") {
      let object = try Guest.load("count_trampoline")
      let child = try StoppedProcess([Guest.syscalls])
      try object.setVariable("target_tgid", to: child.id)
      let link = try object.program("count_entry").attach(.loadedTarget.withCookie(5))
      try equal(try child.finish(), 0, "the status of syscalls")
      try equal(try object.variable("entries", as: UInt64.self), 8_000, "entries")
      try equal(try object.variable("cookies", as: UInt64.self), 40_000, "cookies")
      try link.detach()
    },
    Check("fexit sees arguments and result of each of 8,000 calls") {
      let object = try Guest.load("count_trampoline")
      let child = try StoppedProcess([Guest.syscalls])
      try object.setVariable("target_tgid", to: child.id)
      let link = try object.program("count_opened").attachBySection()
      try equal(link.mechanism, .tracingLink, "the way")
      try equal(try child.finish(), 0, "the status of syscalls")
      try equal(try object.variable("opened", as: UInt64.self), 3_000, "opened")
      try equal(try object.variable("failed", as: UInt64.self), 5_000, "failed")
      try equal(try object.variable("from_here", as: UInt64.self), 8_000, "with AT_FDCWD")
      try link.detach()
    },
    Check("fentry and fexit run when the kernel tests itself") {
      let object = try Guest.load("fentry")
      let entry = try object.program("on_entry").attachBySection()
      let end = try object.program("on_exit").attachBySection()
      _ = try object.program("on_entry").testRun()
      try equal(try object.variable("entry_runs", as: UInt64.self), 1, "entries")
      try equal(try object.variable("exit_runs", as: UInt64.self), 1, "exits")
      try equal(try object.variable("argument", as: UInt64.self), 1, "the argument")
      try equal(try object.variable("result", as: UInt64.self), 2, "the result")
      try entry.detach()
      try end.detach()
    },
    Check("lsm and fmod_ret count each of 3,000 opened files, and let them pass") {
      let object = try Guest.load("count_lsm")
      let child = try StoppedProcess([Guest.syscalls])
      try object.setVariable("target_tgid", to: child.id)
      let hook = try object.program("on_open").attachBySection()
      let modification = try object.program("before_open").attachBySection()
      try equal(try child.finish(), 0, "the status of syscalls")
      try equal(try object.variable("by_hook", as: UInt64.self), 3_000, "by lsm")
      try equal(try object.variable("by_modification", as: UInt64.self), 3_000, "by fmod_ret")
      try hook.detach()
      try modification.detach()
    },
    Check("fentry on an unknown function is refused when it is loaded") {
      let error = try refusal { _ = try load("count_entry", at: "swift_ebpf_none") }
      try equal(error.message, "the kernel's BTF has no function 'swift_ebpf_none'", "\(error)")
      try equal(error.code, .notFound, "the code of \(error)")
    },
    Check("targets that are misspelt name near ones") {
      let wrong = [
        ("count_tp_btf", "sys_entr", "tracepoint", "sys_enter"),
        ("count_lsm", "file_opn", "security hook", "file_open"),
        ("iterator", "tsk", "iterator", "task"),
        ("count_trampoline", "__x64_sys_opena", "function", "__x64_sys_openat"),
      ]
      for (fixture, target, kind, meant) in wrong {
        var object = try Guest.object(fixture)
        object.programs.removeSubrange(1...)
        object.programs[0].attachTarget = target
        let error = try refusal { _ = try LoadedObject(object) }
        try equal(error.message, "the kernel's BTF has no \(kind) '\(target)'", "\(error)")
        try require(error.hint?.hasPrefix("did you mean ") == true, "\(error)")
        try require(error.hint?.contains("'\(meant)'") == true, "\(error)")
      }
    },
    Check("a function that the kernel cannot trace is said to be one") {
      var fixture = try Guest.object("fentry")
      fixture.programs.removeAll { $0.name != "on_entry" }
      fixture.programs[0].attachTarget = "__switch_to"
      let program = try LoadedObject(fixture).program("on_entry")
      let error = try refusal {
        let link = try program.attachBySection()
        try link.detach()
      }
      try equal(error, .unsupported, "the kernel cannot trace '__switch_to'", errno: "EBUSY")
    },
    Check("a function that the kernel keeps programs out of is said to be one") {
      // Linux 6.1 lets a program in there, and then stands still.
      guard !Guest.isOld else { return }
      let error = try refusal { _ = try load("count_entry", at: "__rcu_read_lock") }
      try equal(
        error, .rejected, "the kernel lets no program run at '__rcu_read_lock'", errno: "EINVAL")
    },
    Check("fentry attached twice at the same function is refused") {
      let object = try load("count_entry", at: "__x64_sys_openat")
      let program = try object.program("count_entry")
      let link = try program.attachBySection()
      let error = try refusal {
        let second = try program.attachBySection()
        try second.detach()
      }
      try equal(
        error, .exists, "something is already attached to '__x64_sys_openat'", errno: "EBUSY")
      try link.detach()
      let again = try program.attachBySection()
      try again.detach()
    },
  ]

  /// Only one program of `count_trampoline`, at another function.
  private static func load(_ name: String, at target: String) throws -> LoadedObject {
    var object = try Guest.object("count_trampoline")
    object.programs.removeAll { $0.name != name }
    object.programs[0].attachTarget = target
    return try LoadedObject(object)
  }
}
