internal import EBPF

/// Writes a ``TracerEconomy`` into the map of bpf-objects/bpf/economy.h.
struct EconomyMap: ~Copyable, Sendable {
  private let map: MappedArray<EconomyRecord>

  /// The map of a loaded object.
  init(_ object: LoadedObject) throws(EBPFError) {
    map = try MappedArray(try object.map("economy"))
  }

  /// Puts an economy in force: from the next event on.
  func apply(_ economy: TracerEconomy) {
    map[0] = EconomyRecord(
      sampling: max(1, economy.sampling),
      flags: economy.takesStacks ? 0 : EconomyRecord.Flags.noStacks,
      minimumEventNanoseconds: economy.minimumEventNanoseconds)
  }
}

/// `struct economy`.
struct EconomyRecord: BitwiseCopyable, Sendable {
  var sampling: UInt32
  var flags: UInt32
  var minimumEventNanoseconds: UInt64

  /// `enum economy_bits`.
  enum Flags {
    static let noStacks: UInt32 = 1 << 0
  }
}
