import EBPFObject
import EBPFSystem

/// The running kernel, which refuses to load some programs: how a tracer does on a kernel that has
/// fewer ways to observe something.
public final class KernelWithout: ForwardingKernel {
  private let programs: Set<String>

  /// - Parameter programs: the names of those that are refused, as the object has them.
  public init(programs: [String]) {
    self.programs = Set(programs)
  }

  /// `EINVAL` for a program that is refused, as from a kernel that does not know its kind.
  public func loadProgram(
    _ request: ProgramRequest, instructions: [Instruction], log: inout KernelLog
  ) throws(Errno) -> OwnedDescriptor {
    if programs.contains(request.name) { throw .invalid }
    return try LiveKernel().loadProgram(request, instructions: instructions, log: &log)
  }
}
