#if OTLPExporter
  internal import AgentConfiguration
  internal import EBPFSystem

  /// What an agent keeps of its privileges once it runs.
  enum AgentPrivileges {
    /// To look into processes that come later, and to start a tracer again.
    private static let always: Set<Capability> = [
      .bpf, .performanceMonitoring, .trace, .readSearch, .systemLog, .checkpointRestore,
    ]

    static func needed(by configuration: AgentConfiguration) -> Set<Capability> {
      // Probes of a process's functions take a performance event where the kernel has no uprobe links,
      // and at level 3 no performance event is for others: capabilities(7), perf_event_open(2).
      if configuration.memory?.sampleBytes != nil || isParanoid {
        return always.union([.systemAdministration])
      }
      return always
    }

    private static var isParanoid: Bool {
      do throws(Errno) {
        return try SystemFile.integer("/proc/sys/kernel/perf_event_paranoid") > 2
      } catch { return true }
    }
  }
#endif
