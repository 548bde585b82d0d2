import TestSupport
import Testing

/// BPF tokens on the running kernel: the command in a user namespace of its own, with a BPF file system
/// that delegates (`with_token.c`).
@Suite struct TokenTests {
  private static let everything =
    "delegate_cmds=any,delegate_maps=any,delegate_progs=any,delegate_attachs=any"

  private static func load(
    _ arguments: [String], mount: String, _ options: String, environment: [String: String] = [:]
  ) throws -> Command {
    try EBPF.run(
      ["load"] + arguments + [Fixtures.path("count_raw_tp.bpf.o")],
      by: [StoppedProcess.workload("with-token"), mount, options], environment: environment)
  }

  @Test func `a token is taken from an option, from the environment, and from the usual place`()
    throws
  {
    let place = try TemporaryDirectory()
    let directory = place.path
    for (arguments, mount, environment) in [
      (["--token", directory], directory, [:]),
      ([], directory, ["LIBBPF_BPF_TOKEN_PATH": directory]),
      ([], "/sys/fs/bpf", [:]),
    ] {
      let command = try Self.load(
        arguments, mount: mount, Self.everything, environment: environment)
      #expect(command.status == 0, "\(command.error)")
      #expect(command.output.contains("count_enter"))
    }
  }

  @Test func `without a token nothing loads in a user namespace`() throws {
    let place = try TemporaryDirectory()
    let directory = place.path
    for environment in [[:], ["LIBBPF_BPF_TOKEN_PATH": ""]] {
      let command = try Self.load(
        [], mount: environment.isEmpty ? directory : "/sys/fs/bpf", Self.everything,
        environment: environment)
      #expect(command.status == 2)
      #expect(command.error.contains("bpf(BPF_MAP_CREATE) = EPERM"), "\(command.error)")
      #expect(command.error.contains("in this one it takes a BPF token"), "\(command.error)")
    }
  }

  @Test(arguments: [
    (
      "delegate_cmds=any,delegate_maps=0x4,delegate_progs=any,delegate_attachs=any",
      "delegate_cmds=map_create and delegate_maps=percpu_array"
    ),
    (
      "delegate_cmds=any,delegate_maps=any,delegate_progs=0x2,delegate_attachs=any",
      "delegate_cmds=prog_load and delegate_progs=raw_tracepoint"
    ),
  ])
  func `what a token does not allow is named, with what it allows`(
    options: String, missing: String
  ) throws {
    let place = try TemporaryDirectory()
    let directory = place.path
    let command = try Self.load(["--token", directory], mount: directory, options)
    #expect(command.status == 2)
    #expect(command.error.contains("the token has to allow \(missing)"), "\(command.error)")
    #expect(command.error.contains("was mounted with delegate_cmds=any,"), "\(command.error)")
  }

  @Test func `a file system that delegates nothing, and one that is none, are told apart`() throws {
    let place = try TemporaryDirectory()
    let directory = place.path
    let nothing = try Self.load(["--token", directory], mount: directory, "-")
    #expect(nothing.status == 2)
    #expect(nothing.error.contains("the file system delegates nothing"), "\(nothing.error)")
    #expect(nothing.error.contains("bpf(BPF_TOKEN_CREATE) = ENOENT"))
    let none = try Self.load(["--token", "/proc"], mount: directory, Self.everything)
    #expect(none.error.contains("it is no BPF file system"), "\(none.error)")
  }

  @Test func `in the initial user namespace a token is refused, and not needed`() throws {
    let load = ["load", Fixtures.path("count_raw_tp.bpf.o")]
    let asked = try EBPF.run(load + ["--token", "/sys/fs/bpf"])
    #expect(asked.status == 2)
    #expect(asked.error.contains("bpf(BPF_TOKEN_CREATE) = EOPNOTSUPP"), "\(asked.error)")
    #expect(asked.error.contains("in the initial user namespace, which needs none"))
    #expect(try EBPF.run(load).status == 0)
  }

  @Test func `check says whether there is a token to be had`() throws {
    for (starter, verdict, reason) in [
      (
        [try StoppedProcess.workload("with-token"), "/sys/fs/bpf", Self.everything], "yes",
        "from /sys/fs/bpf"
      ),
      (["unshare", "-Ur", "--"], "no", "no BPF token from '/sys/fs/bpf'"),
      ([], "no", "this process is in the initial user namespace, which needs none"),
    ] {
      let row = try CheckTests.row("take a BPF token", by: starter)
      #expect(row["verdict"].text == verdict, "\(row)")
      #expect(row["reason"].text?.contains(reason) == true, "\(row)")
    }
  }
}
