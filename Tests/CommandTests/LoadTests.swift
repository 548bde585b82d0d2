import Glibc
import TestSupport
import Testing

@Suite struct LoadTests {
  /// Loads and pins an object, and unpins it when the value goes away.
  final class Pinned {
    let directory = "/sys/fs/bpf/swift-ebpf-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    let document: JSONValue

    init(_ fixture: String, _ arguments: [String] = []) throws {
      document = try EBPF.json(
        ["load", "--pin", directory, Fixtures.path(fixture)] + arguments)
    }

    deinit { unpin(directory) }
  }

  static func unpin(_ directory: String) {
    #expect(throws: Never.self) { try Command.output(["rm", "-rf", "--", directory]) }
  }

  @Test(arguments: ["ringbuf_events.bpf.o", "map_in_map.bpf.o", "subprograms.bpf.o"])
  func `ids, types, names, tags and sizes are those that bpftool shows`(
    fixture: String
  ) throws {
    let pinned = try Pinned(fixture)
    let programs = pinned.document["programs"].list
    let maps = pinned.document["maps"].list
    #expect(!programs.isEmpty && !maps.isEmpty)
    for program in programs {
      let shown = try Kernel.shown("prog", program)
      #expect(shown["type"] == program["type"])
      #expect(shown["tag"] == program["tag"])
      #expect(shown["name"].text == program["name"].text.map { String($0.prefix(15)) })
      let known = maps.compactMap { $0["id"].int }
      #expect(Set(shown["map_ids"].list.compactMap(\.int)).isSubset(of: known))
    }
    for map in maps {
      let shown = try Kernel.shown("map", map)
      #expect(shown["type"] == map["type"])
      #expect(shown["bytes_key"] == map["key_size"])
      #expect(shown["bytes_value"] == map["value_size"])
      #expect(shown["max_entries"] == map["max_entries"])
      #expect(shown["name"].text == map["name"].text.map { String($0.prefix(15)) })
    }
  }

  @Test func `the tag is the one that libbpf gives`() throws {
    let pin = "/sys/fs/bpf/swift-ebpf-test-\(getpid())-libbpf"
    let pinned = try Pinned("subprograms.bpf.o")
    _ = try Command.output(["bpftool", "prog", "loadall", Fixtures.path("subprograms.bpf.o"), pin])
    defer { Self.unpin(pin) }
    for program in pinned.document["programs"].list {
      let name = try #require(program["name"].text)
      let theirs = try JSONValue(
        parsing: try Command.output(["bpftool", "-j", "prog", "show", "pinned", "\(pin)/\(name)"]))
      #expect(theirs["tag"] == program["tag"])
    }
  }

  @Test func `pins are where it says`() throws {
    let pinned = try Pinned("ringbuf_events.bpf.o")
    for kind in ["programs", "maps"] {
      for item in pinned.document[kind].list {
        let path = try #require(item["pinned"].text)
        #expect(access(path, F_OK) == 0, "\(path)")
      }
    }
    // A second time the names are taken: nothing more stays, and the first pins are unharmed.
    let again = try EBPF.json(
      ["load", "--pin", pinned.directory, Fixtures.path("ringbuf_events.bpf.o")], status: 2)
    #expect(again["error"]["code"].text == "exists")
    let id = try #require(pinned.document["programs"][0]["id"].int)
    #expect(try Kernel.show("prog", id: id) != nil)
  }

  @Test func `pins outside a BPF file system are refused, and nothing is made there`() throws {
    let directory = try TemporaryDirectory()
    let error = try EBPF.json(
      ["load", "--pin", directory.file("pins"), Fixtures.path("globals.bpf.o")], status: 2)["error"]
    #expect(error["hint"].text?.contains("/sys/fs/bpf") == true)
    #expect(access(directory.file("pins"), F_OK) != 0)
  }

  @Test func `without pins nothing stays`() throws {
    let document = try EBPF.json(["load", Fixtures.path("ringbuf_events.bpf.o")])
    #expect(try Kernel.isGone("prog", document["programs"].list.compactMap { $0["id"].int }))
    #expect(try Kernel.isGone("map", document["maps"].list.compactMap { $0["id"].int }))
  }

  static let endings: [(signal: Int32, status: Int32)] = [
    (SIGINT, 0), (SIGTERM, 0), (SIGKILL, 137),
  ]

  @Test(arguments: endings)
  func `it stays attached until a signal, and nothing stays after it`(
    signal: Int32, status: Int32
  ) throws {
    let running = try RunningCommand(
      [EBPF.path, "load", "--attach", "--json", Fixtures.path("count_raw_tp.bpf.o")])
    let document = try running.document()
    let programs = document["programs"].list.compactMap { $0["id"].int }
    let links = document["links"].list.compactMap { $0["id"].int }
    #expect(programs.count == 2 && links.count == 2)
    for (link, program) in zip(document["links"].list, document["programs"].list) {
      let shown = try Kernel.shown("link", link)
      #expect(shown["prog_id"] == program["id"])
      #expect(shown["type"].text == "raw_tracepoint")
    }
    #expect(running.end(by: signal) == status)
    #expect(try Kernel.isGone("link", links))
    #expect(try Kernel.isGone("prog", programs))
    #expect(try Kernel.isGone("map", document["maps"].list.compactMap { $0["id"].int }))
  }

