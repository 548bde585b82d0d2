import EBPF
import EBPFSystem
import EBPFTracers

/// Whether tracers start, and what else works, for an ordinary user with some capabilities: found by
/// being that user, in a process of its own.
struct PrivilegeTrial {
  /// What works. The exit status of the process says it, so that nothing else has to be passed.
  struct Findings: OptionSet, Hashable {
    let rawValue: UInt8
    /// All tracers start.
    static let starts = Findings(rawValue: 1)
    /// Each of them by the hooks that are best here.
    static let bestHooks = Findings(rawValue: 2)
    /// The kernel shows the addresses of its functions.
    static let kernelNames = Findings(rawValue: 4)
    /// The mappings of other users' processes can be read.
    static let otherProcesses = Findings(rawValue: 8)
    /// So can the files that they have mapped, wherever those are.
    static let mappedFiles = Findings(rawValue: 16)
    /// So can files in folders that only their owner may enter.
    static let closedFolders = Findings(rawValue: 32)

    /// Distinguishes findings from the ends of a process that found nothing.
    private static let mark: UInt8 = 0x80

    /// The exit status that says it.
    var status: Int32 { Int32(rawValue | Self.mark) }

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// What a status says; nil when it is another process's end.
    init?(status: Int32) {
      guard let byte = UInt8(exactly: status), byte & Self.mark != 0, byte >> 6 == 2 else {
        return nil
      }
      self.init(rawValue: byte & ~Self.mark)
    }
  }

  /// The user and group `nobody`.
  private static let nobody: UInt32 = 65_534

  let tracers: [CheckCommand.Tracer]
  let kept: Set<Capability>
  /// A process of another user: the one that asks.
  let other: Int32

  /// Becomes the user and looks. Of a process that has done nothing else.
  func run() -> Findings {
    do throws(Errno) {
      try CurrentProcess.becomeUser(Self.nobody, group: Self.nobody, keeping: kept)
    } catch { return [] }
    var findings: Findings = []
    if holds({ () throws(Errno) in !(try SystemFile.read("/proc/\(other)/maps").isEmpty) }) {
      findings.insert(.otherProcesses)
    }
    if holds({ () throws(Errno) in try mapsOpenableFiles(other) }) { findings.insert(.mappedFiles) }
    if holds({ () throws(Errno) in try FileSystem.entries("/proc/\(other)/root/root").count >= 0 })
    {
      findings.insert(.closedFolders)
    }
    if holds({ () throws(Errno) in try showsKernelAddresses() }) { findings.insert(.kernelNames) }
    var hasBestHooks = true
    for tracer in tracers {
      do throws(EBPFError) {
        let hooks = try start(tracer)
        hasBestHooks = hasBestHooks && hooks.allSatisfy(\.refused.isEmpty)
      } catch { return findings }
    }
    findings.insert(.starts)
    if hasBestHooks { findings.insert(.bestHooks) }
    return findings
  }

  private func holds(_ look: () throws(Errno) -> Bool) -> Bool {
    do throws(Errno) { return try look() } catch { return false }
  }

  private func mapsOpenableFiles(_ process: Int32) throws(Errno) -> Bool {
    let folder = "/proc/\(process)/map_files"
    guard let first = try FileSystem.entries(folder).first else { return false }
    _ = try SystemFile.open("\(folder)/\(first)")
    return true
  }

  /// The first lines are of variables for each CPU, whose addresses may be 0.
  private func showsKernelAddresses() throws(Errno) -> Bool {
    let file = try SystemFile.open("/proc/kallsyms")
    while true {
      let text = try SystemFile.beginning(file, count: 65_536)
      if text.isEmpty { return false }
      // A read ends with a line.
      let lines = text.split(separator: UInt8(ascii: "\n"))
      let zero = UInt8(ascii: "0")
      if lines.contains(where: { $0.prefix { $0 != UInt8(ascii: " ") }.contains { $0 != zero } }) {
        return true
      }
    }
  }

  /// Starts one tracer, stops it and returns its hooks.
  private func start(_ tracer: CheckCommand.Tracer) throws(EBPFError) -> [TracerHook] {
    switch tracer {
    case .profile:
      let profiler = CPUProfiler()
      try profiler.start()
      return try profiler.stop().hooks
    case .network:
      let network = NetworkTracer()
      try network.start()
      return try network.stop().hooks
    case .syscalls:
      let syscalls = SyscallTracer()
      try syscalls.start()
      return try syscalls.stop().hooks
    case .memory:
      let memory = MemoryTracer()
      try memory.start()
      return try memory.stop().hooks
    }
  }
}
