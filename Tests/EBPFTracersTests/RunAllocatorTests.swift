import Testing

@testable import EBPFTracers

@Suite struct RunAllocatorTests {
  @Test func `runs never overlap, and what is given back joins its neighbours`() {
    var allocator = RunAllocator(count: 100)
    let runs = [allocator.take(30), allocator.take(30), allocator.take(40), allocator.take(1)]
    #expect(runs == [0..<30, 30..<60, 60..<100, nil])
    allocator.giveBack(0..<30)
    allocator.giveBack(60..<100)
    #expect(allocator.freeCount == 70)
    let tooLong = allocator.take(41)
    #expect(tooLong == nil, "70 places are free, but not in one piece")
    allocator.giveBack(30..<60)
    let all = allocator.take(100)
    #expect(all == 0..<100)
  }

  @Test func `random runs leave everything free at the end`() throws {
    var allocator = RunAllocator(count: 1_000)
    var generator = SystemRandomNumberGenerator()
    var held: [Range<UInt32>] = []
    for _ in 0..<5_000 {
      if let run = allocator.take(UInt32.random(in: 1...90, using: &generator)) {
        #expect(held.allSatisfy { !$0.overlaps(run) })
        held.append(run)
      }
      if held.count > 8 || held.count == 8 && Bool.random(using: &generator) {
        allocator.giveBack(held.remove(at: Int.random(in: held.indices, using: &generator)))
      }
      #expect(allocator.freeCount + held.reduce(0) { $0 + $1.count } == 1_000)
    }
    for run in held { allocator.giveBack(run) }
    let all = allocator.take(1_000)
    #expect(all == 0..<1_000)
  }

  @Test func `nothing is handed out for nothing`() {
    var allocator = RunAllocator(count: 0)
    let nothing = [allocator.take(0), allocator.take(1)]
    #expect(nothing == [nil, nil])
  }
}
