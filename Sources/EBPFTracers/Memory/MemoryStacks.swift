internal import EBPF
internal import EBPFSystem

/// How a memory tracer takes user stacks: which of the two objects it loads, and why.
struct MemoryStacks: Sendable {
  /// True by unwind tables.
  let walks: Bool
  /// How the need was met; empty where no stacks are taken.
  let hook: [TracerHook]

  private static let need = "user stacks"
  private static let tables = "unwind tables (.eh_frame)"
  private static let framePointers = "frame pointers"

  init(_ configuration: MemoryTracerConfiguration, kernel: any KernelInterface) {
    guard configuration.takesStacks else {
      walks = false
      hook = []
      return
    }
    let refusal = MemoryStacks.whyNot(configuration, kernel)
    walks = refusal == nil
    hook = [
      TracerHook(
        need: MemoryStacks.need,
        used: walks ? MemoryStacks.tables : MemoryStacks.framePointers,
        refused: refusal.map { [TracerHook.Refusal(hook: MemoryStacks.tables, why: $0)] } ?? [])
    ]
  }

  /// The programs.
  func object() throws(EBPFError) -> ObjectFile {
    walks
      ? try ObjectFile(parsing: EmbeddedObject.memoryWalking, name: "memory_walking")
      : try ObjectFile(parsing: EmbeddedObject.memory, name: "memory")
  }

  /// `bpf_loop` (include/uapi/linux/bpf.h).
  private static let loop: Int32 = 181

  /// Why stacks cannot be walked by table, or are not; nil where they are.
  private static func whyNot(
    _ configuration: MemoryTracerConfiguration, _ kernel: any KernelInterface
  ) -> String? {
    guard configuration.unwinding == .automatic else { return "turned off" }
    guard configuration.allocations != .none || !configuration.filter.processes.isEmpty else {
      return "only for processes named by id: those of every program would cost more than all else"
    }
    #if arch(x86_64)
      let answer = KernelFeatures(kernel: kernel).helper(loop, in: .kprobe)
      return answer.verdict == .yes ? nil : answer.reason
    #else
      return "the tables are there for x86-64 only"
    #endif
  }
}

extension MemoryTracerConfiguration {
  /// ``unwindBytes`` in rows.
  var unwindRows: UInt32 { UInt32(clamping: max(unwindBytes / 8, 1)) }
}
