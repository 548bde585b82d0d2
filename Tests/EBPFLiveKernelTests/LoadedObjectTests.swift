import EBPF
import EBPFSystem
import Glibc
import TestSupport
import Testing

/// Capabilities 1 and 6: an object becomes what the kernel says it is, and goes away without a trace.
@Suite struct LoadedObjectTests {
  static func object(_ fixture: String) throws -> ObjectFile {
    try ObjectFile(parsing: Fixtures.bytes(fixture), name: fixture)
  }

  /// What both this library and the installed libbpf load on this kernel.
  static let loadable = [
    "callbacks", "copies_map", "core_20_types", "core_2_types", "core_arrays", "core_bitfields",
    "core_enums", "core_fields", "core_flavours", "core_matches", "core_missing",
    "core_size_change", "core_subprograms", "core_types", "count_kprobe", "count_raw_tp",
    "count_tp_btf", "count_tracepoint", "count_uprobe", "globals", "iterator", "kconfig", "ksyms",
    "map_in_map", "no_license", "perf_event_count", "perfbuf_events", "prog_array",
    "ringbuf_events", "subprograms",
  ]

  @Test(arguments: loadable)
  func `the kernel holds the same instructions as when libbpf loads the object`(
    name: String
  ) throws {
    let loaded = try LoadedObject(Self.object(name + ".bpf.o"))
    #expect(loaded.warnings.isEmpty)
    let directory = "/sys/fs/bpf/swift_ebpf_\(name)_\(getpid())"
    let oracle = try Command.run(
      ["bpftool", "prog", "loadall", Fixtures.path(name + ".bpf.o"), directory])
    try #require(oracle.status == 0, "\(oracle.error)")
    defer { _ = try? Command.run(["rm", "-r", directory]) }
    #expect(!loaded.programs.isEmpty)
    for program in loaded.programs {
      let pin = directory + "/" + program.name.replacing(".", with: "_")
      let descriptor = try Pinning.open(pin, .program)
      let theirs = try LiveKernel().programInformation(descriptor.rawValue, details: .translated)
      let ours = try program.information(.translated)
      #expect(program.tag == theirs.tag, "\(program.name)")
      #expect(ours.name == theirs.name)
      #expect(ours.type == theirs.type)
      #expect(try Self.translated(ours) == Self.translated(theirs), "\(program.name)")
    }
  }

  /// bpftool's listing, with the numbers of maps replaced by their order of appearance.
  private static func translated(_ information: ProgramInformation) throws -> String {
    let text = try Command.output(
      ["bpftool", "prog", "dump", "xlated", "id", String(information.id)])
    var order: [Substring: Int] = [:]
    var lines: [String] = []
    for line in text.split(separator: "\n") where !line.contains("; ") {
      guard let start = line.firstRange(of: "[id:") else {
        lines.append(String(line))
        continue
      }
      let number = line[start.upperBound...].prefix { $0.isNumber }
      let index = order[number, default: order.count]
      order[number] = index
      lines.append(line[..<start.upperBound] + "#\(index)" + line[number.endIndex...])
    }
    return lines.joined(separator: "\n")
  }

  @Test func `Capability 1: maps are what bpftool says they are`() throws {
    let object = try Self.object("maps_btf.bpf.o")
    let loaded = try LoadedObject(object)
    #expect(loaded.maps.map(\.name) == object.maps.map(\.name))
    for map in loaded.maps {
      let text = try Command.output(["bpftool", "map", "show", "id", String(map.id)])
      #expect(text.contains("key \(map.keySize)B"), "\(map.name): \(text)")
      #expect(text.contains("value \(map.valueSize)B"), "\(map.name): \(text)")
      #expect(text.contains("max_entries \(map.information.maxEntries)"), "\(map.name): \(text)")
      #expect(text.contains(": \(map.type.name) "), "\(map.name): \(text)")
    }
  }

