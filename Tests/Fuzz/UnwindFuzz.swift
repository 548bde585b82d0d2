/// The unwind rows of a file: from `.eh_frame`, and from machine code.
func fuzzUnwind(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  unsafe FuzzInput.run(start, count) { bytes throws(EBPFError) in
    let source = try UnwindSource(try ELFFile(bytes))
    for part in source.parts.indices.prefix(4) {
      let rows = try source.table(ofPart: part, rowLimit: 1 << 20).rows
      for (row, next) in zip(rows, rows.dropFirst()) { precondition(row.offset < next.offset) }
    }
  }
}