  @Test func `a program whose section names no place is told, not attached`() throws {
    let error = try EBPF.json(
      ["load", "--attach", Fixtures.path("perf_event_count.bpf.o")], status: 2)["error"]
    #expect(error["code"].text == "invalid_argument")
    #expect(error["context"].keys.contains("count"))
  }

  @Test func `capacities and programs can be chosen`() throws {
    let resized = try EBPF.json(
      ["load", "--map", "events:max_entries=8192", Fixtures.path("ringbuf_events.bpf.o")])
    #expect(resized["maps"].list.first { $0["name"].text == "events" }?["max_entries"].int == 8192)
    let one = try EBPF.json(
      ["load", "--program", "count_exit", Fixtures.path("count_raw_tp.bpf.o")])
    #expect(one["programs"].list.compactMap { $0["name"].text } == ["count_exit"])
    let none = try EBPF.json(
      ["load", "--program", "count_exot", Fixtures.path("count_raw_tp.bpf.o")], status: 2)
    #expect(none["error"]["code"].text == "not_found")
    #expect(none["error"]["hint"].text?.contains("count_exit") == true)
  }

  // MARK: - Refusals

  @Test func `a rejection shows the telling line, and the log where it was asked for`() throws {
    let directory = try TemporaryDirectory()
    let file = Fixtures.path("rejected.bpf.o")
    let log = directory.file("log")
    let brief = try EBPF.run(["load", file])
    #expect(brief.status == 2 && brief.output.isEmpty)
    #expect(brief.error.contains("unbounded min value is not allowed"))
    #expect(brief.error.contains("lines, with -v, or --verifier-log FILE\n"))
    #expect(!brief.error.contains("processed "))
    #expect(try EBPF.run(["load", "-v", file]).error.contains("\nprocessed "))
    let error = try EBPF.json(["load", "--verifier-log", log, file], status: 2)["error"]
    #expect(error["code"].text == "rejected")
    #expect(error["errno"].text == "EINVAL")
    #expect(error["context"]["file"].text == file)
    let whole = String(decoding: try contents(ofFile: log), as: UTF8.self)
    #expect(error["verifier_log"].text == whole)
    #expect(whole.contains("\nprocessed "))
  }

  @Test func `a user without privileges is told which`() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(
      try contents(ofFile: Fixtures.path("count_raw_tp.bpf.o")), to: "a.bpf.o")
    let binary = try EBPF.copy(in: directory)
    let user = try Command.run(EBPF.nobody() + [binary, "load", "--json", file])
    #expect(user.status == 2)
    let error = try JSONValue(parsing: user.output)["error"]
    #expect(error["code"].text == "denied")
    #expect(error["errno"].text == "EPERM")
    #expect(error["hint"].text?.contains("CAP_BPF") == true)
  }

  @Test func `without the kernel's types only CO-RE objects are refused`() throws {
    let hidden = EBPF.inMounts("mount -t tmpfs none /sys/kernel/btf")
    let plain = try EBPF.run(["load", Fixtures.path("globals.bpf.o")], by: hidden)
    #expect(plain.status == 0, "\(plain.error)")
    let relocated = Fixtures.path("core_2_types.bpf.o")
    let error = try EBPF.json(["load", relocated], status: 2, by: hidden)["error"]
    #expect(error["code"].text == "unsupported")
    #expect(error["message"].text?.contains("BTF") == true)
    #expect(error["hint"].text?.contains("--btf") == true)
    // The same types under another name will do.
    let copy = try TemporaryDirectory()
    let types = copy.file("vmlinux")
    _ = try Command.output(["cp", "/sys/kernel/btf/vmlinux", types])
    #expect(try EBPF.run(["load", "--btf", types, relocated], by: hidden).status == 0)
  }

  @Test func `an oversize object is refused before any bpf call`() throws {
    let directory = try TemporaryDirectory()
    let trace = directory.file("trace")
    let large = try directory.write([], to: "large.bpf.o")
    truncate(large, 1_000_001)
    let command = try EBPF.run(
      ["load", large], by: ["strace", "-f", "-o", trace, "-e", "trace=bpf,exit_group"])
    #expect(command.status == 2)
    #expect(command.error.contains("too_large: the file has 1000001 bytes"))
    let calls = String(decoding: try contents(ofFile: trace), as: UTF8.self)
    #expect(calls.contains("exit_group(2)") && !calls.contains("bpf("))
  }
}
