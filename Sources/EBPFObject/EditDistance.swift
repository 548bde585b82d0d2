/// How many single-character edits (insert, remove, replace) separate a name from others.
package struct EditDistance {
  private let name: [UInt8]
  private var previous: [Int]
  private var current: [Int]

  /// Prepares for comparing a name with many others.
  package init(from name: some Sequence<UInt8>) {
    self.name = Array(name)
    previous = Array(repeating: 0, count: self.name.count + 1)
    current = previous
  }

  /// The number of edits to `other`; nil when there are more than `limit`, which is found out early.
  package mutating func edits(to other: some Collection<UInt8>, atMost limit: Int) -> Int? {
    guard abs(other.count - name.count) <= limit else { return nil }
    for column in previous.indices { previous[column] = column }
    var row = 0
    for character in other {
      row += 1
      current[0] = row
      var least = row
      for column in name.indices {
        let change = previous[column] + (name[column] == character ? 0 : 1)
        let value = min(change, previous[column + 1] + 1, current[column] + 1)
        current[column + 1] = value
        least = min(least, value)
      }
      if least > limit { return nil }
      swap(&previous, &current)
    }
    let distance = previous[name.count]
    return distance <= limit ? distance : nil
  }
}
