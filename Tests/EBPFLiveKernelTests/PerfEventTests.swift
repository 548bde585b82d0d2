import EBPF
import EBPFSystem
import Glibc
import TestSupport
import Testing

@Suite struct PerfEventTests {
  private func sampler() throws -> (LoadedObject, Program) {
    let object = try LoadedObject(LoadedObjectTests.object("perf_event_count.bpf.o"))
    return (object, try object.program("count"))
  }

  /// Fresh pages, touched once each.
  private func touch(pages: Int) {
    let size = pages * Int(getpagesize())
    guard let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      memory != MAP_FAILED
    else { return }
    madvise(memory, size, MADV_NOHUGEPAGE)
    for page in 0..<pages {
      memory.storeBytes(of: 1, toByteOffset: page * Int(getpagesize()), as: UInt8.self)
    }
    munmap(memory, size)
  }

  @Test func `every page fault of this thread fires, and none while paused`() throws {
    let (object, program) = try sampler()
    let link = try program.attach(
      .perfEvent(.pageFaults(), on: .process(0)).withCookie(9))
    let before = try object.variable("total", as: UInt64.self)
    touch(pages: 1024)
    let after = try object.variable("total", as: UInt64.self)
    #expect(after - before >= 1024 && after - before < 1024 + 128)
    #expect(try object.variable("last_cookie", as: UInt64.self) == 9)
    try link.pause()
    let paused = try object.variable("total", as: UInt64.self)
    touch(pages: 1024)
    #expect(try object.variable("total", as: UInt64.self) == paused)
    try link.resume()
    touch(pages: 1024)
    #expect(try object.variable("total", as: UInt64.self) >= paused + 1024)
    try link.detach()
  }

  @Test func `a clock on every CPU samples at its rate, and at another when told`() throws {
    let online = try CPUSet.online().cpus
    // While a CPU idles, its clock may fire and take no sample: each has something to do.
    let busy = try online.map { cpu in
      try StoppedProcess([
        "/usr/bin/taskset", "-c", "\(cpu)", "/bin/sh", "-c", "kill -STOP $$; while :; do :; done",
      ])
    }
    defer { for process in busy { process.send(SIGKILL) } }
    for process in busy { process.resume() }
    let (object, program) = try sampler()
    let link = try program.attach(.perfEvent(.cpuClock(hz: 99)))
    let cpus = UInt64(online.count)
    // A virtual machine may lose a CPU for a while, so a second may have fewer, but none has more: what was
    // missed is not made up for.
    func samples(most hz: UInt64) throws -> UInt64 {
      let start = ContinuousClock.now
      let before = try object.variable("total", as: UInt64.self)
      while ContinuousClock.now - start < .seconds(1) { sched_yield() }
      let count = try object.variable("total", as: UInt64.self) - before
      let elapsed = (ContinuousClock.now - start) / .milliseconds(1)
      #expect(count <= cpus * UInt64(elapsed * Double(hz) / 1000 + 2))
      return count
    }
    try Kernel.eventually { try samples(most: 99) > cpus * 50 }
    try link.setRate(hz: 499)
    try Kernel.eventually { try samples(most: 499) > cpus * 250 }
    try link.detach()
  }

  private func refusal(_ event: PerfEventSpec, on scope: PerfEventScope) throws -> EBPFError {
    let (_, program) = try sampler()
    return try #require(throws: EBPFError.self) {
      try program.attach(.perfEvent(event, on: scope)).detach()
    }
  }

  @Test func `what the machine does not count is said so`() throws {
    let error = try refusal(.cycles(hz: 99), on: .everyCPU)
    #expect(error.code == .unsupported)
    #expect(error.message == "this machine does not count cycles")
    #expect(error.hint?.contains("cpuClock") == true)
  }

  @Test func `a rate above the limit names the limit`() throws {
    let limit = try SystemFile.integer("/proc/sys/kernel/perf_event_max_sample_rate")
    let error = try refusal(.cpuClock(hz: UInt64(limit) + 1), on: .everyCPU)
    #expect(error.message == "\(limit + 1) Hz is more than the kernel allows, which is \(limit) Hz")
    #expect(try refusal(.cpuClock(hz: 0), on: .everyCPU).code == .invalidArgument)
  }

  @Test func `a process that is not there is named`() throws {
    let child = try StoppedProcess(workload: "memory")
    #expect(try child.finish() == 0)
    let error = try refusal(.taskClock(hz: 99), on: .process(child.id))
    #expect(error.message == "there is no process \(child.id)")
  }

  @Test func `only performance events can be paused`() throws {
    let counts = try SyscallCounts("count_raw_tp.bpf.o")
    let link = try counts.object.program("count_enter").attachBySection()
    let error = try #require(throws: EBPFError.self) { try link.pause() }
    #expect(error.code == .unsupported)
    try link.detach()
  }
}