  @Test(arguments: ["count_raw_tp", "globals", "ringbuf_events"])
  func `Capability 1: programs are what bpftool says they are`(name: String) throws {
    let loaded = try LoadedObject(Self.object(name + ".bpf.o"))
    for program in loaded.programs {
      let text = try Command.output(["bpftool", "prog", "show", "id", String(program.id)])
      let type = program.type.name
      #expect(
        text.hasPrefix("\(program.id): \(type)  name \(program.name)  tag \(program.tag)  gpl"),
        "\(text)")
      let ids = try program.information(.maps).mapIDs
      #expect(!ids.isEmpty)
      #expect(Set(ids).isSubset(of: loaded.maps.map(\.id)))
      let listed = text.split(separator: "\n").flatMap {
        $0.split(separator: "map_ids ").dropFirst()
      }
      #expect(listed == [Substring(ids.map(String.init).joined(separator: ","))], "\(text)")
    }
  }

  @Test func `a rejected program is an error with the verifier's reason`() throws {
    let error = try #require(throws: EBPFError.self) {
      _ = try LoadedObject(Self.object("rejected.bpf.o"))
    }
    #expect(error.code == .rejected)
    #expect(error.systemCall?.name == "EINVAL" || error.systemCall?.name == "EACCES")
    #expect(error.message.hasPrefix("the verifier rejected the program: "))
    #expect((error.verifierLog ?? "").contains("processed "))
  }

  @Test func `nothing stays after a rejection`() async {
    await #expect(processExitsWith: .success) {
      func open() throws -> Int {
        try FileSystem.entries("/proc/self/fd").count {
          (try? FileSystem.link("/proc/self/fd/\($0)"))?.contains("bpf") == true
        }
      }
      let object = try LoadedObjectTests.object("rejected.bpf.o")
      let before = try open()
      do throws(EBPFError) {
        _ = try LoadedObject(object)
        exit(1)
      } catch {}
      let afterwards = try open()
      precondition(afterwards == before, "\(afterwards) descriptors of BPF objects are left")
      let loaded = try LoadedObject(LoadedObjectTests.object("count_raw_tp.bpf.o"))
      let during = try open()
      precondition(during >= before + 6, "descriptors of BPF objects are seen: \(during)")
      loaded.unload()
      let unloaded = try open()
      precondition(unloaded == before, "\(unloaded) descriptors of BPF objects are left")
    }
  }

  @Test func `a log of more than a megabyte is fetched to its end`() throws {
    let object = try Self.object("rejected_long_log.bpf.o")
    let error = try #require(throws: EBPFError.self) { _ = try LoadedObject(object) }
    let log = try #require(error.verifierLog)
    #expect(log.utf8.count > 1_000_000)
    #expect(log.contains("processed "))
    #expect(error.message.contains("unbounded min value"))
    #expect(error.hint == nil)
  }

  @Test func `a log that is longer than wanted is said to be cut`() throws {
    var options = LoadOptions()
    options.logLimit = 100_000
    let object = try Self.object("rejected_long_log.bpf.o")
    let error = try #require(throws: EBPFError.self) {
      _ = try LoadedObject(object, options: options)
    }
    #expect(error.hint == "the log was cut at 99999 bytes; raise LoadOptions.logLimit")
  }

  @Test func `a field the kernel lacks is named in a sentence`() throws {
    let object = try Self.object("core_poison.bpf.o")
    let error = try #require(throws: EBPFError.self) { _ = try LoadedObject(object) }
    #expect(error.code == .rejected)
    #expect(error.message.contains("struct task_struct.swift_ebpf_missing: no such field"))
    #expect(!error.message.contains("195896080"))
  }

  @Test func `optional programs load when they are asked for`() throws {
    let object = try Self.object("optional_programs.bpf.o")
    #expect(try LoadedObject(object).programs.map(\.name) == ["always"])
    var options = LoadOptions()
    options.programs = ["on_request"]
    let error = try #require(throws: EBPFError.self) {
      _ = try LoadedObject(object, options: options)
    }
    #expect(error.context.contains(.program("on_request")))
    options.programs = ["alway"]
    let unknown = try #require(throws: EBPFError.self) {
      _ = try LoadedObject(object, options: options)
    }
    #expect(unknown.code == .notFound)
    #expect(unknown.hint == "did you mean 'always'?")
  }

  @Test func `maps are resized before they are made`() throws {
    var options = LoadOptions()
    options.maxEntries = ["hits": 77]
    let loaded = try LoadedObject(Self.object("perf_event_count.bpf.o"), options: options)
    #expect(try loaded.map("hits").information.maxEntries == 77)
    options.maxEntries = ["hit": 77]
    let error = try #require(throws: EBPFError.self) {
      _ = try LoadedObject(Self.object("perf_event_count.bpf.o"), options: options)
    }
    #expect(error.hint == "did you mean 'hits'?")
  }

  @Test func `an object over the limit is refused before the kernel is asked`() throws {
    let bytes = try Fixtures.bytes("count_raw_tp.bpf.o")
    let error = try #require(throws: EBPFError.self) {
      _ = try ObjectFile(parsing: bytes, sizeLimit: bytes.count - 1)
    }
    #expect(error.code == .tooLarge)
  }

  // MARK: Unloading

  @Test func `Capability 6: unloading ends programs, maps and links; twice is fine`() throws {
    let loaded = try LoadedObject(Self.object("count_raw_tp.bpf.o"))
    let program = try loaded.program("count_enter")
    let link = try program.attachBySection()
    let linkID = try #require(try link.id())
    let mapID = try loaded.map("totals").id
    #expect(loaded.unload().isEmpty)
    #expect(loaded.unload().isEmpty)
    let isAttached = link.isAttached
    #expect(!isAttached)
    #expect(loaded.programs.isEmpty)
    try Kernel.expectGone(.link, linkID)
    try Kernel.expectGone(.program, program.id)
    try Kernel.expectGone(.map, mapID)
    let error = try #require(throws: EBPFError.self) { _ = try program.attachBySection() }
    #expect(error.code == .invalidState)
    #expect(throws: EBPFError.self) { _ = try loaded.map("totals") }
    try link.detach()
  }

  @Test func `Capability 6: a thousand loads keep descriptors and memory flat`() async {
    await #expect(processExitsWith: .success) {
      let object = try LoadedObjectTests.object("count_tp_btf.bpf.o")
      func cycle() throws {
        let loaded = try LoadedObject(object)
        let link = try loaded.program("count_enter").attachBySection()
        loaded.unload()
        try link.detach()
      }
      for _ in 0..<20 { try cycle() }
      let descriptors = try FileSystem.entries("/proc/self/fd").count
      let memory = try ProcessStatus().residentBytes
      for _ in 0..<1000 { try cycle() }
      let more = try FileSystem.entries("/proc/self/fd").count
      precondition(more == descriptors, "\(more) descriptors, \(descriptors) before")
      let grown = Int64(try ProcessStatus().residentBytes) - Int64(memory)
      precondition(grown < 2 << 20, "\(grown) bytes more")
    }
  }

  @Test func `Capability 6: a killed process leaves nothing`() async throws {
    await #expect(processExitsWith: .signal(SIGKILL)) {
      var object = try LoadedObjectTests.object("count_raw_tp.bpf.o")
      for index in object.programs.indices { object.programs[index].name = "swift_killed" }
      let loaded = try LoadedObject(object)
      let link = try loaded.programs[0].attachBySection()
      guard try Kernel.names(of: .program).contains("swift_killed") else { exit(1) }
      kill(getpid(), SIGKILL)
      try link.detach()
    }
    try Kernel.eventually { try !Kernel.names(of: .program).contains("swift_killed") }
  }

  // MARK: Pins

  @Test func `a pinned map is found again, survives unloading, and must be the same kind`() throws {
    let directory = "/sys/fs/bpf/swift_ebpf_pins_\(getpid())"
    defer { _ = try? Command.run(["rm", "-rf", directory]) }
    var options = LoadOptions()
    options.pinDirectory = directory
    let object = try Self.object("pinned_map.bpf.o")
    let first = try LoadedObject(object, options: options)
    let map = try first.map("ebpf_fixture_pin")
    try map.update([0, 0, 0, 0], [7, 0, 0, 0, 0, 0, 0, 0])
    let second = try LoadedObject(object, options: options)
    #expect(try second.map("ebpf_fixture_pin").id == map.id)
    #expect(try second.map("not_pinned").id != first.map("not_pinned").id)
    #expect(first.pinnedMaps == ["ebpf_fixture_pin": directory + "/ebpf_fixture_pin"])
    #expect(second.pinnedMaps == first.pinnedMaps)
    first.unload()
    second.unload()
    #expect(first.pinnedMaps.count == 1)
    let listed = try Command.output([
      "bpftool", "map", "show", "pinned", directory + "/ebpf_fixture_pin",
    ])
    #expect(listed.hasPrefix("\(map.id): array "))
    let pinned = try RawMap.open(pinned: directory + "/ebpf_fixture_pin")
    #expect(try pinned.value(for: [0, 0, 0, 0]) == [7, 0, 0, 0, 0, 0, 0, 0])

    options.maxEntries = ["ebpf_fixture_pin": 2]
    let error = try #require(throws: EBPFError.self) {
      _ = try LoadedObject(object, options: options)
    }
    #expect(error.code == .exists)
    #expect(error.message == "a different map is pinned under this name: capacity 1, not 2")
  }

  @Test func `a failing load takes back the pins it made`() throws {
    let directory = "/sys/fs/bpf/swift_ebpf_rollback_\(getpid())"
    defer { _ = try? Command.run(["rm", "-rf", directory]) }
    var options = LoadOptions()
    options.pinDirectory = directory
    var object = try Self.object("pinned_map.bpf.o")
    object.programs[0].instructions = [Instruction(opcode: 0x95)]
    object.programs[0].references = []
    object.programs[0].functions = []
    object.programs[0].lines = []
    #expect(throws: EBPFError.self) { _ = try LoadedObject(object, options: options) }
    #expect(try FileSystem.entries(directory).isEmpty)
  }

  // MARK: Externs and variables

  @Test func `configuration values are those of the kernel's own file`() throws {
    let loaded = try LoadedObject(Self.object("kconfig.bpf.o"))
    _ = try loaded.program("copy").testRun()
    let configuration = try KernelConfiguration.running()
    let numbers = try loaded.variable("numbers", as: InlineArray<9, UInt64>.self)
    #expect(numbers[0] == 1)
    #expect(numbers[2] == 0x79)
    #expect(try configuration.value(of: "CONFIG_LOG_BUF_SHIFT") == .number(numbers[3]))
    #expect(numbers[5] == 0)
    let version = try KernelVersion(release: MachineNames.current().release)
    let code = version.major << 16 | version.minor << 8 | min(version.patch, 255)
    #expect(numbers[6] == UInt64(code))
    #expect(numbers[7] == 1)
    #expect(numbers[8] == 1)
    let compiler = try loaded.variable("compiler", as: InlineArray<4, UInt8>.self)
    #expect(compiler[3] == 0)
    #expect(compiler[0] != 0)
  }

  @Test func `a missing symbol is named`() throws {
    let missing = try #require(throws: EBPFError.self) {
      _ = try LoadedObject(Self.object("ksym_missing.bpf.o"))
    }
    #expect(missing.code == .unresolved)
    #expect(missing.context.contains(.symbol("swift_ebpf_missing")))
    let option = try #require(throws: EBPFError.self) {
      _ = try LoadedObject(Self.object("kconfig_missing.bpf.o"))
    }
    #expect(option.context.contains(.symbol("CONFIG_SWIFT_EBPF_MISSING")))
  }

  @Test func `an iterator lists this process`() throws {
    let loaded = try LoadedObject(Self.object("iterator.bpf.o"))
    let link = try loaded.program("print_task").attachBySection()
    let text = String(decoding: try link.readIterator(), as: UTF8.self)
    #expect(text.split(separator: "\n").contains("\(getpid()) \(getpid())"))
    try link.detach()
  }
}

/// What the kernel holds.
enum Kernel {
  static func names(of kind: KernelObjectKind) throws -> Set<String> {
    let kernel = LiveKernel()
    var names: Set<String> = []
    var id: UInt32 = 0
    while let next = try kernel.nextID(kind, after: id) {
      id = next
      do throws(Errno) {
        let descriptor = try kernel.open(kind, id: id, flags: 0)
        switch kind {
        case .program:
          names.insert(try kernel.programInformation(descriptor.rawValue, details: []).name)
        case .map: names.insert(try kernel.mapInformation(descriptor.rawValue).name)
        default: break
        }
      } catch {
        // It has gone meanwhile.
        guard error == .noEntry else { throw error }
      }
    }
    return names
  }

  /// The kernel frees some objects after a grace period.
  static func expectGone(_ kind: KernelObjectKind, _ id: UInt32) throws {
    try eventually {
      do throws(Errno) {
        _ = try LiveKernel().open(kind, id: id, flags: 0)
        return false
      } catch { return error == .noEntry }
    }
  }

  static func eventually(_ condition: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while try !condition() {
      try #require(ContinuousClock.now < deadline, "it did not happen within 10 s")
      sched_yield()
    }
  }
}
