/// Every table of an ELF file, of every class and byte order.
func fuzzELF(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  unsafe FuzzInput.run(start, count) { bytes throws(EBPFError) in
    let file = try ELFFile(bytes)
    for section in file.sections {
      FuzzInput.attempt { () throws(EBPFError) in
        _ = try file.contents(of: section)
        let table = try file.symbols(in: section)
        for index in 0..<min(table.count, 4096) {
          _ = try table.name(of: try table.symbol(at: index))
        }
      }
      FuzzInput.attempt { () throws(EBPFError) in _ = try file.relocations(in: section) }
    }
    _ = file.fileOffset(ofAddress: file.entry)
    _ = file.anomalies()
    FuzzInput.attempt { () throws(EBPFError) in _ = try file.buildID }
    FuzzInput.attempt { () throws(EBPFError) in _ = try file.debugLink }
    FuzzInput.attempt { () throws(EBPFError) in _ = try file.interpreter }
    FuzzInput.attempt { () throws(EBPFError) in _ = try file.dynamicInformation() }
    FuzzInput.attempt { () throws(EBPFError) in _ = try file.usdtProbes() }
    FuzzInput.attempt { () throws(EBPFError) in _ = try file.functions(named: "main") }
  }
}
