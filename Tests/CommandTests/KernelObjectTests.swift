import Glibc
import TestSupport
import Testing

/// `ebpf prog`, `map`, `link` and `btf`, compared with bpftool on the same objects.
@Suite struct KernelObjectTests {
  private func bpftool(_ arguments: [String]) throws -> JSONValue {
    try JSONValue(parsing: try Command.output(["bpftool", "-j"] + arguments))
  }

  /// Everything that bpftool says is said the same way; what changes while others run is left out.
  private func expectEqual(
    _ ours: JSONValue, _ theirs: JSONValue, except: Set<String> = [],
    location: SourceLocation = #_sourceLocation
  ) {
    #expect(!theirs.keys.isEmpty, sourceLocation: location)
    for key in theirs.keys.subtracting(except).subtracting(["run_time_ns", "run_cnt", "pids"]) {
      #expect(ours[key] == theirs[key], "\(key)", sourceLocation: location)
    }
  }

  private func item(_ list: JSONValue, id: Int?) throws -> JSONValue {
    try #require(list.list.first { $0["id"].int == id })
  }

  // MARK: - Programs

  @Test func `a program is what bpftool says it is, by id, by pin, by tag and in the list`() throws
  {
    let pinned = try LoadTests.Pinned("subprograms.bpf.o")
    for program in pinned.document["programs"].list {
      let id = try #require(program["id"].int)
      let theirs = try bpftool(["prog", "show", "id", "\(id)"])
      expectEqual(try EBPF.json(["prog", "show", "\(id)"]), theirs)
      expectEqual(try EBPF.json(["prog", "show", "id", "\(id)"]), theirs)
      let name = try #require(program["name"].text)
      expectEqual(try EBPF.json(["prog", "show", "\(pinned.directory)/\(name)"]), theirs)
      expectEqual(try EBPF.json(["prog", "show", "pinned", "\(pinned.directory)/\(name)"]), theirs)
      let tag = try #require(program["tag"].text)
      let tagged = try EBPF.json(["prog", "show", "tag", tag])
      // Others may have loaded the same program.
      #expect(tagged["id"].int == id || tagged.list.contains { $0["id"].int == id })
      expectEqual(try item(try EBPF.json(["prog", "list"]), id: id), theirs)
      let text = try EBPF.run(["prog", "show", "\(id)"])
      #expect(text.status == 0 && text.output.contains(tag) && text.output.contains(name))
      let list = try EBPF.run(["prog"])
      #expect(list.output.split(separator: "\n").contains { $0.contains(" \(tag) ") })
    }
  }

  @Test func `a dump has bpftool's instructions, with the source lines and the names of calls`()
    throws
  {
    let pinned = try LoadTests.Pinned("subprograms.bpf.o")
    for program in pinned.document["programs"].list {
      let id = try #require(program["id"].int)
      let theirs = try bpftool(["prog", "dump", "xlated", "id", "\(id)"]).list
      let dump = try EBPF.json(["prog", "dump", "\(id)"])
      let ours = dump["instructions"].list
      // bpftool's list has an entry for each function before its instructions.
      let instructions = theirs.filter { $0["disasm"].text != nil }
      #expect(ours.count == instructions.count)
      for (our, their) in zip(ours, instructions) {
        let disassembly = try #require(their["disasm"].text)
        guard disassembly.contains("call "), !disassembly.contains("pc+"),
          let call = disassembly.split(separator: " ").last?.split(separator: "#").first
        else { continue }
        #expect(our["text"].text == "call \(call)")
      }
      #expect(ours.first?["function"].text == program["name"].text)
      let text = try EBPF.run(["prog", "dump", "xlated", "id", "\(id)"])
      #expect(text.output.contains("; ") && text.output.contains("subprograms.bpf.c:"))
      #expect(text.output.contains(": exit\n"))
      #expect(!text.output.contains("<unknown>"))
    }
  }

  // MARK: - Maps

  @Test func `a map is what bpftool says it is`() throws {
    let pinned = try LoadTests.Pinned("maps_btf.bpf.o")
    let list = try EBPF.json(["map", "list"])
    for map in pinned.document["maps"].list {
      let id = try #require(map["id"].int)
      let theirs = try bpftool(["map", "show", "id", "\(id)"])
      expectEqual(try EBPF.json(["map", "show", "\(id)"]), theirs)
      expectEqual(try item(list, id: id), theirs)
    }
  }

