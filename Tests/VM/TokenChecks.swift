import EBPF
import TestSupport

/// Loading in a user namespace, with what a BPF file system delegates to it (Linux 6.9).
enum TokenChecks {
  private static let directory = "/tmp/delegated"
  private static let everything =
    "delegate_cmds=any,delegate_maps=any,delegate_progs=any,delegate_attachs=any"

  static let all = [
    Check("in a user namespace, a token lets programs load and count as for root") {
      guard !Guest.isOld else { return try expectNone() }
      let names = ["raw_tp counts", "tp_btf counts", "the ring buffer"]
      for (mount, environment) in [
        (directory, "LIBBPF_BPF_TOKEN_PATH=\(directory)"), ("/sys/fs/bpf", "NONE=1"),
      ] {
        let command = try Command.run(
          try inNamespace(mount, everything) + ["/bin/env", environment, "/bin/ebpf-vm-tests"]
            + names)
        let passed = command.output.split(separator: "\n").count { $0.hasPrefix("ok ") }
        try require(command.status == 0 && passed == names.count, command.output + command.error)
      }
    },
    Check("in a user namespace without a token, the kernel denies it") {
      guard !Guest.isOld else { return }
      let command = try load("/sys/fs/bpf", "-", [])
      try equal(command.status, 2, "the status (\(command.error))")
      try require(command.error.contains("EPERM"), command.error)
      try require(command.error.contains("in this one it takes a BPF token"), command.error)
    },
    Check("a token that does not allow a map or a program is named with what it allows") {
      guard !Guest.isOld else { return }
      let maps = try load(
        directory,
        "delegate_cmds=any,delegate_maps=0x4,delegate_progs=any,delegate_attachs=any",
        ["--token", directory])
      try equal(maps.status, 2, "the status")
      try require(
        maps.error.contains(
          "the token has to allow delegate_cmds=map_create and delegate_maps=percpu_array"),
        maps.error)
      try require(
        maps.error.contains("was mounted with delegate_cmds=any,delegate_maps="), maps.error)
      let programs = try load(
        directory,
        "delegate_cmds=any,delegate_maps=any,delegate_progs=0x2,delegate_attachs=any",
        ["--token", directory])
      try equal(programs.status, 2, "the status")
      try require(
        programs.error.contains(
          "the token has to allow delegate_cmds=prog_load and delegate_progs=raw_tracepoint"),
        programs.error)
    },
    Check("a file system that delegates nothing gives no token") {
      guard !Guest.isOld else { return }
      let command = try load(directory, "-", ["--token", directory])
      try equal(command.status, 2, "the status")
      try require(command.error.contains("the file system delegates nothing"), command.error)
    },
  ]

  /// The words before a command that is to run in a user namespace with that file system.
  private static func inNamespace(_ mount: String, _ options: String) throws -> [String] {
    if mount == directory { _ = try Command.run(["/bin/mkdir", "-p", directory]) }
    return ["/bin/with-token", mount, options]
  }

  private static func load(
    _ mount: String, _ options: String, _ arguments: [String]
  ) throws -> Command {
    try Command.run(
      try inNamespace(mount, options) + [Guest.command, "load"] + arguments
        + ["/fixtures/count_raw_tp.bpf.o"])
  }

  private static func expectNone() throws {
    let command = try Command.run([
      Guest.command, "load", "--token", "/sys/fs/bpf", "/fixtures/count_raw_tp.bpf.o",
    ])
    try equal(command.status, 2, "the status")
    try require(command.error.contains("tokens take Linux 6.9"), command.error)
  }
}
