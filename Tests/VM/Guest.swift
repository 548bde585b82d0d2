import EBPF
import EBPFSystem
import Glibc
import TestSupport

/// The machine that the checks run on; `scripts/lib/vm.sh` puts it together.
enum Guest {
  /// The kernel's release.
  static let release: String = {
    do throws(Errno) { return try MachineNames.current().release } catch { return "" }
  }()
  /// Which of the two kernels this is. The older one has no `kprobe.multi` (5.18, but the option is
  /// off) and no `uprobe.multi` (6.6).
  static let isOld = release.hasPrefix("6.1.")

  static let syscalls = "/bin/syscalls"
  static let manyCalls = "/bin/many_calls"
  static let compatCalls = "/bin/compat_calls"
  static let network = "/bin/network"
  static let sockets = "/bin/sockets"
  static let unwind = "/bin/unwind"
  static let memory = "/bin/memory"
  static let mappings32 = "/bin/mappings-32"
  static let allocations = "/bin/allocations"
  static let callers = "/bin/callers"
  static let cpu = "/bin/cpu"
  static let waits = "/bin/waits"
  static let processes = "/bin/processes"
  static let otelMemory = "/bin/otel-memory"
  static let threadContext = "/bin/thread-context"
  static let command = "/bin/ebpf"

  /// An object of Tests/Fixtures, parsed.
  static func object(_ name: String) throws -> ObjectFile {
    try ObjectFile(
      parsing: Bytes(try contents(ofFile: "/fixtures/\(name).bpf.o")), name: name + ".bpf.o")
  }

  /// The same, loaded.
  static func load(
    _ name: String, kernel: any KernelInterface = LiveKernel(),
    _ change: (inout LoadOptions) -> Void = { _ in }
  ) throws -> LoadedObject {
    var options = LoadOptions()
    change(&options)
    return try LoadedObject(try object(name), options: options, kernel: kernel)
  }

  /// The text of a small file.
  static func text(_ path: String) throws -> String {
    String(decoding: try contents(ofFile: path), as: UTF8.self)
  }

  /// Writes one of the kernel's settings.
  static func write(_ path: String, _ value: String) throws {
    try SystemFile.write(path, value, flags: SystemFile.append)
  }

  /// Runs `body` while one of the kernel's settings is another.
  static func with(_ path: String, _ value: String, _ body: () throws -> Void) throws {
    let before = try text(path)
    try write(path, value)
    let result = Result(catching: body)
    try write(path, before)
    try result.get()
  }
}

/// The running kernel without some of the ways it has to attach a probe.
final class OlderKernel: ForwardingKernel {
  private let hasEventLinks: Bool
  private let hasProbeUnits: Bool
  private let probeUnits: Set<UInt32>

  /// - Parameters:
  ///   - hasEventLinks: `BPF_LINK_CREATE` on performance events (5.15).
  ///   - hasProbeUnits: performance units for kprobes and uprobes that work (4.17).
  init(hasEventLinks: Bool, hasProbeUnits: Bool) throws {
    self.hasEventLinks = hasEventLinks
    self.hasProbeUnits = hasProbeUnits
    probeUnits = Set(
      try ["kprobe", "uprobe"].map { unit in
        let text = try Guest.text("/sys/bus/event_source/devices/\(unit)/type")
        return try require(UInt32(text.filter(\.isNumber)), "the number of unit \(unit): \(text)")
      })
  }

  func createLink(_ request: LinkRequest) throws(Errno) -> OwnedDescriptor {
    if !hasEventLinks, case .perfEvent = request.detail { throw .invalid }
    return try LiveKernel().createLink(request)
  }

  func openPerfEvent(
    _ request: PerfEventRequest, process: Int32, cpu: Int32, flags: UInt64
  ) throws(Errno) -> OwnedDescriptor {
    if !hasProbeUnits, probeUnits.contains(request.type) { throw .notSupported }
    return try LiveKernel().openPerfEvent(request, process: process, cpu: cpu, flags: flags)
  }
}
