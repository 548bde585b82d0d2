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
    outer = Dictionary(
      try ProcessNumberReader(kernel: kernel).pairs().map { ($0.inner, $0.outer) },
      uniquingKeysWith: { first, _ in first })
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

/// The program that lists the processes of this process's pid namespace, loaded as long as it is there.
final class ProcessNumberReader: Sendable {
  private let object: LoadedObject
  private let links = Links()
  private static let program = "list_processes"

  init(kernel: any KernelInterface = LiveKernel()) throws(EBPFError) {
    object = try LoadedObject(
      try ObjectFile(parsing: EmbeddedObject.processNumbers, name: "process_numbers"),
      kernel: kernel)
    do throws(EBPFError) {
      try links.insert(
        try object.program(Self.program).attachBySection(), as: Self.program)
    } catch {
      object.unload()
      throw error
    }
  }

  deinit {
    links.detachAll()
    object.unload()
  }

  /// Every process of the namespace, by both numbers.
  func pairs() throws(EBPFError) -> [(outer: Int32, inner: Int32)] {
    let bytes = try links.withLink(Self.program) { (link) throws(EBPFError) in
      try link.readIterator()
    }
    let size = MemoryLayout<NumberPair>.stride
    return stride(from: 0, through: bytes.count - size, by: size).compactMap { offset in
      BitwiseBytes.load(NumberPair.self, from: bytes.span.rawBytes, at: offset).map {
        (Int32(truncatingIfNeeded: $0.outer), Int32(truncatingIfNeeded: $0.inner))
      }
    }
  }
}

/// `struct process_numbers`.
private struct NumberPair: BitwiseCopyable {
  var outer: UInt32
  var inner: UInt32
}
