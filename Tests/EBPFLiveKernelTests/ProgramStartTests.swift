import EBPF
import EBPFSystem
import EBPFTracers
import Glibc
import Profiles
import TestSupport
import Testing

/// Programs that are held where they begin.
@Suite(.serialized) struct ProgramStartTests {
  /// Runs a program, calling `body` wherever it is held; returns how it ended.
  private func run(
    _ arguments: [String], _ body: (_ process: Int32, ProgramStart) throws -> Void
  ) throws -> EBPFSystem.ExitStatus {
    let child = try ChildProcess(arguments)
    let start = try ProgramStart(of: child)
    try child.release(watchedBy: start)
    while !start.isOver {
      if start.isHeld() {
        try body(child.id, start)
        start.proceed()
      } else {
        sched_yield()
      }
    }
    return try child.wait()
  }

  private static func unwind(_ kind: String) throws -> [String] {
    [try StoppedProcess.workload(kind), "recursion", "0.01", "now"]
  }

  /// Whether a process has the C library, or its loader, mapped to execute.
  private func code(of process: Int32) throws -> (loader: Bool, library: Bool) {
    let lines = try SystemFile.lines("/proc/\(process)/maps").filter { $0.contains(" r-xp ") }
    return (lines.contains { $0.contains("/ld-linux") }, lines.contains { $0.contains("/libc.so") })
  }

  @Test func `it is held before its first instruction, and when its libraries are there`() throws {
    var seen: [[Bool]] = []
    let status = try run(try Self.unwind("unwind")) { process, _ in
      let code = try code(of: process)
      seen.append([code.loader, code.library])
      #expect(try SystemFile.text("/proc/\(process)/stat").contains(") t "))
    }
    #expect(seen == [[true, false], [true, true]])
    #expect(status == .exited(0))
  }

  @Test func `a static program is held once, a script in its interpreter`() throws {
    var places = 0
    #expect(try run(try Self.unwind("unwind-static")) { _, _ in places += 1 } == .exited(0))
    #expect(places == 1)

    let folder = try TemporaryDirectory()
    let script = folder.file("script")
    try OutputFile.write(Array("#!/bin/sh\nexit 7\n".utf8), path: script)
    chmod(script, 0o755)
    var libraries: [Bool] = []
    let status = try run([script]) { process, _ in
      libraries.append(try code(of: process).library)
    }
    #expect(status == .exited(7))
    #expect(libraries == [false, true])
  }

  @Test func `a program that is not there is refused as without a watcher`() throws {
    let child = try ChildProcess(["/nowhere/program"])
    let start = try ProgramStart(of: child)
    #expect(throws: Errno.noEntry) { try child.release(watchedBy: start) }
    #expect(start.isOver)
    #expect(try child.wait() == .exited(127))
  }

  @Test(arguments: [1, 2])
  func `a signal to a program that is held does what it does without`(place: Int) throws {
    var places = 0
    let status = try run(try Self.unwind("unwind")) { process, _ in
      places += 1
      if places == place { kill(process, SIGTERM) }
    }
    #expect(places == place)
    #expect(status == .killed(signal: SIGTERM))
  }

  @Test(arguments: [0, 1, 2])
  func `it can be let go wherever it is`(place: Int) throws {
    var places = 0
    let child = try ChildProcess(try Self.unwind("unwind"))
    let start = try ProgramStart(of: child)
    try child.release(watchedBy: start)
    while places < place {
      guard start.isHeld() else { continue }
      places += 1
      if places < place { start.proceed() }
    }
    start.letGo()
    #expect(start.isOver)
    #expect(try child.wait() == .exited(0))
  }

  @Test func `a child that is never released has not run when its watcher is gone`() throws {
    let folder = try TemporaryDirectory()
    let witness = folder.file("witness")
    var process: Int32 = 0
    do {
      let child = try ChildProcess(["touch", witness])
      process = child.id
      _ = try ProgramStart(of: child)
    }
    #expect(access(witness, F_OK) != 0)
    // Nor is it left for somebody to wait for.
    #expect(waitpid(process, nil, WNOHANG) == -1 && errno == ECHILD)
  }

  @Test func `a profiler that looks at a program there has its first stacks`() throws {
    let child = try ChildProcess(try Self.unwind("unwind"))
    var configuration = CPUProfilerConfiguration()
    configuration.frequency = 997
    configuration.filter.follow(child.id)
    configuration.stacks = .user
    let profiler = CPUProfiler(configuration)
    #expect(throws: EBPFError.self) { try profiler.prepare(child.id) }
    try profiler.start()
    let start = try ProgramStart(of: child)
    try child.release(watchedBy: start)
    while !start.isOver {
      guard start.isHeld() else { continue }
      try profiler.prepare(child.id)
      start.proceed()
    }
    #expect(try child.wait() == .exited(0))
    let result = try profiler.stop()
    // All of the program's own code, however short it runs: ten milliseconds.
    let own = result.profile.samples.filter { sample in
      result.profile.stacks[sample.stack].contains { result.profile.frames[$0].name == "leaf" }
    }
    #expect(!own.isEmpty)
    for sample in own {
      let names = result.profile.stacks[sample.stack].compactMap { result.profile.frames[$0].name }
      #expect(names.filter { $0 == "recurse" }.count == 100)
      #expect(names.contains("main"))
    }
  }
}
