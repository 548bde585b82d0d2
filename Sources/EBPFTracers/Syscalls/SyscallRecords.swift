internal import EBPF

// The Swift side of bpf-objects/bpf/syscall_events.h, field by field. Every structure is a multiple
// of its alignment, so Swift and C agree; SyscallRecordsTests compares each with the object's BTF.

/// `struct syscall_control`.
struct SyscallControl: BitwiseCopyable, Sendable {
  var paused: UInt32 = 0
  var flags: UInt32 = 0
  var minimumLatency: UInt64 = 0
  var stackLatency: UInt64 = 0
  var firstEnter: UInt64 = 0
  var since: UInt64 = 0
  var eventLatency: UInt64 = 0

  /// `enum syscall_control_bits`.
  enum Flags {
    static let allowList: UInt32 = 1 << 0
    static let failed: UInt32 = 1 << 1
    static let errnos: UInt32 = 1 << 2
    static let slow: UInt32 = 1 << 3
  }
}

/// `enum syscall_flag_bits`, for the constant `syscall_flags`.
enum SyscallFlags {
  static let byProcess: UInt32 = 1 << 4
  static let byCgroup: UInt32 = 1 << 5
  static let histograms: UInt32 = 1 << 6
  static let events: UInt32 = 1 << 7
  static let stacks: UInt32 = 1 << 8
  static let failedEvents: UInt32 = 1 << 9
  static let slowEvents: UInt32 = 1 << 10
}

/// `struct call_rule`.
struct CallRule: BitwiseCopyable, Sendable {
  /// `enum rule_verdict`.
  var verdict: UInt8 = 0
  var text: UInt8 = 0
  var secondText: UInt8 = 0
  var address: UInt8 = 0
  var addressLength: UInt8 = 0
  var data: UInt8 = 0
  var dataLength: UInt8 = 0
  var dataBytes: UInt8 = 0
  /// `enum rule_bits`.
  var flags: UInt32 = 0
  var padding: UInt32 = 0

  /// `enum rule_verdict`.
  enum Verdict {
    static let none: UInt8 = 0
    static let allow: UInt8 = 1
    static let deny: UInt8 = 2
  }

  /// `enum rule_bits`.
  enum Flags {
    static let neverReturns: UInt32 = 1 << 0
    static let hasNoErrors: UInt32 = 1 << 1
    static let replacesProgram: UInt32 = 1 << 2
    static let addressOut: UInt32 = 1 << 3
    static let dataOut: UInt32 = 1 << 4
  }
}

/// Where the fields of `struct call_totals` are, of which only a few of many are read.
enum CallTotalsLayout {
  static let enters = 0
  static let returns = 8
  static let errors = 16
  static let rejected = 24
  static let unpaired = 32
  static let unpairedZero = 40
  static let total = 48
  static let maximum = 56
  static let buckets = 64
  static let size = buckets + 8 * SyscallHistogram.bucketCount
}

/// `struct matrix_key`.
struct MatrixKey: BitwiseCopyable, Hashable, Sendable {
  var id: UInt64 = 0
  var call: UInt32 = 0
  var error: UInt32 = 0

  /// `NEVER_RETURNED`.
  static let neverReturned: UInt32 = 0xffff
}

/// `struct matrix_value`.
struct MatrixValue: BitwiseCopyable, Sendable {
  var count: UInt64 = 0
  var total: UInt64 = 0
}

/// `struct histogram_key`.
struct HistogramKey: BitwiseCopyable, Hashable, Sendable {
  var id: UInt64 = 0
  var call: UInt32 = 0
  var padding: UInt32 = 0
}

/// `struct key_histogram`.
struct KeyHistogram: BitwiseCopyable, Sendable {
  static let count = 34
  var buckets = InlineArray<34, UInt64>(repeating: 0)
}

/// `struct syscall_counters`, one for each CPU.
struct SyscallCounters: BitwiseCopyable, Sendable {
  var paused: UInt64 = 0
  var excluded: UInt64 = 0
  var filtered: UInt64 = 0
  var threadLost: UInt64 = 0
  var lost: UInt64 = 0
  var matrixLost: UInt64 = 0
  var histogramsLost: UInt64 = 0
  var eventsSent: UInt64 = 0
  var eventsLost: UInt64 = 0
  var textsCut: UInt64 = 0
  var stacksCut: UInt64 = 0
  var unnamed: UInt64 = 0
  var sampledOut: UInt64 = 0
  var entersAdded: UInt64 = 0
  var returnsAdded: UInt64 = 0
  var rejectedAdded: UInt64 = 0
  var eventsSpared: UInt64 = 0
  var eventsUnwanted: UInt64 = 0
  var spansFound: UInt64 = 0
  var spansUnreadable: UInt64 = 0

  /// The sum over CPUs.
  init(summing counters: [SyscallCounters]) {
    for cpu in counters {
      paused &+= cpu.paused
      excluded &+= cpu.excluded
      filtered &+= cpu.filtered
      threadLost &+= cpu.threadLost
      lost &+= cpu.lost
      matrixLost &+= cpu.matrixLost
      histogramsLost &+= cpu.histogramsLost
      eventsSent &+= cpu.eventsSent
      eventsLost &+= cpu.eventsLost
      textsCut &+= cpu.textsCut
      stacksCut &+= cpu.stacksCut
      unnamed &+= cpu.unnamed
      sampledOut &+= cpu.sampledOut
      entersAdded &+= cpu.entersAdded
      returnsAdded &+= cpu.returnsAdded
      rejectedAdded &+= cpu.rejectedAdded
      eventsSpared &+= cpu.eventsSpared
      eventsUnwanted &+= cpu.eventsUnwanted
      spansFound &+= cpu.spansFound
      spansUnreadable &+= cpu.spansUnreadable
    }
  }
}

/// `struct waiting_call`.
struct WaitingRecord: BitwiseCopyable, Sendable {
  var entered: UInt64 = 0
  var process: UInt32 = 0
  var thread: UInt32 = 0
  var call: UInt32 = 0
  var padding: UInt32 = 0
  var command = CommandName("")
}

/// `struct process_name`.
struct SyscallProcess: BitwiseCopyable, Sendable {
  var command = CommandName("")
  var cgroup: UInt64 = 0
}
