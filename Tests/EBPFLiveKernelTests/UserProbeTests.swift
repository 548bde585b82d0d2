import EBPF
import Glibc
import TestSupport
import Testing

/// A fixture that counts malloc and free of one process (`malloc_counts.h`).
struct MallocCounts {
  let object: LoadedObject

  init(_ fixture: String, target: Int32) throws {
    object = try LoadedObject(LoadedObjectTests.object(fixture))
    try object.setVariable("target_tgid", to: target)
  }

  /// Mallocs, their bytes, frees, their bytes, calls of malloc, calls of free, failures, cookies.
  func totals() throws -> [UInt64] {
    let totals = try object.map("totals", key: UInt32.self, value: UInt64.self)
    return try (0..<8).map { try totals.value(for: $0) ?? .max }
  }

  /// Attaches all three programs; the cookie is that of malloc's entry.
  func attach(
    _ binary: UserProbe.Binary, process: Int32?, cookie: UInt64 = 0, to links: Links
  ) throws {
    try links.attach(
      object.program("malloc_entry"),
      to: .uprobe(binary, symbol: "malloc", process: process).withCookie(cookie), as: "entry")
    try links.attach(
      object.program("malloc_return"),
      to: .uretprobe(binary, symbol: "malloc", process: process), as: "return")
    try links.attach(
      object.program("free_entry"), to: .uprobe(binary, symbol: "free", process: process),
      as: "free")
  }
}

/// Capability 8: probes of user functions see the known work, to the call.
@Suite struct UserProbeTests {
  static let work: [UInt64] = [1000, 500_500, 900, 405_450, 1000, 900, 0, 0]
  static let libc = "/lib/x86_64-linux-gnu/libc.so.6"

  @Test(arguments: [UserProbe.Binary.library("libc.so.6"), .path(libc)], [true, false])
  func `Capability 8: 1000 mallocs and 900 frees are counted, in one process or in all`(
    binary: UserProbe.Binary, onlyTarget: Bool
  ) throws {
    let child = try StoppedProcess(workload: "memory")
    let counts = try MallocCounts("count_uprobe.bpf.o", target: child.id)
    let links = Links()
    try counts.attach(binary, process: onlyTarget ? child.id : nil, to: links)
    #expect(try links.withLink("entry") { $0.mechanism } == .perfEventLink)
    #expect(try child.finish() == 0)
    #expect(try counts.totals() == Self.work)
    #expect(links.detachAll().isEmpty)
  }

  @Test(arguments: ["count_uprobe_multi.bpf.o"])
  func `the same through uprobe.multi, without a performance event`(fixture: String) throws {
    let child = try StoppedProcess(workload: "memory")
    let counts = try MallocCounts(fixture, target: child.id)
    let links = Links()
    try counts.attach(.library("libc.so.6"), process: child.id, cookie: 3, to: links)
    #expect(try links.withLink("entry") { $0.mechanism } == .uprobeMulti)
    #expect(try child.finish() == 0)
    #expect(try counts.totals() == Self.work.dropLast() + [3000])
    #expect(links.detachAll().isEmpty)
  }

  @Test func `by the section's own words`() throws {
    let child = try StoppedProcess(workload: "memory")
    let counts = try MallocCounts("count_uprobe_target.bpf.o", target: child.id)
    let entry = try counts.object.program("malloc_entry").attachBySection()
    let exit = try counts.object.program("malloc_return").attachBySection()
    let free = try counts.object.program("free_entry").attachBySection()
    #expect(try child.finish() == 0)
    #expect(try counts.totals() == Self.work)
    try entry.detach()
    try exit.detach()
    try free.detach()
  }

  @Test func `in a static executable`() throws {
    let child = try StoppedProcess(workload: "memory-static")
    let counts = try MallocCounts("count_uprobe.bpf.o", target: child.id)
    let links = Links()
    try counts.attach(.process(child.id), process: child.id, to: links)
    #expect(try child.finish() == 0)
    #expect(try counts.totals() == Self.work)
    #expect(links.detachAll().isEmpty)
  }

