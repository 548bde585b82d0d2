/// Keeps the few names nearest to one that was not found: "did you mean".
///
/// Near is at most a third of the name in edits, at least 1.
package struct NearNames {
  private let wanted: [UInt8]
  private let limit: Int
  private let furthest: Int
  private let acceptsParts: Bool
  private var distance: EditDistance
  private var found: [(distance: Int, name: String)] = []

  /// What is compared of a longer name.
  private static let longestName = 255

  /// Looks for at most `limit` names; `acceptsParts` says whether a name that contains the whole
  /// wanted one, of at least four characters, is also near, though behind all others.
  package init(_ name: String, limit: Int = 3, acceptsParts: Bool = false) {
    wanted = Array(name.utf8.prefix(Self.longestName))
    self.limit = max(0, limit)
    self.acceptsParts = acceptsParts && wanted.count >= 4
    furthest = max(1, wanted.count / 3)
    distance = EditDistance(from: wanted)
  }

  /// The names kept, nearest first, equals by name.
  package var best: [String] { found.map(\.name) }

  /// No longer name can be near.
  package var longestCandidate: Int { acceptsParts ? Self.longestName : wanted.count + furthest }

  /// Weighs the zero-terminated name at `start`.
  package mutating func consider(_ names: [UInt8], from start: Int) {
    var end = start
    while end < names.count, names[end] != 0 {
      end += 1
      if end - start > longestCandidate { return }
    }
    consider(names[start..<end])
  }

  /// Weighs a name.
  package mutating func consider(_ name: ArraySlice<UInt8>) {
    guard !wanted.isEmpty, limit > 0, name.count <= longestCandidate else { return }
    let worst = found.count == limit ? found[limit - 1].distance : Int.max
    if let edits = distance.edits(to: name, atMost: min(worst, furthest)) {
      insert(String(decoding: name, as: UTF8.self), edits)
    } else if acceptsParts, furthest + name.count - wanted.count <= worst, Self.has(name, wanted) {
      insert(String(decoding: name, as: UTF8.self), furthest + name.count - wanted.count)
    }
  }

  private mutating func insert(_ name: String, _ distance: Int) {
    guard !found.contains(where: { $0.name == name }) else { return }
    let place = found.firstIndex { ($0.distance, $0.name) > (distance, name) } ?? found.count
    found.insert((distance, name), at: place)
    if found.count > limit { found.removeLast() }
  }

  private static func has(_ text: ArraySlice<UInt8>, _ part: [UInt8]) -> Bool {
    guard text.count >= part.count else { return false }
    for start in text.startIndex...(text.endIndex - part.count)
    where text[start...].starts(with: part) { return true }
    return false
  }
}

extension NearNames {
  /// `did you mean 'a', 'b' or 'c'?`, or nil when nothing is close.
  package static func hint(for name: String, in candidates: some Sequence<String>) -> String? {
    let names = nearest(to: name, in: candidates)
    guard let last = names.last else { return nil }
    let quoted = names.map { "'\($0)'" }
    if names.count == 1 { return "did you mean '\(last)'?" }
    return "did you mean \(quoted.dropLast().joined(separator: ", ")) or '\(last)'?"
  }

  /// The same, or else what there is: for names of which there are few.
  package static func hintOrList(for name: String, in candidates: [String]) -> String? {
    if let hint = hint(for: name, in: candidates) { return hint }
    guard !candidates.isEmpty else { return "it has none" }
    let rest = candidates.count - listed
    return "it has " + candidates.prefix(listed).joined(separator: ", ")
      + (rest > 0 ? " and \(rest) more" : "")
  }

  private static let listed = 10

  /// At most three names that are near, or contain the whole name; best first.
  package static func nearest(to name: String, in candidates: some Sequence<String>) -> [String] {
    var names = NearNames(name, acceptsParts: true)
    for candidate in candidates { names.consider(Array(candidate.utf8)[...]) }
    return names.best
  }
}
