/// Keeps the few names nearest to one that was not found: "did you mean".
///
/// Near is an edit distance of at most a third of the name, at least 1.
struct NearNames {
  private let wanted: [UInt8]
  private let limit: Int
  private let furthest: Int
  private var found: [(distance: Int, name: String)] = []
  private var previous: [Int]
  private var current: [Int]

  init(_ name: String, limit: Int) {
    wanted = Array(name.utf8.prefix(255))
    self.limit = max(0, limit)
    furthest = max(1, wanted.count / 3)
    previous = Array(repeating: 0, count: wanted.count + 1)
    current = previous
  }

  /// The names kept, nearest first, equals by name.
  var best: [String] { found.map(\.name) }

  /// No longer name can be near.
  var longestCandidate: Int { wanted.count + furthest }

  /// Weighs the zero-terminated name at `start`.
  mutating func consider(_ names: [UInt8], from start: Int) {
    var end = start
    while end < names.count, names[end] != 0 {
      end += 1
      if end - start > longestCandidate { return }
    }
    consider(names[start..<end])
  }

  /// Weighs a name.
  mutating func consider(_ name: ArraySlice<UInt8>) {
    guard !wanted.isEmpty, limit > 0, name.count <= longestCandidate,
      wanted.count - name.count <= furthest
    else { return }
    let worst = found.count == limit ? found[limit - 1].distance : furthest
    guard let distance = distance(to: name, atMost: worst) else { return }
    insert(String(decoding: name, as: UTF8.self), distance)
  }

  private mutating func insert(_ name: String, _ distance: Int) {
    guard !found.contains(where: { $0.name == name }) else { return }
    let place = found.firstIndex { ($0.distance, $0.name) > (distance, name) } ?? found.count
    found.insert((distance, name), at: place)
    if found.count > limit { found.removeLast() }
  }

  /// The number of single-character edits between the wanted name and `other`.
  private mutating func distance(to other: ArraySlice<UInt8>, atMost worst: Int) -> Int? {
    for column in previous.indices { previous[column] = column }
    var row = 0
    for character in other {
      row += 1
      current[0] = row
      var least = row
      for column in wanted.indices {
        let change = previous[column] + (wanted[column] == character ? 0 : 1)
        let value = min(change, previous[column + 1] + 1, current[column] + 1)
        current[column + 1] = value
        least = min(least, value)
      }
      if least > worst { return nil }
      swap(&previous, &current)
    }
    let distance = previous[wanted.count]
    return distance <= worst ? distance : nil
  }
}
