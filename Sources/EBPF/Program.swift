public import EBPFSystem
internal import Synchronization

/// A program that the kernel has verified and holds, ready to be attached.
///
/// Safe to share between threads. It stays in the kernel as long as this object, or a link of it,
/// does; ``LoadedObject/unload()`` ends it before.
public final class Program: Sendable {
  /// The function's name; the kernel keeps its first 15 bytes.
  public let name: String
  /// The section it came from.
  public let sectionName: String
  /// The program type.
  public let type: ProgramType
  /// `expected_attach_type`.
  public let attachType: AttachType
  /// What the section's name says after its slash.
  public let attachTarget: String
  /// The kernel's id, as `bpftool prog show` lists it.
  public let id: UInt32
  /// The hash of its instructions, 16 hexadecimal digits.
  public let tag: String
  /// The number of instructions given to the verifier.
  public let instructionCount: Int

  let kernel: any KernelInterface
  let attachments: AttachmentSet
  private let descriptor: Mutex<OwnedDescriptor?>

  init(
    _ descriptor: consuming OwnedDescriptor, spec: ProgramSpec, information: ProgramInformation,
    kernel: any KernelInterface, attachments: AttachmentSet
  ) {
    name = spec.name
    sectionName = spec.sectionName
    type = spec.type
    attachType = spec.attachType
    attachTarget = spec.attachTarget
    id = information.id
    tag = information.tag
    instructionCount = spec.instructions.count
    self.kernel = kernel
    self.attachments = attachments
    self.descriptor = Mutex(descriptor)
  }

  /// Calls `body` with the descriptor, which stays open meanwhile.
  public func withDescriptor<Result: ~Copyable>(
    _ body: (Int32) throws(EBPFError) -> Result
  ) throws(EBPFError) -> Result {
    // A duplicate, so that a slow call does not hold the lock, and cannot meet a closed number.
    let own = try duplicateDescriptor()
    return try body(own.rawValue)
  }

  /// A descriptor of one's own.
  func duplicateDescriptor() throws(EBPFError) -> OwnedDescriptor {
    try descriptor.withLock { (descriptor) throws(EBPFError) -> OwnedDescriptor in
      switch descriptor {
      case .none:
        throw EBPFError(
          .invalidState, "program '\(name)' was unloaded", hint: "load the object again")
      case .some(let descriptor):
        do throws(Errno) { return try descriptor.duplicate() } catch {
          throw EBPFError(
            .system, "no second descriptor for program '\(name)'",
            systemCall: error.failure(of: "dup"))
        }
      }
    }
  }

  /// Closes it; attached links keep the kernel's program alive.
  func unload() { descriptor.withLock { $0 = nil } }
}

// MARK: - What the kernel knows

extension Program {
  /// What the kernel says about the program now: run time, if statistics are on, and sizes.
  public func information(_ details: ProgramDetails = .maps) throws(EBPFError) -> ProgramInformation
  {
    try withDescriptor { (descriptor) throws(EBPFError) in
      do throws(Errno) {
        return try kernel.programInformation(descriptor, details: details)
      } catch {
        throw EBPFError(
          .system, "the kernel does not describe program '\(name)'",
          systemCall: error.failure(of: "bpf(BPF_OBJ_GET_INFO_BY_FD)"))
      }
    }
  }

  /// Runs it once, or as often as the run says, on made-up input (`BPF_PROG_TEST_RUN`).
  public func testRun(_ run: TestRun = TestRun()) throws(EBPFError) -> TestRun {
    try withDescriptor { (descriptor) throws(EBPFError) in
      var run = run
      do throws(Errno) {
        try kernel.run(program: descriptor, &run)
        return run
      } catch {
        let hint: String? =
          error == .notSupported || error.rawValue == 524
          ? "the kernel cannot run programs of type \(type) this way" : nil
        throw EBPFError(
          error == .notPermitted ? .denied : .system, "program '\(name)' could not be run",
          systemCall: error.failure(of: "bpf(BPF_PROG_TEST_RUN)"), hint: hint)
      }
    }
  }

  /// Keeps the program under a name in bpffs; it then outlives this process.
  public func pin(to path: String) throws(EBPFError) {
    try withDescriptor { (descriptor) throws(EBPFError) in
      try Pinning.pin(descriptor, path: path, what: "program '\(name)'", kernel: kernel)
    }
  }
}
