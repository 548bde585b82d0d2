import EBPFObject
import EBPFSystem
import Glibc
import TestSupport
import Testing

@testable import Symbolization

@Suite struct SymbolizerTests {
  private static let source = """
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/mman.h>
    #include <unistd.h>
    __attribute__((noinline)) static int hidden_function(int x) { return x * 3 + rand(); }
    __attribute__((noinline)) int shown_function(int x) { return hidden_function(x) + 1; }
    int main(int argc, char **argv) {
      char *jit = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                       -1, 0);
      char path[64];
      sprintf(path, "/tmp/perf-%d.map", getpid());
      if (argc > 1) {
        FILE *map = fopen(path, "w");
        fprintf(map, "garbage\\n%lx 20 Interpreted:~loop at a.js:1\\n%lx 20 older\\n%lx 20 newer\\n",
                (long)jit, (long)jit + 32, (long)jit + 32);
        fclose(map);
      }
      printf("hidden_function %p\\nshown_function %p\\nmain %p\\nmalloc %p\\njit %p\\nready\\n",
             hidden_function, shown_function, main, malloc, jit);
      fflush(stdout);
      if (getchar() == 'x') execlp("cat", "cat", NULL);
      if (argc > 1) unlink(path);
      return shown_function(argc) == 0;
    }
    """

  private func build(_ folder: TemporaryDirectory, _ flags: [String]) throws -> String {
    let source = try folder.write(Self.source, to: "target.c")
    let program = folder.file("target")
    _ = try Command.output(["cc", "-O1", "-g", "-o", program, source] + flags)
    return program
  }

  @Test(arguments: [["-pie", "-fPIE"], ["-no-pie"], ["-static"], ["-static-pie"]])
  func `functions of programs built in each way are named`(flags: [String]) throws {
    let folder = try TemporaryDirectory()
    let target = try TargetProcess([try build(folder, flags)])
    let symbolizer = Symbolizer()
    for name in ["hidden_function", "shown_function", "main"] {
      let address = try #require(target.addresses[name])
      // As the leaf, as a caller that returns inside, and as one that returns to its first byte,
      // which is a call at the end of the function before.
      let frames = symbolizer.symbolize(pid: target.pid, [address, address + 1, address])
      #expect(frames[0].function == name)
      #expect(frames[0].offset == 0)
      #expect(frames[0].kind == .native)
      #expect(frames[0].module?.path == folder.file("target"))
      #expect(frames[0].module?.buildID.utf8.count == 40)
      #expect(frames[1].function == name)
      #expect(frames[1].offset == 1)
      #expect(frames[2].function != name)
    }
    let malloc = try #require(target.addresses["malloc"])
    let frame = symbolizer.symbolize(pid: target.pid, [malloc])[0]
    // A program at a fixed address takes the address of its own stub.
    #expect(["malloc", "__malloc", "__libc_malloc", "malloc@plt"].contains(frame.function))
    #expect(symbolizer.symbolize(pid: target.pid, [0x10])[0].unresolved == .noMapping)
    let statistics = symbolizer.statistics
    #expect(statistics.unresolved[.noMapping] == 1)
    #expect(statistics.processes == 1)
    #expect(statistics.resolved >= 7)
  }

  @Test func `a process that was seen is named after it ended and its file is gone`() throws {
    let folder = try TemporaryDirectory()
    let program = try build(folder, [])
    let target = try TargetProcess([program])
    let address = try #require(target.addresses["hidden_function"])
    // The name is gone before anyone looked: the kernel's own link still leads to the file.
    _ = try Command.output(["rm", program])
    let symbolizer = Symbolizer()
    try symbolizer.snapshot(pid: target.pid)
    target.finish()
    let frame = symbolizer.symbolize(pid: target.pid, [address])[0]
    #expect(frame.function == "hidden_function")
    let late = Symbolizer()
    #expect(late.symbolize(pid: target.pid, [address])[0].unresolved == .processGone)
    let error = #expect(throws: EBPFError.self) { try late.snapshot(pid: target.pid) }
    #expect(error?.code == .notFound)
    symbolizer.forget(pid: target.pid)
    #expect(symbolizer.symbolize(pid: target.pid, [address])[0].unresolved == .processGone)
  }

  @Test func `a process that executes another program is read again`() throws {
    let folder = try TemporaryDirectory()
    let target = try TargetProcess([try build(folder, ["-no-pie"])])
    let address = try #require(target.addresses["hidden_function"])
    let symbolizer = Symbolizer()
    #expect(symbolizer.symbolize(pid: target.pid, [address])[0].function == "hidden_function")
    let before = try FileStatus(path: "/proc/\(target.pid)/exe").inode
    target.send("x")
    let deadline = ContinuousClock.now + .seconds(20)
    while try FileStatus(path: "/proc/\(target.pid)/exe").inode == before,
      ContinuousClock.now < deadline
    {
      sched_yield()
    }
    #expect(symbolizer.symbolize(pid: target.pid, [address])[0].function == nil)
    target.finish()
  }