/// Capability 7, on a kernel without kprobes; and what else is refused.
@Suite struct AttachRefusalTests {
  private func refusal(_ fixture: String, _ point: AttachPoint) throws -> EBPFError {
    let object = try LoadedObject(LoadedObjectTests.object(fixture))
    return try #require(throws: EBPFError.self) {
      try object.programs[0].attach(point).detach()
    }
  }

  @Test(.enabled(if: !FileSystem.exists("/sys/bus/event_source/devices/kprobe")))
  func `Capability 7: without kprobes the error says so, and what to use`() throws {
    let error = try refusal("count_kprobe.bpf.o", .kprobe("__x64_sys_getppid"))
    #expect(
      error.description == """
        unsupported: this kernel has no kprobes (CONFIG_KPROBES is off): kprobe __x64_sys_getppid
          program      count_entry
          tried        /sys/bus/event_source/devices/kprobe: ENOENT
          tried        kprobe_events in tracefs: ENOENT
          hint         use a tracepoint, tp_btf or uprobe instead
        """)
  }

  private func multiRefusal(_ point: AttachPoint) throws -> EBPFError {
    var object = try LoadedObjectTests.object("count_kprobe.bpf.o")
    object.programs.removeLast()
    object.programs[0].attachType = .traceKprobeMulti
    let loaded = try LoadedObject(object)
    return try #require(throws: EBPFError.self) { try loaded.programs[0].attach(point).detach() }
  }

  @Test(.enabled(if: KernelFeatures.running.kernelProbesMulti.verdict == .no))
  func `without probes of many functions the error says so, and what to use`() throws {
    let error = try multiRefusal(.kprobeMulti(["vfs_read", "vfs_write"]))
    #expect(
      error.description == """
        unsupported: this kernel has no probes of many functions (CONFIG_FPROBE is off): \
        kprobe.multi vfs_read,vfs_write
          program      count_entry
          system call  bpf(BPF_LINK_CREATE) = EOPNOTSUPP (95)
          hint         use a tracepoint, tp_btf or uprobe instead
        """)
    // A program that was loaded for many takes one, too.
    #expect(try multiRefusal(.kretprobe("vfs_read")).message.hasSuffix("kretprobe vfs_read"))
  }

  @Test func `many functions that cannot be are refused before the kernel is asked`() throws {
    #expect(try multiRefusal(.kprobeMulti([])).message == "there are no functions to attach to")
    #expect(
      try multiRefusal(.kprobeMulti(["no_such_function_*"])).message
        == "no function of the kernel matches 'no_such_function_*'")
    #expect(try multiRefusal(.kprobe("vfs_read", offset: 4)).code == .invalidArgument)
    let single = try refusal("count_kprobe.bpf.o", .kprobeMulti(["vfs_read"]))
    #expect(single.message == "the program was not loaded to run at many functions")
  }

  @Test func `names that cannot be are refused before the kernel is asked`() throws {
    #expect(try refusal("count_kprobe.bpf.o", .kprobe("")).code == .invalidArgument)
    #expect(try refusal("count_kprobe.bpf.o", .kprobe("a b")).code == .invalidArgument)
    #expect(try refusal("count_raw_tp.bpf.o", .rawTracepoint("")).code == .invalidArgument)
    #expect(try refusal("count_tracepoint.bpf.o", .tracepoint("", "x")).code == .invalidArgument)
    #expect(try refusal("count_tracepoint.bpf.o", .tracepoint("a/b", "x")).code == .invalidArgument)
  }

  @Test func `a program of another type is refused`() throws {
    let error = try refusal("count_raw_tp.bpf.o", .kprobe("__x64_sys_getppid"))
    #expect(
      error.message
        == "a program of type raw_tracepoint cannot run at kprobe __x64_sys_getppid")
    #expect(error.hint == "it takes one of type kprobe")
  }

  @Test func `an unknown tracepoint suggests near names`() throws {
    let raw = try refusal("count_raw_tp.bpf.o", .rawTracepoint("sys_entre"))
    #expect(raw.code == .notFound)
    let name = try refusal("count_tracepoint.bpf.o", .tracepoint("raw_syscalls", "sys_entr"))
    #expect(name.hint == "did you mean 'sys_enter'?")
    let category = try refusal("count_tracepoint.bpf.o", .tracepoint("raw_syscall", "sys_enter"))
    #expect(category.message == "there is no tracepoint category 'raw_syscall'")
    #expect(category.hint?.contains("'raw_syscalls'") == true)
  }

  @Test func `the same program twice at one tracepoint is refused in words`() throws {
    let counts = try SyscallCounts("count_tracepoint.bpf.o")
    let program = try counts.object.program("count_enter")
    let first = try program.attachBySection()
    let error = try #require(throws: EBPFError.self) { try program.attachBySection().detach() }
    #expect(error.code == .exists)
    try first.detach()
  }
}
