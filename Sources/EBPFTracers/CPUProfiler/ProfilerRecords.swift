internal import EBPF

// The Swift side of bpf-objects/bpf/events.h, field by field. Every structure is a multiple of its
// alignment, so Swift and C agree; ProfilerRecordsTests compares each with the object's BTF.

/// `struct stack_id`: both halves 0 for no stack.
struct StackID: Hashable, BitwiseCopyable, Sendable {
  var low: UInt64 = 0
  var high: UInt64 = 0

  var isNone: Bool { low == 0 && high == 0 }
}

/// `struct process_id`: one program in one process.
struct ProcessIdentity: Hashable, BitwiseCopyable, Sendable {
  /// When the process was created, in nanoseconds of CLOCK_BOOTTIME.
  var start: UInt64 = 0
  /// Where exec laid the program out; 0 for a kernel thread.
  var image: UInt64 = 0
  var processID: UInt32 = 0
  var padding: UInt32 = 0

  /// What the kernel says while no program is laid out: exec is at work, or the process ends.
  var withoutImage: ProcessIdentity { ProcessIdentity(start: start, processID: processID) }
}

/// `char[16]` as two words, so that it hashes in one step.
struct CommandName: Hashable, BitwiseCopyable, Sendable {
  var first: UInt64 = 0
  var second: UInt64 = 0

  /// The name's first 15 bytes, zero filled.
  init(_ name: String) {
    for (index, byte) in name.utf8.prefix(15).enumerated() {
      let bits = UInt64(byte) << UInt64(8 * (index % 8))
      if index < 8 { first |= bits } else { second |= bits }
    }
    first = UInt64(littleEndian: first)
    second = UInt64(littleEndian: second)
  }

  /// The two words as the kernel wrote them.
  init(words first: UInt64, _ second: UInt64) {
    self.first = first
    self.second = second
  }

  /// The bytes before the first zero, as text.
  var text: String {
    var bytes: [UInt8] = []
    for word in [UInt64(littleEndian: first), UInt64(littleEndian: second)] {
      for shift in stride(from: 0, to: 64, by: 8) {
        let byte = UInt8(truncatingIfNeeded: word >> UInt64(shift))
        guard byte != 0 else { return String(decoding: bytes, as: UTF8.self) }
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// `struct profiler_key`: what equal samples have in common.
struct ProfilerKey: Hashable, BitwiseCopyable, Sendable {
  var process = ProcessIdentity()
  var userStack = StackID()
  var kernelStack = StackID()
  var threadID: UInt32 = 0
  var flags: UInt32 = 0
  var command = CommandName("")

  /// `enum profiler_key_bits`.
  enum Flags {
    static let kernelThread: UInt32 = 1 << 0
    static let userStackLost: UInt32 = 1 << 1
    static let kernelStackLost: UInt32 = 1 << 2
    static let userStackNone: UInt32 = 1 << 3
  }
}

/// What equal samples have in common, with the span that their thread was at work on.
struct SampleIdentity: Hashable, Sendable {
  var key: ProfilerKey
  var span: SpanLink?
}

/// `struct profiler_control`.
struct ProfilerControl: BitwiseCopyable, Sendable {
  var excludedProcess: UInt32 = 0
  var stackLimit: UInt32 = 0
  var wakeBytes: UInt32 = 0
  var padding: UInt32 = 0
  var excludedImage: UInt64 = 0
  var sampleLimit: UInt64 = 0
  var samples: UInt64 = 0
}

/// `enum profiler_flag_bits`, for the constant `profiler_flags`.
enum ProfilerFlags {
  static let noUserStacks: UInt32 = 1 << 0
  static let noKernelStacks: UInt32 = 1 << 1
  static let perThread: UInt32 = 1 << 2
  static let includeIdle: UInt32 = 1 << 3
}

/// `struct profiler_counters`, one for each CPU.
struct ProfilerCounters: BitwiseCopyable, Sendable {
  var firstSample: UInt64 = 0
  var seen: UInt64 = 0
  var recorded: UInt64 = 0
  var overflowed: UInt64 = 0
  var dropped: UInt64 = 0
  var excluded: UInt64 = 0
  var idle: UInt64 = 0
  var filtered: UInt64 = 0
  var capped: UInt64 = 0
  var sampledOut: UInt64 = 0
  var userStacksLost: UInt64 = 0
  var kernelStacksLost: UInt64 = 0
  var userStacksCut: UInt64 = 0
  var kernelStacksCut: UInt64 = 0
  var userStacksNone: UInt64 = 0
  var stacksSent: UInt64 = 0
  var processEventsLost: UInt64 = 0
  var walks = StackWalks()
  var guessedFrames: UInt64 = 0
  var linked: UInt64 = 0
  var linksLost: UInt64 = 0
  var linksUnreadable: UInt64 = 0

  /// The sum over CPUs; `firstSample` is the earliest one.
  init(summing counters: [ProfilerCounters]) {
    for cpu in counters {
      if cpu.firstSample != 0, firstSample == 0 || cpu.firstSample < firstSample {
        firstSample = cpu.firstSample
      }
      seen += cpu.seen
      recorded += cpu.recorded
      overflowed += cpu.overflowed
      dropped += cpu.dropped
      excluded += cpu.excluded
      idle += cpu.idle
      filtered += cpu.filtered
      capped += cpu.capped
      sampledOut += cpu.sampledOut
      userStacksLost += cpu.userStacksLost
      kernelStacksLost += cpu.kernelStacksLost
      userStacksCut += cpu.userStacksCut
      kernelStacksCut += cpu.kernelStacksCut
      userStacksNone += cpu.userStacksNone
      stacksSent += cpu.stacksSent
      processEventsLost += cpu.processEventsLost
      walks.add(cpu.walks)
      guessedFrames += cpu.guessedFrames
      linked += cpu.linked
      linksLost += cpu.linksLost
      linksUnreadable += cpu.linksUnreadable
    }
  }
}
