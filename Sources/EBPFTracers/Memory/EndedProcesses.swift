/// What processes that have ended left behind: of a limited number each, of the others the sums.
struct EndedProcesses: Sendable {
  private(set) var kept: [ProcessIdentity: MemoryProcessFigures] = [:]
  private(set) var others = EndedProcessTotals()
  private let limit: Int

  /// Keeps at most so many apart.
  init(limit: Int) {
    self.limit = limit
    // Room that is not used is no memory yet; a table that doubles in the ninth hour looks like a leak.
    kept.reserveCapacity(min(limit + 1, 16_384))
  }

  /// Takes in a process. Where there are too many, those that grew least are only summed from now on:
  /// half of them, so that this is seldom.
  mutating func add(_ process: ProcessIdentity, _ figures: MemoryProcessFigures) {
    kept[process] = figures
    guard kept.count > limit else { return }
    let ranks = kept.values.map(Rank.init).sorted()
    let last = ranks[ranks.count - 1 - limit / 2]
    for (key, figures) in kept where Rank(figures) <= last {
      others.add(figures)
      kept[key] = nil
    }
  }

  /// Who stays rather: who has more pages, had more page faults, is younger.
  private struct Rank: Comparable {
    let pages: UInt64
    let faults: UInt64
    let firstSeen: UInt64

    init(_ figures: MemoryProcessFigures) {
      pages = figures.residentPages
      faults = figures.faults
      firstSeen = figures.firstSeen
    }

    static func < (left: Rank, right: Rank) -> Bool {
      (left.pages, left.faults, left.firstSeen) < (right.pages, right.faults, right.firstSeen)
    }
  }
}

extension EndedProcessTotals {
  fileprivate mutating func add(_ figures: MemoryProcessFigures) {
    processes += 1
    faults &+= figures.faults
    maps &+= figures.maps
    mappedBytes &+= figures.mappedBytes
    unmaps &+= figures.unmaps
    unmappedBytes &+= figures.unmappedBytes
    breakBytes &+= figures.breakBytes
  }
}
