import EBPF
import EBPFSystem
import EBPFTracers
import Testing

/// How many instructions the verifier reads before it lets a program in, each as often as there are ways
/// to it that it tells apart. Most of the time in which a tracer starts is spent there.
@Suite struct VerifierEffortTests {
  enum Tracer: String, Sendable {
    case syscalls, network, memory, wall

    func object() throws -> ObjectFile {
      switch self {
      case .syscalls: try ObjectFile(parsing: EmbeddedObject.syscallTracer)
      case .network: try ObjectFile(parsing: EmbeddedObject.networkTracer)
      case .memory: try ObjectFile(parsing: EmbeddedObject.memory)
      case .wall: try ObjectFile(parsing: EmbeddedObject.wallProfiler)
      }
    }
  }

  private func effort(_ object: ObjectFile, _ program: String) throws -> UInt32 {
    var options = LoadOptions()
    options.programs = [program]
    let loaded = try LoadedObject(object, options: options)
    defer { loaded.unload() }
    return try loaded.program(program).information().verifiedInstructions
  }

  @Test(
    arguments: [
      (Tracer.syscalls, ["enter_typed", "exit_typed", "enter_table", "exit_table"], 2_000),
      (.syscalls, ["list_calls"], 2_000),
      (.network, ["network_state_btf", "network_connect_exit"], 5_000),
      (.network, ["network_existing", "network_accept4_exit", "network_send_btf"], 2_500),
      (.memory, ["memory_probe_alloc"], 9_000),
      (.memory, ["memory_malloc", "memory_allocated", "memory_call_exit"], 6_000),
      (.wall, ["wall_waker", "wall_meet"], 4_000),
      (.wall, ["wall_switch"], 18_000),
    ] as [(Tracer, [String], UInt32)])
  func `no program takes the verifier long`(
    tracer: Tracer, programs: [String], limit: UInt32
  ) throws {
    let object = try tracer.object()
    for program in programs {
      let read = try effort(object, program)
      #expect(read > 0 && read <= limit, "\(tracer) \(program): \(read)")
    }
  }

  @Test(arguments: [UInt32(0x10), 0x20, 0x80, 0x1f0, 0x790])
  func `what system calls are recorded with does not either`(flags: UInt32) throws {
    var object = try Tracer.syscalls.object()
    let least = try effort(object, "exit_typed")
    try object.setVariable("syscall_flags", to: flags)
    for program in ["enter_typed", "exit_typed"] {
      let read = try effort(object, program)
      #expect(read <= 10_000, "\(program): \(read)")
    }
    // What is not asked for is not read: a program that does more is longer to read.
    #expect(try effort(object, "exit_typed") > least)
  }
}
