import Glibc
import TestSupport
import Testing

/// The static executable where there is nothing else: no libraries, no /proc, no /sys, no /etc.
@Suite struct EmptyRootTests {
  let root: TemporaryDirectory

  init() throws {
    root = try TemporaryDirectory()
    _ = try EBPF.copy(in: root)
    for name in ["globals.bpf.o", "count_raw_tp.bpf.o", "core_missing.bpf.o"] {
      try root.write(try contents(ofFile: Fixtures.path(name)), to: name)
    }
  }

  func run(_ arguments: [String], with capabilities: [String] = []) throws -> Command {
    let limits = capabilities.isEmpty ? [] : EBPF.root(with: capabilities + ["sys_chroot"])
    return try Command.run(limits + ["chroot", root.path, "/ebpf"] + arguments)
  }

  @Test func `it starts`() throws {
    #expect(try Command.output(["file", "-b", EBPF.path]).contains("statically linked"))
    #expect(try run(["--version"]).output == (try EBPF.run(["--version"]).output))
    let help = try run(["--help"])
    #expect(help.status == 0 && help.output.contains("SUBCOMMANDS:"))
  }

  @Test func `it validates`() throws {
    #expect(try run(["validate", "/globals.bpf.o"]).status == 0)
    let relocated = try run(["validate", "/core_missing.bpf.o"])
    #expect(relocated.status == 0, "\(relocated.error)")
    #expect(relocated.output.contains("CO-RE  6 records, not checked\n"))
    #expect(try run(["validate", "/missing"]).status == 2)
  }

  @Test func `it checks`() throws {
    let check = try run(["check", "--json"])
    let rows = try JSONValue(parsing: check.output)["rows"].list
    #expect(rows.first { $0["name"].text == "load programs" }?["verdict"].text == "yes")
    #expect(rows.first { $0["name"].text == "BTF" }?["verdict"].text == "no")
    #expect(check.status == 0)
  }

  @Test func `it loads with CAP_BPF and CAP_PERFMON only`() throws {
    let loaded = try run(["load", "--json", "/count_raw_tp.bpf.o"], with: ["bpf", "perfmon"])
    #expect(loaded.status == 0, "\(loaded.output)\(loaded.error)")
    #expect(try JSONValue(parsing: loaded.output)["programs"].list.count == 2)
    let refused = try run(["load", "--json", "/count_raw_tp.bpf.o"], with: ["perfmon"])
    #expect(refused.status == 2)
    #expect(try JSONValue(parsing: refused.output)["error"]["code"].text == "denied")
  }

  @Test func `with proc and sys it profiles by CAP_BPF and CAP_PERFMON only`() throws {
    _ = try Command.output(
      ["install", "-m", "0755", try StoppedProcess.workload("cpu-static"), root.file("cpu")])
    let mounts = EBPF.inMounts(
      ["proc", "sys"].map { "mkdir \(root.path)/\($0); mount --rbind /\($0) \(root.path)/\($0)" }
        .joined(separator: "\n"))
    let profile = try Command.run(
      mounts + EBPF.root(with: ["bpf", "perfmon", "sys_chroot"])
        + [
          "chroot", root.path, "/ebpf", "profile", "-F", "997", "-o", "/cpu.folded", "--", "/cpu",
          "0.5",
        ])
    #expect(profile.status == 0, "\(profile.error)")
    let samples = try String(decoding: contents(ofFile: root.file("cpu.folded")), as: UTF8.self)
      .split(separator: "\n").filter { $0.contains("hot_b") }
      .reduce(0) { $0 + (Int($1.split(separator: " ").last ?? "") ?? 0) }
    // Three quarters of half a second.
    #expect(samples > 300)
  }

  @Test func `without sys it asks for it, and does not blame the kernel`() throws {
    let profile = try run(["profile", "-d", "1", "--json"])
    #expect(profile.status == 2)
    let error = try JSONValue(parsing: profile.output)["error"]
    let reason = "/sys is not mounted, so the kernel's BTF cannot be read"
    #expect(error["message"].text == reason)
    #expect(error["hint"].text?.contains("mount -t sysfs sysfs /sys") == true)
    let check = try JSONValue(parsing: try run(["check", "--json"]).output)
    let row = check["rows"].list.first { $0["name"].text == "BTF" }
    #expect(row?["reason"].text == "missing: " + reason)
  }

  @Test func `it runs in an image made from scratch`() throws {
    let tag = "localhost/swift-ebpf-test-\(getpid())"
    let recipe = try root.write(
      "FROM scratch\nCOPY ebpf globals.bpf.o /\nENTRYPOINT [\"/ebpf\"]\n", to: "Containerfile")
    _ = try Command.output(["podman", "build", "-q", "-t", tag, "-f", recipe, root.path])
    defer {
      #expect(throws: Never.self) { try Command.output(["podman", "rmi", "-f", tag]) }
    }
    func run(_ arguments: [String], options: [String] = []) throws -> Command {
      try Command.run(
        [
          "podman", "--runtime", "runc", "run", "--rm", "--ulimit", "nofile=1024:1024",
          "--ulimit", "nproc=1024:1024", "--network=none", "--cap-drop=all", "--cap-add=BPF",
          "--cap-add=PERFMON",
        ] + options + [tag] + arguments)
    }
    let open = ["--security-opt", "seccomp=unconfined"]
    let loaded = try run(["load", "/globals.bpf.o"], options: open)
    #expect(loaded.status == 0, "\(loaded.output)\(loaded.error)")
    #expect(try run(["check"], options: open).status == 0)
    // podman's own filter refuses bpf(2) without CAP_SYS_ADMIN, and the check sees that.
    let filtered = try run(["check", "--json"])
    #expect(filtered.status == 1)
    let row = try JSONValue(parsing: filtered.output)["rows"].list.first {
      $0["name"].text == "load programs"
    }
    #expect(row?["remedy"].text?.contains("seccomp") == true)
  }
}
