internal import EBPF
internal import EBPFSystem

/// Process ids between two pid namespaces: this process's, in which users think, and the initial one,
/// in which BPF programs do.
struct ProcessNumbers {
  /// No process has this id: the kernel's limit is 2^22.
  private static let nobody = Int32.max
  /// `PROC_PID_INIT_INO` (include/linux/proc_ns.h).
  private static let initialNamespace: UInt64 = 0xefff_fffc

  /// True when this process is in the initial pid namespace, so that every process has an id in it.
  static var seesAllProcesses: Bool {
    // Without /proc nobody can tell; hardly any system without it has namespaces.
    do throws(Errno) {
      return try FileStatus(path: "/proc/self/ns/pid").inode == initialNamespace
    } catch { return true }
  }

  /// By the id in this process's namespace.
  private let outer: [Int32: Int32]?

  /// Asks the kernel, if this process is not in the initial namespace; that takes a few milliseconds.
  init(kernel: any KernelInterface = LiveKernel()) throws(EBPFError) {
    guard !ProcessNumbers.seesAllProcesses else {
      outer = nil
      return
    }
    let object = try LoadedObject(
      try ObjectFile(parsing: EmbeddedObject.processNumbers, name: "process_numbers"),
      kernel: kernel)
    defer { object.unload() }
    let link = try object.program("list_processes").attachBySection()
    let bytes = try link.readIterator()
    var outer: [Int32: Int32] = [:]
    for offset in stride(from: 0, through: bytes.count - 8, by: 8) {
      guard
        let pair = BitwiseBytes.load(
          NumberPair.self, from: bytes.span.rawBytes, at: offset)
      else { break }
      outer[Int32(truncatingIfNeeded: pair.inner)] = Int32(truncatingIfNeeded: pair.outer)
    }
    self.outer = outer
  }

  /// The id that BPF programs see; one that no process has where there is no such process.
  func outer(_ process: Int32) -> Int32 {
    guard let outer else { return process }
    return outer[process] ?? ProcessNumbers.nobody
  }

  /// The same for every process of a filter.
  func outer(_ filter: TracerFilter) -> TracerFilter {
    var filter = filter
    filter.processes = Set(filter.processes.map { outer($0) })
    return filter
  }
}

/// `struct process_numbers`.
private struct NumberPair: BitwiseCopyable {
  var outer: UInt32
  var inner: UInt32
}
