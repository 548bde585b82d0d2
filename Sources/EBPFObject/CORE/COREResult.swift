/// What a CO-RE record comes to on one kernel.
public struct COREResult: Sendable, Hashable {
  /// A kernel type that was tried.
  public struct Candidate: Sendable, Hashable {
    /// Its id in the target's BTF.
    public let typeID: UInt32
    /// Why it does not fit; nil if it does.
    public let mismatch: String?
  }

  /// The value in the object's own types, which the instruction has before patching.
  public let localValue: UInt64
  /// The value in the target's types.
  public let targetValue: UInt64
  /// True when there is no value, so that the instruction must never be reached.
  public let isPoisoned: Bool
  /// The kernel types with the right name: those that fit, or if none does, all.
  public let candidates: [Candidate]
  /// Why nothing fits, in a sentence; nil when something does.
  public let reason: String?

  /// The instruction must hold ``localValue`` before it is patched.
  let validates: Bool
  /// The sizes of the memory access, when the two sides differ; else both are equal.
  let localSize: UInt32
  let targetSize: UInt32
  /// The sizes differ and a load or store cannot be adjusted.
  let hasSizeMismatch: Bool
  /// The value is of an unsigned 32-bit enumerator.
  let isUnsignedWord: Bool
}

/// What was done to one instruction.
public struct COREOutcome: Sendable, Hashable {
  /// The record.
  public let record: CORERecord
  /// What it came to.
  public let result: COREResult
  /// True when the instruction was replaced by one that the verifier refuses if it is reached.
  public let isPoisoned: Bool
  /// Why it was poisoned, or why nothing fits; nil when all is well.
  public let reason: String?
}
