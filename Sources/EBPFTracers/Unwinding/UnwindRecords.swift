// The Swift side of bpf-objects/bpf/stack_walk.h.

/// `struct unwind_process`.
struct UnwindProcess: BitwiseCopyable, Sendable {
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
  var first: UInt32
  var count: UInt32
}
