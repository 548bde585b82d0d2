/// The names closest to one that was not found.
package enum NearNames {
  /// `did you mean 'a', 'b' or 'c'?`, or nil when nothing is close.
  package static func hint(for name: String, in candidates: some Sequence<String>) -> String? {
    let names = nearest(to: name, in: candidates)
    guard let last = names.last else { return nil }
    let quoted = names.map { "'\($0)'" }
    if names.count == 1 { return "did you mean '\(last)'?" }
    return "did you mean \(quoted.dropLast().joined(separator: ", ")) or '\(last)'?"
  }

  /// At most three names within a third of the name's length in edits, or that contain it; best first.
  static func nearest(to name: String, in candidates: some Sequence<String>) -> [String] {
    let wanted = Array(name.utf8.prefix(128))
    guard !wanted.isEmpty else { return [] }
    let furthest = max(1, wanted.count / 3)
    var found: [(distance: Int, name: String)] = []
    for candidate in candidates where candidate != name {
      if found.contains(where: { $0.name == candidate }) { continue }
      let other = Array(candidate.utf8.prefix(256))
      let distance: Int
      if let near = edits(wanted, other, atMost: furthest) {
        distance = near
      } else if wanted.count >= 4, contains(other, wanted) {
        distance = furthest + other.count - wanted.count
      } else {
        continue
      }
      let place = found.firstIndex { ($0.distance, $0.name) > (distance, candidate) }
      found.insert((distance, candidate), at: place ?? found.count)
      if found.count > 3 { found.removeLast() }
    }
    return found.map(\.name)
  }

  private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
    guard text.count >= part.count else { return false }
    for start in 0...(text.count - part.count) where text[start...].starts(with: part) {
      return true
    }
    return false
  }

  private static func edits(_ left: [UInt8], _ right: [UInt8], atMost limit: Int) -> Int? {
    guard abs(left.count - right.count) <= limit else { return nil }
    var previous = Array(0...right.count)
    var current = previous
    for (row, byte) in left.enumerated() {
      current[0] = row + 1
      var least = row + 1
      for (column, other) in right.enumerated() {
        let change = previous[column] + (byte == other ? 0 : 1)
        current[column + 1] = min(change, previous[column + 1] + 1, current[column] + 1)
        least = min(least, current[column + 1])
      }
      if least > limit { return nil }
      swap(&previous, &current)
    }
    return previous[right.count] <= limit ? previous[right.count] : nil
  }
}
