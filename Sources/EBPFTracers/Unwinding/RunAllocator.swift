/// Hands out runs of neighbouring places in an array, first fit, and takes them back.
struct RunAllocator: Sendable {
  /// Free runs by first place; neighbours are always joined.
  private var free: [Range<UInt32>]

  /// Places 0 up to `count`, all free.
  init(count: UInt32) { free = count > 0 ? [0..<count] : [] }

  /// A run of `count` places; nil when no free run is long enough.
  mutating func take(_ count: UInt32) -> Range<UInt32>? {
    guard count > 0, let index = free.firstIndex(where: { $0.count >= Int(count) }) else {
      return nil
    }
    let run = free[index]
    let taken = run.lowerBound..<(run.lowerBound + count)
    if taken.upperBound == run.upperBound {
      free.remove(at: index)
    } else {
      free[index] = taken.upperBound..<run.upperBound
    }
    return taken
  }

  /// Takes a run back.
  mutating func giveBack(_ run: Range<UInt32>) {
    guard !run.isEmpty else { return }
    let index = free.firstIndex { $0.lowerBound >= run.upperBound } ?? free.endIndex
    var joined = run
    var replaced = index..<index
    if index < free.endIndex, free[index].lowerBound == run.upperBound {
      joined = joined.lowerBound..<free[index].upperBound
      replaced = index..<(index + 1)
    }
    if index > 0, free[index - 1].upperBound == run.lowerBound {
      joined = free[index - 1].lowerBound..<joined.upperBound
      replaced = (index - 1)..<replaced.upperBound
    }
    free.replaceSubrange(replaced, with: [joined])
  }

  /// How many places are free.
  var freeCount: Int { free.reduce(0) { $0 + $1.count } }
}
