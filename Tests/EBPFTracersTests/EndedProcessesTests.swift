import Testing

@testable import EBPFTracers

@Suite struct EndedProcessesTests {
  private func figures(_ number: UInt64, pages: UInt64) -> MemoryProcessFigures {
    var figures = MemoryProcessFigures()
    figures.firstSeen = number
    figures.anonymousPages = pages
    figures.faults = 1
    figures.maps = 2
    figures.mappedBytes = 3
    figures.unmaps = 4
    figures.unmappedBytes = 5
    figures.breakGrownBytes = 10
    figures.breakShrunkBytes = 4
    return figures
  }

  private func process(_ number: UInt64) -> ProcessIdentity {
    ProcessIdentity(start: number, image: 1, processID: UInt32(number))
  }

  @Test func `up to the limit every process is kept`() {
    var ended = EndedProcesses(limit: 10)
    for number in 0..<10 as Range<UInt64> { ended.add(process(number), figures(number, pages: 1)) }
    #expect(ended.kept.count == 10)
    #expect(ended.others == EndedProcessTotals())
  }

  @Test func `beyond it those that grew least are summed, the oldest first`() {
    var ended = EndedProcesses(limit: 10)
    // Two large ones early, then small ones.
    for number in 0..<11 as Range<UInt64> {
      ended.add(process(number), figures(number, pages: number < 2 ? 100 : 1))
    }
    #expect(Set(ended.kept.keys.map(\.processID)) == [0, 1, 8, 9, 10])
    #expect(ended.others.processes == 6)
  }

  @Test(arguments: [0, 1, 2, 10, 999])
  func `however many there are, memory is bounded and the sums are right`(limit: Int) {
    var ended = EndedProcesses(limit: limit)
    let count: UInt64 = 5000
    for number in 0..<count {
      ended.add(process(number), figures(number, pages: number % 7))
      #expect(ended.kept.count <= limit)
    }
    let others = ended.others
    #expect(others.processes + UInt64(ended.kept.count) == count)
    #expect(others.faults == others.processes)
    #expect(others.maps == 2 * others.processes && others.mappedBytes == 3 * others.processes)
    #expect(others.unmaps == 4 * others.processes && others.unmappedBytes == 5 * others.processes)
    #expect(others.breakBytes == 6 * Int64(others.processes))
  }
}
