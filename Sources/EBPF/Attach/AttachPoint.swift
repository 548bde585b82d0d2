/// Where in the kernel, or in a program, a BPF program is to run.
///
/// It says *where*; ``Program/attach(_:)`` picks *how* from what the kernel can do.
public struct AttachPoint: Sendable, Hashable {
  enum Kind: Sendable, Hashable {
    case perfEvent(PerfEventSpec, PerfEventScope)
    case tracepoint(category: String, name: String)
    case rawTracepoint(String)
    case tracing
    case iterator([UInt8])
    case kprobe(KernelProbe)
    case kprobeMulti([String], atReturn: Bool)
    case uprobe(UserProbe)
    case uprobeMulti(UserProbe, places: [UserProbe.Location])
    case usdt(StaticProbe)
    case cgroup(path: String, flags: UInt32)
    case networkNamespace(path: String)
    case interface(index: Int32, flags: UInt32)
    case structOps(String)
    case function(String, of: TargetProgram)
  }

  let kind: Kind
  /// A number the program reads back with `bpf_get_attach_cookie` (5.15; tracing and raw tracepoints
  /// later); 0 for none.
  public var cookie: UInt64 = 0

  init(_ kind: Kind) { self.kind = kind }

  /// This point with a cookie.
  public func withCookie(_ cookie: UInt64) -> AttachPoint {
    var point = self
    point.cookie = cookie
    return point
  }
}

/// A place in the kernel's code.
public struct KernelProbe: Sendable, Hashable {
  /// The function.
  public var function: String
  /// Bytes from its start.
  public var offset: UInt64
  /// At its return instead of its entry.
  public var atReturn: Bool
}

/// A place in a user program's or library's code.
public struct UserProbe: Sendable, Hashable {
  /// Which file has the code.
  public enum Binary: Sendable, Hashable {
    /// The file at a path.
    case path(String)
    /// A library by its `soname` (`libc.so.6`), as the process's, or else this system's, loader
    /// would find it.
    case library(String)
    /// The executable that a process runs.
    case process(Int32)
  }

  /// Where in the file.
  public enum Location: Sendable, Hashable {
    /// A function, `name` or `name@VERSION`, and bytes from its start.
    case symbol(String, offset: UInt64)
    /// An offset in the file.
    case fileOffset(UInt64)
  }

  /// Which file.
  public var binary: Binary
  /// Where in it.
  public var location: Location
  /// Only in this process; nil for every process that has the file mapped.
  public var process: Int32?
  /// At the function's return instead of its entry.
  public var atReturn: Bool
  /// Where in the file the 16-bit counter is that says somebody listens (USDT); 0 for none.
  public var semaphore: UInt64 = 0
}

/// A USDT probe: a place that a program's author has marked and given a name.
public struct StaticProbe: Sendable, Hashable {
  /// Which file has it.
  public var binary: UserProbe.Binary
  /// Who offers it: `libc`, `postgresql`.
  public var provider: String
  /// Its name.
  public var name: String
  /// Only in this process; nil for every process that has the file mapped.
  public var process: Int32?
}

// MARK: - The places

extension AttachPoint {
  /// A performance event: a clock, page faults, a hardware counter. Linux 4.9, `CONFIG_PERF_EVENTS`.
  public static func perfEvent(
    _ event: PerfEventSpec, on scope: PerfEventScope = .everyCPU
  ) -> AttachPoint {
    AttachPoint(.perfEvent(event, scope))
  }

  /// A tracepoint with the layout that tracefs shows. Linux 4.7, `CONFIG_BPF_EVENTS`; needs a
  /// readable tracefs.
  public static func tracepoint(_ category: String, _ name: String) -> AttachPoint {
    AttachPoint(.tracepoint(category: category, name: name))
  }

  /// A tracepoint with its raw arguments. Linux 4.17; needs no tracefs.
  public static func rawTracepoint(_ name: String) -> AttachPoint {
    AttachPoint(.rawTracepoint(name))
  }

  /// What the program named when it was loaded: a BTF-typed tracepoint (`tp_btf`), a function's entry
  /// or exit (`fentry`, `fexit`, `fmod_ret`), a security hook (`lsm`). Linux 5.5, LSM 5.7.
  public static let loadedTarget = AttachPoint(.tracing)

