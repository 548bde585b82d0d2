/// Function, line and CO-RE information, over the type information of the fixture in front of it:
/// the first four bytes are the size of a .BTF section, .BTF.ext follows it.
func fuzzBTFExt(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  unsafe FuzzInput.run(start, count) { bytes throws(EBPFError) in
    let size = UInt64(try bytes.load(at: 0, as: UInt32.self))
    let btf = try BTF(parsing: try bytes.slice(at: UInt64(4), count: size))
    let rest = UInt64(bytes.count) - 4 - size
    _ = try BTFExt(parsing: try bytes.slice(at: 4 + size, count: rest), btf: btf)
  }
}
