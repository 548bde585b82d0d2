public import EBPF
public import EBPFSystem
public import EBPFTracers

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
    var figures: [BPFProgramFigures] = []
    for id in try KernelObjects.ids(of: .program, kernel: kernel) {
      do throws(EBPFError) {
        let descriptor = try KernelObjects.open(.program, id: id, kernel: kernel)
        let program = try information(descriptor, kernel)
        guard program.runCount > 0 else { continue }
        figures.append(
          BPFProgramFigures(
            id: id, name: program.name, type: ProgramType(rawValue: program.type).name,
            loadTime: wallTime(program.loadTime), runCount: program.runCount,
            runNanoseconds: program.runTime))
      } catch {
        guard error.code == .notFound else { throw error }
      }
    }
    return figures
  }

  /// Of a tracer's own programs that have run while statistics were on; for that no capability is
  /// needed.
  public static func own(_ overhead: TracerOverhead) -> [BPFProgramFigures] {
    overhead.programs.filter { $0.count > 0 }.map { program in
      BPFProgramFigures(
        id: program.id, name: program.name, type: program.type,
        loadTime: wallTime(program.loadTime), runCount: program.count,
        runNanoseconds: program.nanoseconds)
    }
  }

  /// Nanoseconds since 1970, of those since boot.
  private static func wallTime(_ bootTime: UInt64) -> UInt64 {
    let (time, _) = Int64(clamping: bootTime).addingReportingOverflow(Clock.boot.wallOffset)
    return UInt64(clamping: time)
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
