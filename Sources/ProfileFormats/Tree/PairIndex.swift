/// A hash table from pairs of small numbers to a number, for building trees: the keys are our own
/// indices, so they need no protection from an adversary's choice.
struct PairIndex {
  private var keys: [UInt64]
  private var values: [Int32]
  private var mask: Int
  private(set) var count = 0
  private static let empty = UInt64.max

  init(minimumCapacity: Int) {
    var capacity = 16
    while capacity < minimumCapacity &* 2 { capacity &*= 2 }
    keys = [UInt64](repeating: Self.empty, count: capacity)
    values = [Int32](repeating: 0, count: capacity)
    mask = capacity - 1
  }

  /// The number stored for (`first`, `second`); stores `new` when there is none yet.
  mutating func value(_ first: Int32, _ second: Int32, orInsert new: Int32) -> Int32 {
    if count * 2 >= keys.count { grow() }
    let key = UInt64(UInt32(bitPattern: first)) << 32 | UInt64(UInt32(bitPattern: second))
    let slot = slot(of: key)
    if keys[slot] == key { return values[slot] }
    keys[slot] = key
    values[slot] = new
    count += 1
    return new
  }

  private func slot(of key: UInt64) -> Int {
    let mixed = (key ^ (key >> 29)) &* 0x9E37_79B9_7F4A_7C15
    var slot = Int(truncatingIfNeeded: mixed >> 32) & mask
    while keys[slot] != key && keys[slot] != Self.empty { slot = (slot + 1) & mask }
    return slot
  }

  private mutating func grow() {
    var larger = PairIndex(minimumCapacity: keys.count)
    for (slot, key) in keys.enumerated() where key != Self.empty {
      let target = larger.slot(of: key)
      larger.keys[target] = key
      larger.values[target] = values[slot]
    }
    larger.count = count
    self = larger
  }
}
