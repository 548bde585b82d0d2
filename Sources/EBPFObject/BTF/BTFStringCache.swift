/// The last few short strings read from a blob: records that follow each other ask for the same ones.
struct BTFStringCache {
  private var entries = [(offset: UInt32, string: String)?](repeating: nil, count: 64)

  /// The string at an offset, which must be a short one.
  mutating func string(at offset: UInt32, in btf: BTF) throws(EBPFError) -> String {
    let place = Int(offset % 64)
    if let entry = entries[place], entry.offset == offset { return entry.string }
    let string = try btf.shortString(at: offset)
    entries[place] = (offset, string)
    return string
  }
}
