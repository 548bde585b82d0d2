/// Type information: every type, name, member and size.
func fuzzBTF(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  unsafe FuzzInput.run(start, count) { bytes throws(EBPFError) in
    let btf = try BTF(parsing: bytes)
    for id in 0..<btf.typeCount {
      FuzzInput.attempt { () throws(EBPFError) in
        let type = try btf.type(id)
        _ = try btf.name(of: type)
        _ = try btf.size(of: id)
      }
    }
    _ = try btf.firstID(named: "task_struct", kind: .structure)
  }
}
