/// Values in buckets whose bounds are powers of two, drawn with stars.
struct PowerHistogram {
  private let title: String
  private var buckets = [Int](repeating: 0, count: 65)

  init(_ title: String, _ values: [UInt64]) {
    self.title = title
    // Bucket n holds values of n bits: 0, 1, 2 to 3, 4 to 7 …
    for value in values { buckets[64 - value.leadingZeroBitCount] += 1 }
  }

  /// The histogram from the first to the last bucket that is not empty; empty without values.
  var text: String {
    guard let first = buckets.firstIndex(where: { $0 > 0 }),
      let last = buckets.lastIndex(where: { $0 > 0 }), let most = buckets.max()
    else { return "" }
    var table = TextTable(rightAligned: [0, 1])
    table.add(title, "COUNT", "DISTRIBUTION")
    for bucket in first...last {
      let low = bucket == 0 ? 0 : UInt64(1) << UInt64(bucket - 1)
      let high = bucket == 0 ? 0 : low - 1 + low
      let stars = buckets[bucket] * 40 / most
      let bar = String(repeating: "*", count: stars) + String(repeating: " ", count: 40 - stars)
      table.add("\(low) -> \(high)", String(buckets[bucket]), "|\(bar)|")
    }
    return table.text()
  }
}