  @Test func `values of every kind of type are printed as bpftool prints them`() throws {
    let pinned = try LoadTests.Pinned("typed_values.bpf.o")
    let path = pinned.directory + "/typed"
    for index in 0..<8 {
      var value = (0..<80).map { UInt8(truncatingIfNeeded: 37 &* ($0 + 1) &* (index + 3) ^ index) }
      // Texts that are whole, empty, and not ended; an enumerator that has a name.
      if index < 3 {
        value.replaceSubrange(
          25..<36, with: ["hello\0\0\0\0\0\0", "\0\0\0\0\0\0\0\0\0\0\0", "elevenchars"][index].utf8)
        value.replaceSubrange(
          36..<40, with: [[7, 0, 0, 0], [0, 0, 0, 0], [254, 255, 255, 255]][index])
      }
      let key = [UInt8(index), 1, 0, 0] + Array("ab\0\0".utf8)
      let update = try EBPF.run(
        ["map", "update", path, "key"] + key.map(String.init) + ["value"] + value.map(String.init))
      #expect(update.status == 0, "\(update.error)")
    }
    let theirs = try bpftool(["map", "dump", "pinned", path]).list
    let ours = try EBPF.json(["map", "dump", path]).list
    #expect(theirs.count == 8 && ours.count == 8)
    for their in theirs { #expect(ours.contains(their), "\(their)") }
    let text = try EBPF.run(["map", "dump", path])
    #expect(text.output.contains("{id = 256, name = \"ab\"}: {byte = "))
    #expect(text.output.contains("text = \"hello\", colour = COLOUR_GREEN"))
    #expect(text.output.contains("colour = COLOUR_NEGATIVE"))
  }

  @Test func `entries are written, read and deleted, and bpftool sees that`() throws {
    let pinned = try LoadTests.Pinned("maps_btf.bpf.o")
    let path = pinned.directory + "/hash_sparse"
    func run(_ words: String...) throws -> Command { try EBPF.run(["map"] + words) }
    #expect(try run("update", path, "key", "4711", "value", "-1").status == 0)
    #expect(
      try bpftool(["map", "dump", "pinned", path])[0]["formatted"]["value"]
        == .number(Double(UInt64.max)))
    let found = try EBPF.json(["map", "lookup", path, "key", "4711"])
    #expect(found["formatted"]["key"].int == 4711)
    #expect(
      try run("lookup", path, "key", "hex", "67", "12", "0", "0", "0", "0", "0", "0").status == 0)
    let exists = try run("update", path, "key", "4711", "value", "2", "noexist")
    #expect(exists.status == 2 && exists.error.contains("EEXIST"))
    let absent = try run("update", path, "key", "1", "value", "2", "exist")
    #expect(absent.status == 2 && absent.error.contains("ENOENT"))
    #expect(try run("delete", path, "key", "0x1267").status == 0)
    let gone = try run("delete", path, "key", "4711")
    #expect(gone.status == 2 && gone.error.contains("no such key"))
    #expect(try bpftool(["map", "dump", "pinned", path]).list.isEmpty)
  }

  @Test func `one value is written for each CPU, and read by CPU`() throws {
    let pinned = try LoadTests.Pinned("maps_btf.bpf.o")
    let path = pinned.directory + "/percpu_hash"
    let update = try EBPF.run(["map", "update", path, "key", "7", "value", "9"])
    #expect(update.status == 0, "\(update.error)")
    let theirs = try bpftool(["map", "dump", "pinned", path])
    #expect(try EBPF.json(["map", "dump", path]) == theirs)
    #expect(theirs[0]["formatted"]["values"].list.allSatisfy { $0["value"].int == 9 })
  }

  @Test func `a key or value of another size says how many bytes there must be`() throws {
    let pinned = try LoadTests.Pinned("maps_btf.bpf.o")
    let path = pinned.directory + "/hash"
    let short = try EBPF.run(["map", "lookup", path, "key", "1", "2", "3"])
    #expect(short.status == 2)
    #expect(short.error.contains("the key has 8 bytes, but 3 were given"))
    for (value, isRight) in [
      ("-9223372036854775808", true), ("18446744073709551615", true), ("0xffffffffffffffff", true),
      ("18446744073709551616", false), ("-9223372036854775809", false), ("0x", false), ("-", false),
    ] {
      let update = try EBPF.run(
        ["map", "update", pinned.directory + "/hash_sparse", "key", "1", "value", value])
      #expect(update.status == (isRight ? 0 : 2), "\(value): \(update.error)")
    }
    let large = try EBPF.run(
      ["map", "update", pinned.directory + "/array", "key", "5000000000", "value", "1"])
    #expect(large.status == 2 && large.error.contains("does not fit into 4 bytes"))
    let word = try EBPF.run(["map", "lookup", path, "key", "x", "2", "3", "4", "5", "6", "7", "8"])
    #expect(word.status == 2 && word.error.contains("is not a byte"))
  }

  // MARK: - Links

  @Test func `a link is what bpftool says it is, with the process that holds it`() throws {
    let command = try RunningCommand(
      [EBPF.path, "load", "--attach", "--json", Fixtures.path("count_raw_tp.bpf.o")])
    let document = try command.document()
    let program = try #require(document["programs"][0]["id"].int)
    let links = try EBPF.json(["link", "list"]).list
    let link = try #require(links.first { $0["prog_id"].int == program })
    let id = try #require(link["id"].int)
    let theirs = try bpftool(["link", "show", "id", "\(id)"])
    expectEqual(link, theirs)
    expectEqual(try EBPF.json(["link", "show", "id", "\(id)"]), theirs)
    for object in [link, try EBPF.json(["prog", "show", "\(program)"])] {
      #expect(object["pids"].list.contains { $0["pid"].int == Int(command.pid) })
    }
    // A raw tracepoint's link cannot be detached: the error says who keeps it.
    let detached = try EBPF.run(["link", "detach", "\(id)"])
    #expect(detached.status == 2 && detached.error.contains("last process or pin"))
    #expect(command.end(by: SIGINT) == 0)
    #expect(try Kernel.isGone("link", [id]))
    let gone = try EBPF.run(["link", "show", "\(id)"])
    #expect(gone.status == 2 && gone.error.contains("there is no link with id \(id)"))
  }

  // MARK: - BTF

  @Test func `BTF is listed with what uses it, and dumped as bpftool dumps it`() throws {
    let pinned = try LoadTests.Pinned("typed_values.bpf.o")
    let program = try #require(pinned.document["programs"][0]["id"].int)
    let id = try #require(try EBPF.json(["prog", "show", "\(program)"])["btf_id"].int)
    let ours = try item(try EBPF.json(["btf"]), id: id)
    #expect(ours["prog_ids"].list.contains { $0.int == program })
    let theirs = try bpftool(["btf", "show", "id", "\(id)"])
    #expect(ours["size"] == theirs["size"] && ours["kernel"] == theirs["kernel"])
    #expect(
      Set(ours["map_ids"].list.compactMap(\.int)) == Set(theirs["map_ids"].list.compactMap(\.int)))
    let raw = try Command.output(["bpftool", "btf", "dump", "id", "\(id)"])
    #expect(try EBPF.run(["btf", "dump", "\(id)"]).output == raw)
    let file = Fixtures.path("typed_values.bpf.o")
    #expect(
      try EBPF.run(["btf", "dump", "file", file]).output
        == Command.output(["bpftool", "btf", "dump", "file", file]))
  }

  @Test func `the kernel's own types are dumped as bpftool dumps them`() throws {
    let theirs = try Command.run(["bpftool", "btf", "dump", "file", "/sys/kernel/btf/vmlinux"])
    let ours = try EBPF.run(["btf", "dump", "/sys/kernel/btf/vmlinux"])
    // Not compared by #expect: a difference would print both.
    let isEqual = ours.bytes == theirs.bytes
    #expect(isEqual && ours.status == 0 && ours.bytes.count > 1_000_000)
  }

  // MARK: - Refusals

  @Test(arguments: ["prog", "map", "link", "btf"])
  func `without privileges the list is refused, with what is missing`(kind: String) throws {
    let directory = try TemporaryDirectory()
    let copy = try EBPF.copy(in: directory)
    let command = try Command.run(EBPF.nobody() + [copy, kind])
    #expect(command.status == 2)
    #expect(command.error.contains("cannot list"))
    #expect(command.error.contains("CAP_SYS_ADMIN"))
  }

  @Test(arguments: [
    (["prog", "show"], "ref"), (["prog", "show", "id", "x"], "an id is a number"),
    (["prog", "show", "nothing"], "no id and no path"),
    (["map", "show", "tag", "1"], "does not say"),
    (["map", "lookup", "1"], "key BYTES"), (["map", "update", "1", "key", "1"], "value BYTES"),
    (["map", "lookup", "1", "key", "1", "value", "2"], "only an update"),
    (["link", "detach"], "ref"),
  ])
  func `wrong usage is told`(arguments: [String], words: String) throws {
    let command = try EBPF.run(arguments)
    #expect(command.status == 64)
    #expect(command.error.contains(words), "\(command.error)")
  }

  @Test func `a missing object is told with its id or path`() throws {
    let id = try EBPF.run(["prog", "show", "4294967295", "--json"])
    #expect(id.status == 2)
    #expect(try JSONValue(parsing: id.output)["error"]["code"].text == "not_found")
    let path = try EBPF.run(["map", "show", "/sys/fs/bpf/no-such-pin"])
    #expect(path.status == 2 && path.error.contains("there is no such pin"))
    let kind = try LoadTests.Pinned("typed_values.bpf.o")
    let wrong = try EBPF.run(["map", "show", kind.directory + "/touch"])
    #expect(wrong.status == 2 && wrong.error.contains("it is a program"))
  }
}
