/// The debug information of a file, and what it says of some of its addresses.
func fuzzDWARF(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  unsafe FuzzInput.run(start, count) { bytes throws(EBPFError) in
    let file = try ELFFile(bytes)
    guard var sources = try SourcePlaces(file) else { return }
    let text = file.section(named: ".text")
    let first = text?.address ?? file.entry
    let step = max(1, (text?.size ?? 0) / 64)
    let addresses = (0..<64).map { first &+ $0 &* step }
    precondition(sources.places(at: addresses).count == addresses.count)
  }
}

// What stands in for the modules that are not part of this one.

extension Bytes {
  var wasCutShort: Bool { false }
  var isInMemory: Bool { true }
  func releasePages() {}

  func nameLength(at offset: Int, atMost limit: Int) -> Int {
    min(limit, distanceToZero(from: offset) ?? max(0, count - offset))
  }
}