  /// The iterator that the program named when it was loaded; read it with ``Link/readIterator()``.
  /// Linux 5.8. `target` is a `union bpf_iter_link_info`, empty for everything.
  public static func iterator(target: [UInt8] = []) -> AttachPoint {
    AttachPoint(.iterator(target))
  }

  /// A kernel function's entry, or an instruction inside it. `CONFIG_KPROBES`.
  public static func kprobe(_ function: String, offset: UInt64 = 0) -> AttachPoint {
    AttachPoint(.kprobe(KernelProbe(function: function, offset: offset, atReturn: false)))
  }

  /// A kernel function's return. `CONFIG_KPROBES`.
  public static func kretprobe(_ function: String) -> AttachPoint {
    AttachPoint(.kprobe(KernelProbe(function: function, offset: 0, atReturn: true)))
  }

  /// Several kernel functions through one link. Linux 5.18, `CONFIG_FPROBE`; the program has to be
  /// loaded for it (section `kprobe.multi`).
  ///
  /// A name with `*` or `?` stands for every function it matches that the kernel can trace.
  public static func kprobeMulti(_ functions: [String], atReturn: Bool = false) -> AttachPoint {
    AttachPoint(.kprobeMulti(functions, atReturn: atReturn))
  }

  /// A user function's entry, or an instruction inside it. `CONFIG_UPROBES`; through a perf event
  /// it needs `CAP_SYS_ADMIN`, through `uprobe.multi` (6.6) `CAP_BPF` and `CAP_PERFMON`.
  public static func uprobe(
    _ binary: UserProbe.Binary, symbol: String, offset: UInt64 = 0, process: Int32? = nil
  ) -> AttachPoint {
    uprobe(binary, .symbol(symbol, offset: offset), process, atReturn: false)
  }

  /// An instruction of a user program, by its offset in the file.
  public static func uprobe(
    _ binary: UserProbe.Binary, fileOffset: UInt64, process: Int32? = nil
  ) -> AttachPoint {
    uprobe(binary, .fileOffset(fileOffset), process, atReturn: false)
  }

  /// A user function's return. Refused for Go programs, whose stacks move under the return address.
  public static func uretprobe(
    _ binary: UserProbe.Binary, symbol: String, process: Int32? = nil
  ) -> AttachPoint {
    uprobe(binary, .symbol(symbol, offset: 0), process, atReturn: true)
  }

  /// A user function's return, the function given by its offset in the file.
  public static func uretprobe(
    _ binary: UserProbe.Binary, fileOffset: UInt64, process: Int32? = nil
  ) -> AttachPoint {
    uprobe(binary, .fileOffset(fileOffset), process, atReturn: true)
  }

  /// Several functions of one file through one link. Linux 6.6; before, by one performance event for
  /// each. The program has to be loaded for it (section `uprobe.multi`).
  public static func uprobeMulti(
    _ binary: UserProbe.Binary, symbols: [String], process: Int32? = nil, atReturn: Bool = false
  ) -> AttachPoint {
    uprobeMulti(binary, symbols.map { .symbol($0, offset: 0) }, process, atReturn: atReturn)
  }

  /// Several instructions of one file, by their offsets in it, through one link.
  public static func uprobeMulti(
    _ binary: UserProbe.Binary, fileOffsets: [UInt64], process: Int32? = nil,
    atReturn: Bool = false
  ) -> AttachPoint {
    uprobeMulti(binary, fileOffsets.map { .fileOffset($0) }, process, atReturn: atReturn)
  }

  private static func uprobeMulti(
    _ binary: UserProbe.Binary, _ places: [UserProbe.Location], _ process: Int32?, atReturn: Bool
  ) -> AttachPoint {
    let probe = UserProbe(
      binary: binary, location: .fileOffset(0), process: process, atReturn: atReturn)
    return AttachPoint(.uprobeMulti(probe, places: places))
  }

