import Glibc
import TestSupport
import Testing

@Suite struct ValidateTests {
  static let keys: Set<String> = [
    "file", "valid", "programs", "maps", "globals", "license", "minimum_kernel", "core",
    "findings",
  ]

  @Test func `one file gives one document with the promised keys`() throws {
    let file = Fixtures.path("core_missing.bpf.o")
    let document = try EBPF.json(["validate", file])
    #expect(document.keys.isSuperset(of: Self.keys))
    #expect(document["file"].text == file)
    #expect(document["valid"].bool == true)
    #expect(document["license"].text == "GPL")
    let program = document["programs"][0]
    #expect(program["name"].text == "ask")
    #expect(program["section"].text == "raw_tp/sys_enter")
    #expect(program["type"].text == "raw_tracepoint")
    #expect(program["attach_target"].text == "sys_enter")
    #expect(
      program["helpers"]
        == .list([.text("bpf_get_current_task"), .text("bpf_probe_read_kernel")]))
    #expect(document["maps"][0]["value_size"].int == 24)
    #expect(document["globals"][0]["type"].text == "u64[3]")
    #expect(document["minimum_kernel"]["version"].text == "5.5")
    #expect(document["core"]["records"].int == 6)
    #expect(document["core"]["resolved"].int == 3)
    #expect(document["core"]["unresolved"].list.count == 3)
    #expect(document["core"]["target"].text == "/sys/kernel/btf/vmlinux")
  }

  @Test func `several files give one document with an entry for each`() throws {
    let document = try EBPF.json(
      ["validate", Fixtures.path("globals.bpf.o"), "/nonexistent", "/etc/hostname"], status: 2)
    let files = document["files"].list
    #expect(files.count == 3)
    #expect(files[0]["valid"].bool == true)
    #expect(files[1]["error"]["code"].text == "not_found")
    #expect(files[2]["valid"].bool == false)
    #expect(document.keys == ["files"])
  }

  /// The instructions of a section as llvm-objdump counts them.
  @Test func `instruction counts are those of llvm-objdump`() throws {
    let file = Fixtures.path("ringbuf_events.bpf.o")
    let listing = try Command.output(["llvm-objdump", "-d", "--no-show-raw-insn", file])
    let lines = listing.split(separator: "\n").filter { $0.hasPrefix(" ") }
    let wide = lines.count { $0.hasSuffix(" ll") }
    let program = try EBPF.json(["validate", file])["programs"][0]
    #expect(program["instructions"].int == lines.count + wide)
  }

  @Test func `a disassembly has source lines and names`() throws {
    let file = Fixtures.path("ringbuf_events.bpf.o")
    let text = try EBPF.run(["validate", "--disassemble", file]).output
    #expect(text.contains("; if (!counts)  ringbuf_events.bpf.c:24\n"))
    #expect(text.contains("r1 = map sequences ll\n"))
    #expect(text.contains("call bpf_ringbuf_submit\n"))
    let rows = try EBPF.json(["validate", "--disassemble", file])["programs"][0]["disassembly"]
    #expect(rows[0]["index"].int == 0)
    #expect(rows[0]["function"].text == "send_event")
    #expect(rows.list.contains { $0["source"]["line"].int == 24 })
  }

  @Test func `the verdict is the last line`() throws {
    let file = Fixtures.path("no_license.bpf.o")
    let command = try EBPF.run(["validate", file])
    #expect(command.status == 0)
    #expect(command.output.hasSuffix("\n\(file): valid (1 warning)\n"))
    #expect(command.error.isEmpty)
  }

  // MARK: - Without kernel and privileges

  @Test func `Capability 5: no bpf call is made`() throws {
    let directory = try TemporaryDirectory()
    let trace = directory.file("trace")
    let command = try EBPF.run(
      ["validate", Fixtures.path("core_missing.bpf.o")],
      by: ["strace", "-f", "-o", trace, "-e", "trace=bpf,perf_event_open,openat"])
    #expect(command.status == 0)
    let calls = String(decoding: try contents(ofFile: trace), as: UTF8.self)
    #expect(calls.contains("/sys/kernel/btf/vmlinux"), "strace saw the files opened")
    #expect(!calls.contains("bpf(") && !calls.contains("perf_event_open("))
  }

  @Test func `a user without privileges gets the same answer`() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(
      try contents(ofFile: Fixtures.path("core_missing.bpf.o")), to: "a.bpf.o")
    let binary = try EBPF.copy(in: directory)
    let user = try Command.run(EBPF.nobody() + [binary, "validate", "--json", file])
    #expect(user.status == 0, "\(user.error)")
    #expect(user.output == (try EBPF.run(["validate", "--json", file]).output))
  }

  // MARK: - CO-RE targets

  @Test func `without the kernel's types it says so and goes on`() throws {
    let file = Fixtures.path("core_missing.bpf.o")
    let hidden = EBPF.inMounts("mount -t tmpfs none /sys/kernel/btf")
    let text = try EBPF.run(["validate", file], by: hidden)
    #expect(text.status == 0)
    #expect(text.output.contains("CO-RE  6 records, not checked\n"))
    #expect(text.output.contains("/sys/kernel/btf/vmlinux; name a kernel's types with --btf FILE"))
    let core = try EBPF.json(["validate", file], by: hidden)["core"]
    #expect(core["resolved"] == .null && core["target"] == .null)
    #expect(core["target_error"]["errno"].text == "ENOENT")
  }

  @Test func `truncated types of the kernel are named, not trusted`() throws {
    let directory = try TemporaryDirectory()
    let cut = Array(try contents(ofFile: "/sys/kernel/btf/vmlinux").prefix(100_000))
    let file = try directory.write(cut, to: "cut.btf")
    let bound = EBPF.inMounts("mount --bind \(file) /sys/kernel/btf/vmlinux")
    let object = Fixtures.path("core_missing.bpf.o")
    let core = try EBPF.json(["validate", object], by: bound)["core"]
    #expect(core["resolved"] == .null)
    #expect(core["target_error"]["code"].text == "malformed")
    // Named by the user, the same file is an error.
    let error = try EBPF.json(["validate", object, "--btf", file], status: 2)["error"]
    #expect(error["code"].text == "malformed")
    #expect(error["context"]["file"].text == file)
  }

  @Test func `the types may be a raw file or a section of an ELF file`() throws {
    let object = Fixtures.path("core_missing.bpf.o")
    let own = try EBPF.json(["validate", object, "--btf", object])["core"]
    #expect(own["target"].text == object)
    #expect(own["resolved"].int == 6)
  }

  // MARK: - Refusals

  /// What is wrong with the file, and what the command says of it.
  struct Refusal: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let status: Int32
    let code: String
    let make: @Sendable (TemporaryDirectory) throws -> String

    init(
      _ name: String, _ status: Int32, _ code: String,
      _ make: @escaping @Sendable (TemporaryDirectory) throws -> String
    ) {
      testDescription = name
      self.status = status
      self.code = code
      self.make = make
    }

    /// A fixture in which the first occurrence of some bytes is replaced.
    static func edited(
      _ fixture: String, _ edit: @escaping @Sendable (inout [UInt8]) throws -> Void
    ) -> @Sendable (TemporaryDirectory) throws -> String {
      { directory in
        var bytes = try contents(ofFile: Fixtures.path(fixture))
        try edit(&bytes)
        return try directory.write(bytes, to: "edited.bpf.o")
      }
    }
  }

  static let refusals = [
    Refusal("empty", 1, "malformed") { try $0.write([], to: "empty") },
    Refusal("63 bytes", 1, "malformed", Refusal.edited("globals.bpf.o") { $0 = Array($0[..<63]) }),
    Refusal("an x86 executable", 1, "unsupported") { _ in "/bin/true" },
    Refusal("big-endian", 1, "unsupported") { _ in Fixtures.path("big_endian.bpf.o") },
    Refusal("no programs", 1, "not_found") { _ in Fixtures.path("no_programs.bpf.o") },
    Refusal("magic and zeros", 1, "malformed") {
      try $0.write([0x7f, 0x45, 0x4c, 0x46] + [UInt8](repeating: 0, count: 100), to: "zeros")
    },
    Refusal(
      "section headers past the end", 1, "malformed",
      Refusal.edited("globals.bpf.o") { $0.removeLast(200) }),
    Refusal("an unknown section name", 1, "unsupported") { _ in
      Fixtures.path("all_sections.bpf.o")
    },
    Refusal("oversize", 2, "too_large") {
      let path = try $0.write([], to: "large")
      truncate(path, 1_000_001)
      return path
    },
    Refusal("a directory", 2, "invalid_argument") { $0.path },
    Refusal("a missing file", 2, "not_found") { $0.file("missing") },
    Refusal("a pipe", 2, "invalid_argument") {
      mkfifo($0.file("pipe"), 0o600)
      return $0.file("pipe")
    },
    Refusal("a device", 2, "invalid_argument") { _ in "/dev/zero" },
  ]

  @Test(arguments: refusals)
  func `what is no object is refused with a reason, the file and a hint`(
    refusal: Refusal
  ) throws {
    let directory = try TemporaryDirectory()
    let file = try refusal.make(directory)
    let document = try EBPF.json(["validate", file], status: refusal.status)
    let problem = refusal.status == 2 ? document["error"] : document["findings"][0]
    #expect(problem["code"].text == refusal.code)
    #expect(problem["message"].text?.isEmpty == false)
    #expect(problem["context"]["file"].text == file)
    #expect(problem["hint"].text?.isEmpty == false)
    // To a person it says the same, on the stream that belongs to it.
    let text = try EBPF.run(["validate", file])
    #expect(text.status == refusal.status)
    let message = try #require(problem["message"].text)
    #expect((refusal.status == 2 ? text.error : text.output).contains(message))
    #expect(refusal.status == 1 || text.output.isEmpty)
  }

  @Test func `an unknown map type is refused`() throws {
    // The BTF of a map holds its type as the length of an array: `int (*type)[27]`.
    let directory = try TemporaryDirectory()
    let source = """
      struct { int (*type)[99]; int (*max_entries)[1]; } odd __attribute__((section(".maps"), used));
      __attribute__((section("raw_tp/sys_enter"), used)) int run(void *context) { return 0; }
      char LICENSE[] __attribute__((section("license"), used)) = "GPL";
      """
    let object = directory.file("odd.bpf.o")
    _ = try Command.output(
      ["clang", "-target", "bpf", "-g", "-O2", "-x", "c", "-c", "-", "-o", object],
      input: Array(source.utf8))
    let finding = try EBPF.json(["validate", object], status: 1)["findings"][0]
    #expect(finding["message"].text == "no known map type has number 99")
    #expect(finding["context"]["map"].text == "odd")
  }

  @Test func `an unreadable file is refused`() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("", to: "closed")
    chmod(file, 0)
    let binary = try EBPF.copy(in: directory)
    let user = try Command.run(EBPF.nobody() + [binary, "validate", file])
    #expect(user.status == 2)
    #expect(user.error.contains("denied: the file must not be read by this user"))
    #expect(user.error.contains("open = EACCES (13)"))
  }

  @Test func `the size limit can be raised and lowered`() throws {
    let file = Fixtures.path("globals.bpf.o")
    let size = try contents(ofFile: file).count
    #expect(try EBPF.run(["validate", "--max-size", "\(size)", file]).status == 0)
    let refused = try EBPF.run(["validate", "--max-size", "\(size - 1)", file])
    #expect(refused.status == 2)
    #expect(
      refused.error.contains("too_large: the file has \(size) bytes, the limit is \(size - 1)\n"))
  }

  @Test func `escape sequences in names do not reach the terminal`() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(
      try contents(ofFile: Fixtures.path("globals.bpf.o")), to: "a\u{1b}[31mb.bpf.o")
    let text = try EBPF.run(["validate", file])
    #expect(text.status == 0)
    #expect(!text.output.contains("\u{1b}"))
    #expect(text.output.contains("a\u{fffd}[31mb.bpf.o"))
  }
}
