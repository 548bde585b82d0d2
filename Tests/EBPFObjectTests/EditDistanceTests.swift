import EBPFObject
import Testing

@Suite struct EditDistanceTests {
  @Test func `edits are counted up to the limit`() {
    var distance = EditDistance(from: "kitten".utf8)
    #expect(distance.edits(to: "sitting".utf8, atMost: 3) == 3)
    #expect(distance.edits(to: "sitting".utf8, atMost: 2) == nil)
    #expect(distance.edits(to: "kitten".utf8, atMost: 0) == 0)
    #expect(distance.edits(to: "".utf8, atMost: 6) == 6)
    #expect(distance.edits(to: "".utf8, atMost: 5) == nil)
    var empty = EditDistance(from: "".utf8)
    #expect(empty.edits(to: "ab".utf8, atMost: 2) == 2)
    #expect(empty.edits(to: "".utf8, atMost: 0) == 0)
  }
}
