// The Swift side of bpf-objects/bpf/stack_walk.h.

/// `struct unwind_process`.
struct UnwindProcess: BitwiseCopyable, Sendable {
  /// When the process was created, in clock ticks.
  var start: UInt64
  var image: UInt64
  var first: UInt32
  var count: UInt32
}

/// `struct unwind_mapping`.
struct UnwindMapping: BitwiseCopyable, Sendable {
  var start: UInt64
  var end: UInt64
  /// What rows are relative to, at run time.
  var base: UInt64
  /// The first of the rows; ``unasked`` where they can be had.
  var first: UInt32 = 0
  /// How many rows; 0 where there are none, and code is walked by frame pointer.
  var count: UInt32 = 0

  /// `ROWS_UNASKED`.
  static let unasked = UInt32.max
}
