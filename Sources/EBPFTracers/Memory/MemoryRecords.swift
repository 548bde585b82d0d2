internal import EBPF

// The Swift side of bpf-objects/bpf/memory_events.h, field by field. Every structure is a multiple of
// its alignment, so Swift and C agree; MapLayoutTests compares each with the object's BTF.

/// `struct memory_control`.
struct MemoryControl: BitwiseCopyable, Sendable {
  var paused = Recording.idle
  var flags: UInt32 = 0
  var faultPeriod: UInt32 = 0
  var generation: UInt32 = 0
  var sampleBytes: UInt64 = 0
  var historyInterval: UInt64 = 0
  /// `struct stack_settings`.
  var stackGeneration: UInt32 = 1
  var stackLimit: UInt32 = 0
  var wakeBytes: UInt32 = 0
  var stackPadding: UInt32 = 0

  /// `enum memory_recording`.
  enum Recording {
    static let on: UInt32 = 0
    static let paused: UInt32 = 1
    static let idle: UInt32 = 2
  }

  /// `enum memory_flag_bits`.
  enum Flags {
    static let noStacks: UInt32 = 1 << 0
    static let keepTrack: UInt32 = 1 << 1
    static let picks: UInt32 = 1 << 2
    static let watchesCompat: UInt32 = 1 << 3
  }
}

/// `struct memory_site`: what equal events have in common.
struct MemorySiteKey: Hashable, BitwiseCopyable, Sendable {
  var process = ProcessIdentity()
  var stack = StackID()
  var size: UInt64 = 0
  var kind: UInt32 = 0
  var factor: UInt32 = 0

  /// `enum memory_site_kind`.
  enum Kind {
    static let allocation: UInt32 = 1
    static let fault: UInt32 = 2
    static let map: UInt32 = 3
    static let programBreak: UInt32 = 4
  }
}

/// `struct memory_amount`.
struct MemoryAmount: Hashable, BitwiseCopyable, Sendable {
  var count: UInt64 = 0
  var bytes: UInt64 = 0

  static func += (left: inout MemoryAmount, right: MemoryAmount) {
    left.count &+= right.count
    left.bytes &+= right.bytes
  }
}

/// `struct memory_address`.
struct MemoryAddress: Hashable, BitwiseCopyable, Sendable {
  var process = ProcessIdentity()
  var address: UInt64 = 0
}

/// `struct memory_block`.
struct MemoryBlockRecord: Hashable, BitwiseCopyable, Sendable {
  var size: UInt64 = 0
  var time: UInt64 = 0
  var stack = StackID()
  var threadID: UInt32 = 0
  var factor: UInt32 = 0
  var weighted: UInt64 = 0
}

/// `struct memory_point`.
struct MemoryPoint: Hashable, BitwiseCopyable, Sendable {
  var time: UInt64 = 0
  var pages: UInt64 = 0
}

/// `struct memory_process`: its figures, and how it grew.
struct MemoryProcessRecord: BitwiseCopyable, Sendable {
  var figures = MemoryProcessFigures()
  var history = InlineArray<32, MemoryPoint>(repeating: MemoryPoint())

  /// The points that were written, oldest first.
  var orderedHistory: [MemoryPoint] {
    let all = history.indices.map { history[$0] }
    guard figures.points > UInt64(all.count) else { return Array(all.prefix(Int(figures.points))) }
    let next = Int(figures.points % UInt64(all.count))
    return Array(all[next...] + all[..<next])
  }
}

/// The first members of `struct memory_process`: all that is of interest once it has ended.
struct MemoryProcessFigures: BitwiseCopyable, Sendable {
  var command = CommandName("")
  var cgroup: UInt64 = 0
  var firstSeen: UInt64 = 0
  var faults: UInt64 = 0
  var maps: UInt64 = 0
  var mappedBytes: UInt64 = 0
  var unmaps: UInt64 = 0
  var unmappedBytes: UInt64 = 0
  var breakGrownBytes: UInt64 = 0
  var breakShrunkBytes: UInt64 = 0
  var filePages: UInt64 = 0
  var anonymousPages: UInt64 = 0
  var swapPages: UInt64 = 0
  var sharedPages: UInt64 = 0
  var peakPages: UInt64 = 0
  var stacks: UInt64 = 0
  var strays: UInt64 = 0
  var asked: UInt64 = 0
  var points: UInt64 = 0

  /// Resident pages as the kernel last told.
  var residentPages: UInt64 { filePages &+ anonymousPages &+ sharedPages }

  /// By how much the program break moved, up less down.
  var breakBytes: Int64 {
    Int64(clamping: breakGrownBytes) &- Int64(clamping: breakShrunkBytes)
  }
}

// MARK: - Records of the ring

/// `struct memory_site_event`.
struct MemorySiteEvent: BitwiseCopyable, Sendable {
  var kind: UInt32
  var padding: UInt32
  var site: MemorySiteKey
  var amount: MemoryAmount
}

/// `struct memory_process_event`.
struct MemoryProcessEvent: BitwiseCopyable, Sendable {
  var kind: UInt32
  var isNewProgram: UInt16
  var isCompat: UInt16
  var process: ProcessIdentity
  var time: UInt64
  var wanted: UInt64
}

/// `struct memory_exit_event`.
struct MemoryExitEvent: BitwiseCopyable, Sendable {
  var kind: UInt32
  var padding: UInt32
  var process: ProcessIdentity
}

/// `struct memory_victim_event`.
struct MemoryVictimEvent: BitwiseCopyable, Sendable {
  var kind: UInt32
  var padding: UInt32
  var process: ProcessIdentity
  var time: UInt64
  var growth: MemoryProcessRecord
}