  @Test func `a stack from before an exec is named by what was known then, or not at all`() throws {
    let folder = try TemporaryDirectory()
    let target = try TargetProcess([try build(folder, ["-no-pie"])])
    let address = try #require(target.addresses["hidden_function"])
    func program() throws -> Symbolizer.Program {
      let status = try ProcessStatus(pid: target.pid)
      return Symbolizer.Program(
        start: status.startTime * ProcessStatus.nanosecondsPerTick, image: status.image)
    }
    let before = try program()
    let early = Symbolizer()
    try early.snapshot(pid: target.pid)
    target.send("x")
    let deadline = ContinuousClock.now + .seconds(20)
    // The new program's memory is laid out step by step: it is complete when it waits for input.
    while try String(
      decoding: SystemFile.read("/proc/\(target.pid)/stat"), as: UTF8.self
    ).contains("(cat) S") == false, ContinuousClock.now < deadline {
      sched_yield()
    }
    let after = try program()
    #expect(before.start == after.start && before.image != after.image)

    typealias Stack = Symbolizer.UserStack
    let stacks = [before, after].map {
      Stack(pid: target.pid, program: $0, addresses: [address])
    }
    let late = Symbolizer()
    for round in ["while it runs", "after it ended"] {
      let known = early.symbolize(stacks)
      #expect(known[0][0].function == "hidden_function", "\(round)")
      #expect(known[1][0].function == nil, "\(round)")
      let unknown = late.symbolize(stacks)
      #expect(unknown[0][0].unresolved == .programReplaced, "\(round)")
      #expect(unknown[1][0].unresolved == .noMapping, "\(round)")
      if round == "while it runs" { target.finish() }
    }
    let never = Symbolizer().symbolize(stacks)
    #expect(never.map { $0[0].unresolved } == [.processGone, .processGone])
  }

  @Test func `code made at run time is named by its perf map file`() throws {
    let folder = try TemporaryDirectory()
    let program = try build(folder, [])
    let target = try TargetProcess([program, "map"])
    let address = try #require(target.addresses["jit"])
    let symbolizer = Symbolizer()
    let frames = symbolizer.symbolize(pid: target.pid, [address + 4, address + 40, address + 400])
    #expect(frames[0].function == "Interpreted:~loop at a.js:1")
    #expect(frames[0].kind == .jit)
    #expect(frames[0].offset == 4)
    #expect(frames[1].function == "newer")
    #expect(frames[2].unresolved == .noPerfMap)
    #expect(frames[2].module?.path == "[anon]")
    target.finish()
  }

  @Test func `a stripped program is named by its debug file`() throws {
    let folder = try TemporaryDirectory()
    let program = try build(folder, [])
    let debug = folder.file("target.debug")
    _ = try Command.output(["objcopy", "--only-keep-debug", program, debug])
    _ = try Command.output(["strip", program])
    let stripped = try ELFFile(try MappedFile.open(program))
    let target = try TargetProcess([program])
    let address = try #require(target.addresses["hidden_function"])
    #expect(
      Symbolizer().symbolize(pid: target.pid, [address])[0].unresolved == .noSymbols)
    // By build id.
    let id = try #require(try stripped.buildID)
    let place = folder.file("debug/.build-id/\(id.prefix(2))")
    _ = try Command.output(["mkdir", "-p", place])
    _ = try Command.output(["cp", debug, "\(place)/\(id.dropFirst(2)).debug"])
    var options = Symbolizer.Options()
    options.debugFiles = DebugFiles(folders: [folder.file("debug")])
    let byID = Symbolizer(options: options)
    #expect(byID.symbolize(pid: target.pid, [address])[0].function == "hidden_function")
    target.finish()

