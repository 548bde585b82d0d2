internal import CEBPF

/// The capabilities that BPF and performance events ask for (`linux/capability.h`).
public enum Capability: UInt64, Sendable, Hashable, CaseIterable {
  /// `CAP_DAC_READ_SEARCH`: tracefs for others than root.
  case readSearch = 2
  /// `CAP_NET_ADMIN`: network programs.
  case networkAdministration = 12
  /// `CAP_IPC_LOCK`: performance buffers beyond the memory-lock limit.
  case lockMemory = 14
  /// `CAP_SYS_PTRACE`: looking into other users' processes.
  case trace = 19
  /// `CAP_SYS_ADMIN`: everything below, and ids, statistics, uprobes by PMU.
  case systemAdministration = 21
  /// `CAP_SYS_RESOURCE`: raising the memory-lock limit.
  case systemResources = 24
  /// `CAP_SYSLOG`: kernel addresses in /proc/kallsyms.
  case systemLog = 34
  /// `CAP_PERFMON` (5.8): tracing programs and performance events.
  case performanceMonitoring = 38
  /// `CAP_BPF` (5.8): maps and programs.
  case bpf = 39
  /// `CAP_CHECKPOINT_RESTORE` (5.9): the files that other processes have mapped.
  case checkpointRestore = 40

  /// The name in C.
  public var name: String {
    switch self {
    case .readSearch: "CAP_DAC_READ_SEARCH"
    case .networkAdministration: "CAP_NET_ADMIN"
    case .lockMemory: "CAP_IPC_LOCK"
    case .trace: "CAP_SYS_PTRACE"
    case .systemAdministration: "CAP_SYS_ADMIN"
    case .systemResources: "CAP_SYS_RESOURCE"
    case .systemLog: "CAP_SYSLOG"
    case .performanceMonitoring: "CAP_PERFMON"
    case .bpf: "CAP_BPF"
    case .checkpointRestore: "CAP_CHECKPOINT_RESTORE"
    }
  }
}

extension CurrentProcess {
  /// The effective capabilities of this thread, as far as ``Capability`` knows them.
  public static func capabilities() throws(Errno) -> Set<Capability> {
    var mask: UInt64 = 0
    // SAFETY: the mask is written to a local variable.
    _ = try Errno.check(unsafe cebpf_effective_capabilities(&mask))
    return Set(Capability.allCases.filter { mask >> $0.rawValue & 1 == 1 })
  }

  /// Leaves every thread of this process no more than these, for good, and lets no program that it
  /// executes gain anything by its file.
  public static func limitCapabilities(to kept: Set<Capability>) throws(Errno) {
    _ = try Errno.check(cebpf_limit_capabilities(mask(kept)))
  }

  /// Makes this process, which must have one thread, one of another user and group, with these of the
  /// capabilities that it had.
  public static func becomeUser(
    _ user: UInt32, group: UInt32, keeping kept: Set<Capability>
  ) throws(Errno) {
    _ = try Errno.check(cebpf_become_user(user, group))
    _ = try Errno.check(cebpf_limit_thread_capabilities(mask(kept)))
  }

  private static func mask(_ capabilities: Set<Capability>) -> UInt64 {
    capabilities.reduce(0) { $0 | 1 << $1.rawValue }
  }
}