  @Test func `by version, by file offset, and with a cookie`() throws {
    // readelf: number, value, size, type …, name.
    let table = try Command.output(["readelf", "-W", "--dyn-syms", Self.libc])
    let line = try #require(table.split(separator: "\n").first { $0.contains(" malloc@@GLIBC") })
    let fields = line.split(separator: " ")
    let address = try #require(UInt64(fields[1], radix: 16))
    let segments = try Command.output(["readelf", "-W", "-l", Self.libc])
    let code = try #require(
      segments.split(separator: "\n").first { $0.contains("LOAD") && $0.contains("R E") })
    let numbers = code.split(separator: " ").filter { $0.hasPrefix("0x") }
      .compactMap { UInt64($0.dropFirst(2), radix: 16) }
    let offset = address - numbers[1] + numbers[0]

    let points: [AttachPoint] = [
      .uprobe(.path(Self.libc), symbol: String(fields[7])),
      .uprobe(.path(Self.libc), symbol: "malloc@GLIBC_2.2.5"),
      .uprobe(.path(Self.libc), fileOffset: offset),
      .uprobe(.path(Self.libc), symbol: "malloc").withCookie(7),
    ]
    for point in points {
      let child = try StoppedProcess(workload: "memory")
      let counts = try MallocCounts("count_uprobe.bpf.o", target: child.id)
      let link = try counts.object.program("malloc_entry").attach(point)
      #expect(try child.finish() == 0)
      #expect(try counts.totals()[4] == 1000, "\(point)")
      #expect(try counts.totals()[7] == point.cookie * 1000, "\(point)")
      try link.detach()
    }
  }

  @Test func `at an instruction inside a function`() throws {
    let table = try Command.output(["readelf", "-W", "--dyn-syms", Self.libc])
    let line = try #require(table.split(separator: "\n").first { $0.contains(" malloc@@GLIBC") })
    let start = try #require(UInt64(line.split(separator: " ")[1], radix: 16))
    let code = try Command.output([
      "objdump", "-d", "--no-show-raw-insn", "--start-address=\(start)",
      "--stop-address=\(start + 64)", Self.libc,
    ])
    // The second and third instruction of malloc: `   9d3a4:  push   %rbx`.
    let places = code.split(separator: "\n").compactMap { line in
      line.hasPrefix(" ") ? UInt64(line.prefix { $0 != ":" }.drop { $0 == " " }, radix: 16) : nil
    }
    try #require(places.count > 3 && places[0] == start)
    for place in places[1...2] {
      let child = try StoppedProcess(workload: "memory")
      let counts = try MallocCounts("count_uprobe.bpf.o", target: child.id)
      let link = try counts.object.program("malloc_entry").attach(
        .uprobe(.path(Self.libc), symbol: "malloc", offset: place - start, process: child.id))
      #expect(link.point.description == "uprobe \(Self.libc):malloc+\(place - start)")
      #expect(try child.finish() == 0)
      #expect(try counts.totals()[4] == 1000)
      try link.detach()
    }
  }

  @Test func `in a position-independent executable, before it is started`() throws {
    let path = try StoppedProcess.workload("stacks")
    // The shell stops itself and then becomes the workload, which visits 1000 stacks.
    let child = try StoppedProcess(["/bin/sh", "-c", "kill -STOP $$; exec \"$0\" 1000 0", path])
    let counts = try MallocCounts("count_uprobe.bpf.o", target: child.id)
    let entry = try counts.object.program("malloc_entry").attach(
      .uprobe(.path(path), symbol: "burn"))
    #expect(try child.finish() == 0)
    #expect(try counts.totals()[4] == 1000)
    try entry.detach()
  }

  @Test func `what a function returns is read at its return`() throws {
    let child = try StoppedProcess(workload: "memory")
    let counts = try MallocCounts("count_uprobe.bpf.o", target: child.id)
    let links = Links()
    try counts.attach(.library("libc.so.6"), process: child.id, to: links)
    #expect(try child.finish() == 0)
    #expect(links.detachAll().isEmpty)
    // The blocks that were not freed, by the address that malloc returned.
    let live = try counts.object.map("live", key: UInt64.self, value: UInt64.self).entries()
    #expect(live.map(\.value).sorted() == Array(901...1000))
    #expect(Set(live.map(\.key)).count == 100)
    #expect(live.allSatisfy { $0.key != 0 && $0.key % 16 == 0 })
  }

  @Test func `a second copy of the program is not counted`() throws {
    let watched = try StoppedProcess(workload: "memory")
    let other = try StoppedProcess(workload: "memory")
    // The program would count the other one; the probe is only in the first.
    let counts = try MallocCounts("count_uprobe.bpf.o", target: other.id)
    let links = Links()
    try counts.attach(.library("libc.so.6"), process: watched.id, to: links)
    #expect(try other.finish() == 0)
    #expect(try watched.finish() == 0)
    #expect(try counts.totals() == [0, 0, 0, 0, 0, 0, 0, 0])
    #expect(links.detachAll().isEmpty)
  }

  // MARK: Refusals

  private func refusal(_ point: AttachPoint, fixture: String = "count_uprobe.bpf.o") throws
    -> EBPFError
  {
    let object = try LoadedObject(LoadedObjectTests.object(fixture))
    return try #require(throws: EBPFError.self) {
      let link = try object.programs[0].attach(point)
      try link.detach()
    }
  }

  @Test func `a misspelt function suggests near names`() throws {
    let error = try refusal(.uprobe(.path(Self.libc), symbol: "maloc"))
    #expect(error.code == .notFound)
    #expect(error.message == "the file defines no function 'maloc'")
    #expect(error.hint?.contains("'malloc'") == true)
    #expect(error.context.contains(.file(Self.libc)))
  }

  @Test func `a stripped executable is said to be stripped`() throws {
    let path = try StoppedProcess.workload("cpu-stripped")
    let error = try refusal(.uprobe(.path(path), symbol: "hot_a"))
    #expect(error.code == .notFound)
    #expect(error.hint?.contains("the file is stripped") == true)
  }

  @Test func `what is no file, no program and no function is refused`() throws {
    #expect(try refusal(.uprobe(.path("/no/such/file"), symbol: "f")).code == .notFound)
    #expect(try refusal(.uprobe(.path("/etc/passwd"), symbol: "f")).code == .malformed)
    #expect(try refusal(.uprobe(.path("/tmp"), symbol: "f")).code == .invalidArgument)
    #expect(try refusal(.uprobe(.path(""), symbol: "f")).code == .invalidArgument)
    #expect(try refusal(.uprobe(.path(Self.libc), symbol: "")).code == .invalidArgument)
    #expect(try refusal(.uprobe(.library("libnone.so.9"), symbol: "f")).code == .notFound)
    #expect(
      try refusal(.uprobe(.path(Self.libc), fileOffset: 1 << 40)).code == .invalidArgument)
    let past = try refusal(.uprobe(.path(Self.libc), symbol: "malloc", offset: 1 << 20))
    #expect(past.code == .invalidArgument)
    let type = try refusal(
      .uprobe(.path(Self.libc), symbol: "malloc"), fixture: "count_raw_tp.bpf.o")
    #expect(
      type.message.hasPrefix("a program of type raw_tracepoint cannot run at uprobe"))
  }

  @Test func `a process that has gone is said to be gone`() throws {
    let child = try StoppedProcess(workload: "memory")
    #expect(try child.finish() == 0)
    let error = try refusal(.uprobe(.path(Self.libc), symbol: "malloc", process: child.id))
    #expect(error.message == "there is no process \(child.id)")
  }

  @Test func `a return probe into a Go program is refused`() throws {
    let directory = try TemporaryDirectory()
    let program = directory.file("go")
    let section = try directory.write("x", to: "section")
    _ = try Command.output(
      [
        "objcopy", "--add-section", ".go.buildinfo=\(section)",
        try StoppedProcess.workload("memory-static"), program,
      ])
    let error = try refusal(.uretprobe(.path(program), symbol: "malloc"))
    #expect(error.code == .unsupported)
    #expect(error.message.contains("Go program"))
  }

  @Test func `a function chosen at start-up is not probed by mistake`() throws {
    let error = try refusal(.uprobe(.path(Self.libc), symbol: "memcpy"))
    #expect(error.code == .unsupported)
    #expect(error.message.contains("STT_GNU_IFUNC"))
  }
}