    // By link and checksum, without a build id.
    for file in [program, debug] {
      _ = try Command.output(["objcopy", "--remove-section=.note.gnu.build-id", file])
    }
    _ = try Command.output(["objcopy", "--add-gnu-debuglink=" + debug, program])
    let linked = try TargetProcess([program])
    let other = try #require(linked.addresses["hidden_function"])
    #expect(Symbolizer().symbolize(pid: linked.pid, [other])[0].function == "hidden_function")
    // Another file under that name is not taken.
    _ = try folder.write(try contents(ofFile: debug) + [0], to: "target.debug")
    #expect(Symbolizer().symbolize(pid: linked.pid, [other])[0].function == nil)
    linked.finish()
  }

  @Test func `the vdso has the names that readelf finds in it`() throws {
    let maps = try ProcessMaps(parsing: try contents(ofFile: "/proc/self/maps"))
    let vdso = try #require(maps.mappings.first { $0.kind == .vdso })
    let image = try ProcessFile.ownMemory(at: vdso.start, count: Int(vdso.end - vdso.start))
    let folder = try TemporaryDirectory()
    let file = try folder.write(image, to: "vdso.so")
    let symbolizer = Symbolizer()
    var compared = 0
    for line in try Command.output(["readelf", "-sW", file]).split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count == 8, fields[3] == "FUNC", fields[4] == "GLOBAL",
        let address = UInt64(fields[1], radix: 16)
      else { continue }
      let frame = symbolizer.symbolize(pid: getpid(), [vdso.start + address])[0]
      #expect(frame.function == String(fields[7].prefix { $0 != "@" }))
      #expect(frame.module?.path == "[vdso]")
      compared += 1
    }
    #expect(compared >= 3)
  }

  @Test func `this process's Swift functions are named for people`() throws {
    let symbols = try ELFSymbols(
      try ELFFile(try MappedFile.open(try Toolchain.library("libswiftCore.so"))))
    let mangled = "$sSa6appendyyxnF"
    let function = try #require(symbols.functions(named: mangled).first)
    let maps = try ProcessMaps(parsing: try contents(ofFile: "/proc/self/maps"))
    let mapping = try #require(maps.mappings.first { $0.path.hasSuffix("/libswiftCore.so") })
    let file = try ELFFile(try MappedFile.open(mapping.path))
    let offset = try #require(file.fileOffset(ofAddress: function.address))
    let frame = Symbolizer().symbolize(
      pid: getpid(), [mapping.start + offset - mapping.fileOffset])[0]
    #expect(frame.function == "Swift.Array.append(__owned A) -> ()")
    #expect(frame.systemName == mangled)
  }

  @Test func `kernel addresses have the names of kallsyms, and callers are looked up before`()
    throws
  {
    let text = String(decoding: try contents(ofFile: "/proc/kallsyms"), as: UTF8.self)
    let line = try #require(
      text.split(separator: "\n").first { $0.hasSuffix(" T __x64_sys_getppid") })
    let address = try #require(UInt64(line.prefix(16), radix: 16))
    let symbolizer = Symbolizer()
    let frames = symbolizer.symbolizeKernel([[address, address + 5, address, 0x10]])[0]
    #expect(frames[0].function == "__x64_sys_getppid")
    #expect(frames[0].kind == .kernel)
    #expect(frames[0].module?.path == "[kernel]")
    #expect(frames[1].function == "__x64_sys_getppid")
    #expect(frames[1].offset == 5)
    #expect(frames[2].function != "__x64_sys_getppid")
    #expect(frames[3].unresolved == .outsideFunctions)
    #expect(symbolizer.kernelError == nil)
    // Twice when another symbolizer's list was taken first, in which 0x10 was missing.
    let reads = symbolizer.statistics.kernelReads
    #expect(reads == 1 || reads == 2)
    // What a list did not have is looked for once in a fresh one: a module may have been loaded.
    for _ in 0..<3 { _ = symbolizer.symbolizeKernel([[0x20]]) }
    #expect(symbolizer.statistics.kernelReads == reads + 1)
    // Another takes the list in use, and sees that it has what it needs.
    let other = Symbolizer()
    #expect(other.symbolizeKernel([[address]])[0][0].function == "__x64_sys_getppid")
    #expect(other.statistics.kernelReads == 1)
  }

  @Test func `a command name with blanks and parentheses does not shift the start time`() throws {
    let stat =
      "12 (a b) c) S 1 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3 26 27 28 29 30 31 "
      + "32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 0\n"
    let status = try #require(ProcessStatus(parsing: Array(stat.utf8)))
    #expect(status.startTime == 987_654)
    let factor = Symbolizer.Program.imageFactor
    #expect(status.image == ((26 &* factor &+ 27) &* factor &+ 28) &* factor &+ 47)
    #expect(ProcessStatus(parsing: Array("12 (a".utf8)) == nil)
    #expect(ProcessStatus(parsing: Array(stat.prefix(100).utf8)) == nil)
    #expect(ProcessStatus.namespaceID(Array("Name:\tx\nNSpid:\t4242\t17\t3\n".utf8)) == 3)
    #expect(try ProcessStatus(pid: getpid()).startTime > 0)
    #expect(try ProcessStatus.namespaceID(of: getpid()) == getpid())
  }

  @Test func `the kernel's frames have the build id that perf finds`() throws {
    let line = try Command.output(["grep", "-m1", " T vfs_read$", "/proc/kallsyms"])
    let address = try #require(UInt64(line.prefix { $0 != " " }, radix: 16))
    let frame = try #require(Symbolizer().symbolizeKernel([[address]])[0].first)
    #expect(frame.function == "vfs_read")
    let expected = try Command.output(["perf", "buildid-list", "--kernel"]).prefix(40)
    #expect(frame.module.map { $0.buildID } == String(expected))
  }
}
