import EBPF
import EBPFSystem
import Synchronization
import TestSupport
import Testing

/// Programs that replace functions of others: which function is found here, and whether the kernel takes
/// the program. Those that do are tested in Tests/VM.
@Suite struct ReplacementTests {
  private static func load(
    _ function: String? = nil, of target: TargetProgram, kernel: any KernelInterface = LiveKernel()
  ) throws -> LoadedObject {
    var options = LoadOptions()
    options.setAttachTarget(of: "new_answer", to: target, function: function)
    return try LoadedObject(
      LoadedObjectTests.object("replacement.bpf.o"), options: options, kernel: kernel)
  }

  private static func result(_ program: Program) throws -> UInt32 {
    var run = TestRun()
    run.input = [UInt8](repeating: 0, count: 64)
    return try program.testRun(run).returnValue
  }

  /// Whether the kernel takes freplace programs at all.
  private static let isRefused = KernelFeatures.running.programType(.replacement).verdict == .no

  @Test func `a replacement is loaded, or the kernel's policy is named`() throws {
    let target = try LoadedObject(LoadedObjectTests.object("replaced.bpf.o"))
    let program = try target.program("run")
    #expect(try Self.result(program) == 42)
    guard Self.isRefused else {
      let link = try Self.load(of: .program(program)).program("new_answer").attachBySection()
      #expect(try Self.result(program) == 82)
      try link.detach()
      #expect(try Self.result(program) == 42)
      return
    }
    let error = try #require(throws: EBPFError.self) { _ = try Self.load(of: .program(program)) }
    #expect(error.code == .denied)
    #expect(error.systemCall?.call == "bpf(BPF_PROG_LOAD)")
    #expect(error.systemCall?.name == "EPERM")
    #expect(
      error.message == "this kernel's policy refuses freplace programs: EPERM, without a word from "
        + "the verifier, although the capabilities are there")
  }

  /// Keeps what the kernel is asked to load, and refuses it.
  private final class RequestKeeper: ForwardingKernel {
    let requests = Requests()
    final class Requests: Sendable {
      private let all = Mutex<[ProgramRequest]>([])
      var last: ProgramRequest? { all.withLock { $0.last } }
      func add(_ request: ProgramRequest) { all.withLock { $0.append(request) } }
    }
    func loadProgram(
      _ request: ProgramRequest, instructions: [Instruction], log: inout KernelLog
    ) throws(Errno) -> OwnedDescriptor {
      requests.add(request)
      throw .tooBig
    }
  }

  @Test func `the function is asked for by its type in the target's own BTF`() throws {
    let target = try LoadedObject(LoadedObjectTests.object("replaced.bpf.o"))
    let program = try target.program("run")
    let information = try program.information(.functions)
    // The program itself, answer, inner: the order of the calls.
    let answer = try #require(information.functions.dropFirst().first)
    for place in [TargetProgram.program(program), .id(program.id)] {
      let kernel = RequestKeeper()
      #expect(throws: EBPFError.self) { _ = try Self.load(of: place, kernel: kernel) }
      let request = try #require(kernel.requests.last)
      #expect(request.type == ProgramType.replacement.rawValue)
      #expect(request.attachType == 0)
      #expect(request.attachTypeID == answer.typeID)
      #expect(request.attachObject != nil)
    }
  }

  @Test func `what cannot be replaced is said with what there is`() throws {
    let target = try LoadedObject(LoadedObjectTests.object("replaced.bpf.o"))
    let program = try target.program("run")
    func refused(_ function: String?, _ target: TargetProgram) throws -> EBPFError {
      try #require(throws: EBPFError.self) { _ = try Self.load(function, of: target) }
    }
    let near = try refused("anser", .program(program))
    #expect(near.message == "program 'run' has no function 'anser'")
    #expect(near.hint == "did you mean 'answer'?")
    let foreign = try refused("other", .program(program))
    #expect(foreign.message == "program 'run' has no function 'other'")
    #expect(foreign.hint == "it has run, answer, inner")
    let hidden = try refused("inner", .program(program))
    #expect(
      hidden.message == "'inner' of program 'run' is a static function, which cannot be replaced")
    let gone = try refused(nil, .id(.max))
    #expect(gone.code == .notFound)
    #expect(gone.message == "there is no program with id 4294967295")
    let unsaid = try #require(throws: EBPFError.self) {
      _ = try LoadedObject(LoadedObjectTests.object("replacement.bpf.o"))
    }
    #expect(unsaid.message == "which program has the function 'answer' is not said")
    let unknown = try #require(throws: EBPFError.self) {
      var options = LoadOptions()
      options.setAttachTarget(of: "new_anser", to: .program(program))
      _ = try LoadedObject(LoadedObjectTests.object("replacement.bpf.o"), options: options)
    }
    #expect(unknown.message == "the object has no program 'new_anser'")
    #expect(unknown.hint == "did you mean 'new_answer'?")
  }

  @Test func `a target without BTF is said to be one`() throws {
    var request = ProgramRequest(type: ProgramType.socketFilter.rawValue)
    request.license = "GPL"
    var log = KernelLog.none
    let bare = try LiveKernel().loadProgram(
      request, instructions: [Instruction(opcode: 0xb7), Instruction(opcode: 0x95)], log: &log)
    let id = try LiveKernel().programInformation(bare.rawValue, details: []).id
    let error = try #require(throws: EBPFError.self) { _ = try Self.load(of: .id(id)) }
    #expect(error.code == .notFound)
    #expect(
      error.message == "program \(id) was loaded without BTF, so that its functions have no names")
  }

  @Test func `a program of another section has no target program`() throws {
    let target = try LoadedObject(LoadedObjectTests.object("replaced.bpf.o"))
    var options = LoadOptions()
    options.setAttachTarget(of: "run", to: .program(try target.program("run")))
    let error = try #require(throws: EBPFError.self) {
      _ = try LoadedObject(LoadedObjectTests.object("replaced.bpf.o"), options: options)
    }
    #expect(error.code == .invalidArgument)
    #expect(error.message == "section 'socket' attaches to no function of a program")
  }
}
