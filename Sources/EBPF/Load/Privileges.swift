internal import EBPFSystem

/// Which capabilities the kernel asks for, to explain a refusal; never to predict one.
enum Privileges {
  /// For loading a program (`bpf_prog_load` in the kernel).
  static func needed(for type: ProgramType) -> [Capability] {
    switch type {
    case .kprobe, .tracepoint, .perfEvent, .rawTracepoint, .rawTracepointWritable, .tracing, .lsm,
      .structOps, .replacement:
      [.bpf, .performanceMonitoring]
    case .socketFilter, .cgroupSKB, .systemCall: [.bpf]
    default: [.bpf, .networkAdministration]
    }
  }

  /// False in a container with its own user namespace, where capabilities are worth less.
  static var isInInitialUserNamespace: Bool {
    do throws(Errno) {
      let words = try SystemFile.text("/proc/self/uid_map", limit: 4096)
        .split(whereSeparator: \.isWhitespace)
      return words.elementsEqual(["0", "0", "4294967295"])
    } catch { return true }
  }
}