  /// A USDT probe (`<sys/sdt.h>`), at every place of the file that bears its name; its semaphore, if
  /// it has one, is held meanwhile. Linux 5.15.
  ///
  /// The program is told where the arguments are through the map `__bpf_usdt_specs`, laid out as
  /// libbpf's `usdt.bpf.h` reads it; the cookie is the one that `bpf_usdt_cookie` returns.
  public static func usdt(
    _ binary: UserProbe.Binary, provider: String, name: String, process: Int32? = nil
  ) -> AttachPoint {
    AttachPoint(
      .usdt(StaticProbe(binary: binary, provider: provider, name: name, process: process)))
  }

  /// A control group, by its directory in cgroup2. Linux 5.7 for links.
  public static func cgroup(_ path: String, flags: UInt32 = 0) -> AttachPoint {
    AttachPoint(.cgroup(path: path, flags: flags))
  }

  /// A network namespace, by a path such as `/proc/self/ns/net` (flow dissectors, socket look-up).
  public static func networkNamespace(_ path: String) -> AttachPoint {
    AttachPoint(.networkNamespace(path: path))
  }

  /// A network interface, by index: XDP (5.9), tcx (6.6).
  public static func interface(_ index: Int32, flags: UInt32 = 0) -> AttachPoint {
    AttachPoint(.interface(index: index, flags: flags))
  }

  /// A function of another program, for programs of section `freplace` (Linux 5.10): another one than
  /// the program was loaded for, or the same one again. The two have to have the same signature.
  public static func function(_ name: String, of target: TargetProgram) -> AttachPoint {
    AttachPoint(.function(name, of: target))
  }

  private static func uprobe(
    _ binary: UserProbe.Binary, _ location: UserProbe.Location, _ process: Int32?, atReturn: Bool
  ) -> AttachPoint {
    AttachPoint(
      .uprobe(
        UserProbe(binary: binary, location: location, process: process, atReturn: atReturn)))
  }
}

// MARK: - Description

extension AttachPoint: CustomStringConvertible {
  /// What messages call it: `kprobe tcp_connect`.
  public var description: String {
    switch kind {
    case .perfEvent(let event, _): "perf event \(event.name)"
    case .tracepoint(let category, let name): "tracepoint \(category):\(name)"
    case .rawTracepoint(let name): "raw tracepoint \(name)"
    case .tracing: "the target it was loaded for"
    case .iterator: "iterator"
    case .kprobe(let probe): "\(probe)"
    case .kprobeMulti(let functions, let atReturn):
      "\(atReturn ? "kretprobe" : "kprobe").multi \(functions.joined(separator: ","))"
    case .uprobe(let probe): "\(probe)"
    case .uprobeMulti(let probe, let places):
      "\(probe.atReturn ? "uretprobe" : "uprobe").multi \(probe.binary):"
        + places.map(\.description).joined(separator: ",")
    case .usdt(let probe): "usdt \(probe.binary):\(probe.provider):\(probe.name)"
    case .cgroup(let path, _): "control group \(path)"
    case .networkNamespace(let path): "network namespace \(path)"
    case .interface(let index, _): "interface \(index)"
    case .structOps(let structure): "struct_ops \(structure)"
    case .function(let name, let target): "function '\(name)' of \(target)"
    }
  }
}

extension KernelProbe: CustomStringConvertible {
  /// `kprobe tcp_connect+16`.
  public var description: String {
    "\(atReturn ? "kretprobe" : "kprobe") \(function)\(offset == 0 ? "" : "+\(offset)")"
  }
}

extension UserProbe: CustomStringConvertible {
  /// `uprobe /usr/lib/libc.so.6:malloc`.
  public var description: String {
    "\(atReturn ? "uretprobe" : "uprobe") \(binary):\(location)"
  }
}

extension UserProbe.Location: CustomStringConvertible {
  /// `malloc`, `malloc+16` or `0x98930`.
  public var description: String {
    switch self {
    case .symbol(let name, let offset): name + (offset == 0 ? "" : "+\(offset)")
    case .fileOffset(let offset): "0x" + String(offset, radix: 16)
    }
  }
}

extension UserProbe.Binary: CustomStringConvertible {
  /// The path, the library's name, or `process 123`.
  public var description: String {
    switch self {
    case .path(let path): path
    case .library(let name): name
    case .process(let id): "process \(id)"
    }
  }
}
