import EBPF
import EBPFSystem

/// A program, written here by hand, that sends records of 16 bytes: the producer's number, and a
/// sequence number. `BPF_PROG_TEST_RUN` runs it, so the number of records is exact.
struct EventProgram: Sendable {
  struct Record: BitwiseCopyable, Hashable, Sendable {
    var producer: UInt64
    var sequence: UInt64
  }

  /// How the records are sent.
  enum Output: Sendable {
    case ring(flags: Int32)
    case perf
  }

  private final class Loaded: Sendable {
    let program: OwnedDescriptor
    init(_ program: consuming OwnedDescriptor) { self.program = program }
  }

  /// Records that one run sends.
  let count: UInt64
  private let loaded: Loaded
  private let drops: RawMap

  init(sending count: Int32, to events: RawMap, by output: Output) throws {
    self.count = UInt64(count)
    var spec = MapSpec(name: "drops", type: .array)
    spec.keySize = 4
    spec.valueSize = 8
    spec.maxEntries = 1
    drops = try RawMap.create(spec)
    var request = ProgramRequest(type: 17)  // BPF_PROG_TYPE_RAW_TRACEPOINT
    request.name = "send_events"
    request.license = "GPL"
    var log = KernelLog(level: 1, capacity: 1 << 20)
    do {
      loaded = Loaded(
        try LiveKernel().loadProgram(
          request, instructions: EventProgram.body(count, events, drops, output), log: &log))
    } catch {
      throw EBPFError(.rejected, "\(error)", verifierLog: String(log.text.suffix(2000)))
    }
  }

  /// Sends `count` records, numbered from `first`.
  func run(producer: UInt64, first: UInt64, cpu: UInt32? = nil) throws(Errno) {
    var run = TestRun()
    run.context = [producer, first].flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
    }
    if let cpu {
      run.flags = 1  // BPF_F_TEST_RUN_ON_CPU
      run.cpu = cpu
    }
    try LiveKernel().run(program: loaded.program.rawValue, &run)
  }

  /// Records that the program could not send, by its own count.
  var dropped: UInt64 {
    get throws {
      try Map<UInt32, UInt64>(drops).value(for: 0) ?? 0
    }
  }

  private static func body(
    _ count: Int32, _ events: RawMap, _ drops: RawMap, _ output: Output
  ) -> [Instruction] {
    var code: [Instruction] = [
      Instruction(opcode: 0xbf, destination: 6, source: 1),  // r6 = context
      Instruction(opcode: 0x79, destination: 8, source: 6, offset: 0),  // r8 = producer
      Instruction(opcode: 0x79, destination: 9, source: 6, offset: 8),  // r9 = first
      Instruction(opcode: 0xb7, destination: 7),  // r7 = 0
      Instruction(opcode: 0x7b, destination: 10, source: 8, offset: -16),
      Instruction(opcode: 0xbf, destination: 2, source: 9),
      Instruction(opcode: 0x0f, destination: 2, source: 7),
      Instruction(opcode: 0x7b, destination: 10, source: 2, offset: -8),
    ]
    let map = [
      Instruction(
        opcode: 0x18, destination: 1, source: Instruction.Pseudo.mapFD,
        immediate: events.fileDescriptor), Instruction(opcode: 0),
    ]
    switch output {
    case .ring(let flags):
      code += map
      code += [
        Instruction(opcode: 0xbf, destination: 2, source: 10),
        Instruction(opcode: 0x07, destination: 2, immediate: -16),
        Instruction(opcode: 0xb7, destination: 3, immediate: 16),
        Instruction(opcode: 0xb7, destination: 4, immediate: flags),
        Instruction(opcode: 0x85, immediate: 130),  // bpf_ringbuf_output
      ]
    case .perf:
      code += map.map { instruction in
        var second = instruction
        if second.isWideLoad { second.destination = 2 }
        return second
      }
      code += [
        Instruction(opcode: 0xbf, destination: 1, source: 6),
        Instruction(opcode: 0xb4, destination: 3, immediate: -1),  // BPF_F_CURRENT_CPU
        Instruction(opcode: 0xbf, destination: 4, source: 10),
        Instruction(opcode: 0x07, destination: 4, immediate: -16),
        Instruction(opcode: 0xb7, destination: 5, immediate: 16),
        Instruction(opcode: 0x85, immediate: 25),  // bpf_perf_event_output
      ]
    }
    code += [
      Instruction(opcode: 0x15, destination: 0, offset: 4),  // if r0 == 0, over the count
      Instruction(
        opcode: 0x18, destination: 1, source: Instruction.Pseudo.mapValue,
        immediate: drops.fileDescriptor), Instruction(opcode: 0),
      Instruction(opcode: 0xb7, destination: 2, immediate: 1),
      Instruction(opcode: 0xdb, destination: 1, source: 2),  // lock *(u64 *)(r1) += r2
      Instruction(opcode: 0x07, destination: 7, immediate: 1),
    ]
    let back = Int16(4 - (code.count + 1))
    code += [
      Instruction(opcode: 0xa5, destination: 7, offset: back, immediate: count),
      Instruction(opcode: 0xb7, destination: 0),
      Instruction(opcode: 0x95),
    ]
    return code
  }
}

/// What a reader saw: the next sequence number of each producer, and whether any came out of order.
struct SequenceCheck {
  var received: UInt64 = 0
  private(set) var next: [UInt64: UInt64] = [:]
  private(set) var isOrdered = true

  mutating func add(_ record: RawSpan) {
    guard let record = BitwiseBytes.load(EventProgram.Record.self, from: record) else {
      isOrdered = false
      return
    }
    add(record)
  }

  mutating func add(_ record: EventProgram.Record) {
    received += 1
    if record.sequence < next[record.producer, default: 0] { isOrdered = false }
    next[record.producer] = record.sequence + 1
  }
}
