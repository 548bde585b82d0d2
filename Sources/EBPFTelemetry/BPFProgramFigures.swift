public import EBPF
public import EBPFSystem

/// What the kernel counts of one BPF program.
public struct BPFProgramFigures: Sendable, Hashable {
  /// Its id.
  public var id: UInt32
  /// Its name, 15 bytes at most.
  public var name: String
  /// Its type: `tracing`.
  public var type: String
  /// When it was loaded, in nanoseconds since 1970.
  public var loadTime: UInt64
  /// How often it ran while statistics were on.
  public var runCount: UInt64
  /// How long altogether, in nanoseconds.
  public var runNanoseconds: UInt64

  /// Creates figures.
  public init(
    id: UInt32, name: String, type: String, loadTime: UInt64, runCount: UInt64,
    runNanoseconds: UInt64
  ) {
    self.id = id
    self.name = name
    self.type = type
    self.loadTime = loadTime
    self.runCount = runCount
    self.runNanoseconds = runNanoseconds
  }

  /// Of all programs that have run while statistics were on, whoever loaded them; one that ends
  /// meanwhile is left out. Needs `CAP_SYS_ADMIN`.
  public static func all(
    kernel: any KernelInterface = LiveKernel()
  ) throws(EBPFError) -> [BPFProgramFigures] {
    let offset = Clock.boot.wallOffset
    var figures: [BPFProgramFigures] = []
    for id in try KernelObjects.ids(of: .program, kernel: kernel) {
      do throws(EBPFError) {
        let descriptor = try KernelObjects.open(.program, id: id, kernel: kernel)
        let program = try information(descriptor, kernel)
        guard program.runCount > 0 else { continue }
        let loaded = Int64(clamping: program.loadTime).addingReportingOverflow(offset).partialValue
        figures.append(
          BPFProgramFigures(
            id: id, name: program.name, type: ProgramType(rawValue: program.type).name,
            loadTime: UInt64(clamping: loaded), runCount: program.runCount,
            runNanoseconds: program.runTime))
      } catch {
        guard error.code == .notFound else { throw error }
      }
    }
    return figures
  }

  private static func information(
    _ descriptor: borrowing OwnedDescriptor, _ kernel: any KernelInterface
  ) throws(EBPFError) -> ProgramInformation {
    do throws(Errno) {
      return try kernel.programInformation(descriptor.rawValue, details: [])
    } catch {
      throw EBPFError(
        .system, "the kernel does not describe the program: \(error.text)",
        systemCall: .init(
          call: "bpf(BPF_OBJ_GET_INFO_BY_FD)", errno: error.rawValue, name: error.name))
    }
  }
}
