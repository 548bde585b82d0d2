/// Section names as people type them.
func fuzzSectionName(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  unsafe FuzzInput.run(start, count) { bytes throws(EBPFError) in
    let name = SectionName(bytes.text)
    _ = name.programType
    _ = name.attachKind
    _ = name.lacksTarget
    _ = name.suggestion
  }
}
