internal import EBPF
internal import EBPFSystem

/// Where allocations are seen.
enum AllocationSource: Sendable {
  /// Nowhere: they are not recorded.
  case none
  /// In the functions of allocators; `refusal` says why not by the process's own probes, where it was
  /// asked.
  case allocators([AllocatorFile], refusal: TracerHook.Refusal?)
  /// In static probes by which processes tell of allocations that they picked themselves.
  case staticProbes([StaticProbeFile])

  /// True where processes tell of allocations themselves.
  var usesStaticProbes: Bool {
    if case .staticProbes = self { true } else { false }
  }

  /// Why they do not, where they were asked.
  var refusal: TracerHook.Refusal? {
    if case .allocators(_, let refusal) = self { refusal } else { nil }
  }

  /// The programs to load.
  var programs: Set<String> {
    switch self {
    case .none: []
    case .allocators: AllocatorProbes.programs
    case .staticProbes: StaticProbeFile.programs
    }
  }
}

/// A file with the static probes `otel_memory:alloc` and `otel_memory:free`.
struct StaticProbeFile: Sendable {
  static let provider = "otel_memory"
  /// Each probe, and the program for it; what ends something comes first.
  static let probes = [("free", "memory_probe_free"), ("alloc", "memory_probe_alloc")]
  /// The programs.
  static let programs = Set(probes.map(\.1))
  /// What hooks call them.
  static let description = "USDT \(provider):alloc and \(provider):free"

  /// A path that can be opened.
  let path: String
  /// The path as its process knows it.
  let name: String
  let identity: AllocatorFile.Identity

  /// Looks for the probes; nil when the file has not both of them.
  init?(path: String, name: String) throws(EBPFError) {
    let bytes: Bytes
    let status: FileStatus
    do throws(Errno) {
      status = try FileStatus(path: path)
      bytes = try MappedFile.open(path)
    } catch {
      throw EBPFError(
        error == .noEntry ? .notFound : .denied, "the file cannot be read: \(error.text)",
        context: [.file(name)],
        systemCall: .init(call: "open", errno: error.rawValue, name: error.name))
    }
    let names = try EBPFError.at(.file(name)) { () throws(EBPFError) in
      Set(try ELFFile(bytes).usdtProbes().filter { $0.provider == Self.provider }.map(\.name))
    }
    guard Self.probes.allSatisfy({ names.contains($0.0) }) else { return nil }
    self.path = path
    self.name = name
    identity = AllocatorFile.Identity(device: status.device, inode: status.inode)
  }
}
