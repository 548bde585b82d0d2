import EBPFObject
import Testing

@Suite struct BytesTests {
  private let slice: Bytes

  init() throws {
    slice = try Bytes([1, 2, 3, 4, 5, 6, 7, 8]).slice(at: 4, count: 4)
  }

  @Test(arguments: [Int.min, -1, 4, 5, .max])
  func `no offset from a file makes a look outside`(offset: Int) {
    #expect(slice.distanceToZero(from: offset) == nil)
    #expect(throws: EBPFError.self) { try slice.string(at: offset) }
    #expect(throws: EBPFError.self) { try slice.load(at: offset, as: UInt8.self) }
    #expect(throws: EBPFError.self) { try slice.slice(at: offset, count: 1) }
    #expect(throws: EBPFError.self) { try slice.slice(at: UInt64.max, count: UInt64.max) }
  }

  @Test func `an error names the offset in the file and not in the slice`() {
    let error = #expect(throws: EBPFError.self) { try slice.load(at: 1, as: UInt32.self) }
    #expect(
      error?.description == """
        malformed: the data ends too early: wanted 4 bytes, 3 remain
          offset       0x5
          hint         the file may have been copied only in part
        """)
  }

  @Test func `both byte orders are read`() throws {
    #expect(try slice.load(at: 0, as: UInt32.self) == 0x0807_0605)
    #expect(try slice.load(at: 0, as: UInt32.self, order: .big) == 0x0506_0708)
  }
}
