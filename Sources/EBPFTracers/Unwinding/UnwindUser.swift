internal import Symbolization

/// A process whose stacks can be walked: what the kernel was told about it.
struct UnwindUser: Sendable {
  /// A part of a file in the process's memory.
  struct Place: Sendable {
    let file: ModuleIdentity
    let part: Int
    let addresses: Range<UInt64>
    /// What an address in the process has more than in the file.
    let bias: UInt64
    /// Of `unwind_mappings`.
    var index: UInt32

    /// The same, in a run that begins at `first`.
    func moved(by first: UInt32) -> Place {
      var moved = self
      moved.index += first
      return moved
    }
  }

  /// Of `unwind_mappings`.
  let run: Range<UInt32>
  /// By address.
  let places: [Place]

  /// The place that holds an address.
  func place(holding address: UInt64) -> Place? {
    var low = 0
    var high = places.count
    while low < high {
      let middle = (low + high) / 2
      if places[middle].addresses.upperBound <= address { low = middle + 1 } else { high = middle }
    }
    return low < places.count && places[low].addresses.contains(address) ? places[low] : nil
  }
}
