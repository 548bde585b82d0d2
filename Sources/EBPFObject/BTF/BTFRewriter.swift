/// Copies a blob type by type, so that each can be changed on the way. Ids and string offsets stay.
struct BTFRewriter {
  /// A type as words.
  struct RawType {
    var nameOffset: UInt32
    var info: UInt32
    var sizeOrType: UInt32
    /// What follows.
    var words: [UInt32]

    var kind: BTFKind {
      get { BTFType.kind(ofInfo: info) }
      set { info = info & 0x80ff_ffff | UInt32(newValue.rawValue) << 24 }
    }
    var kindFlag: Bool {
      get { info >> 31 == 1 }
      set { info = info & 0x7fff_ffff | (newValue ? 1 << 31 : 0) }
    }
    var count: Int {
      get { Int(info & 0xff_ffff) }
      set { info = info & 0xff00_0000 | UInt32(truncatingIfNeeded: newValue) & 0xff_ffff }
    }
  }

  let btf: BTF
  var builder: BTFBuilder
  var types: [RawType] = []

  /// Decodes every type of `btf`, not of its base.
  init(_ btf: BTF) throws(EBPFError) {
    self.btf = btf
    builder = BTFBuilder(stringsOf: btf)
    types.reserveCapacity(btf.offsets.count)
    for id in btf.firstID..<btf.typeCount { types.append(try Self.decode(id, btf)) }
  }

  /// The index in ``types`` of a type of this blob; nil for one of its base or past the end.
  func index(of id: UInt32) -> Int? {
    id >= btf.firstID && id < btf.typeCount ? Int(id - btf.firstID) : nil
  }

  /// Adds a type after all others; returns its id.
  mutating func add(
    _ kind: BTFKind, name: String, sizeOrType: UInt32, words: [UInt32] = []
  ) -> UInt32 {
    types.append(
      RawType(
        nameOffset: builder.string(name), info: UInt32(kind.rawValue) << 24,
        sizeOrType: sizeOrType, words: words))
    return btf.firstID + UInt32(types.count - 1)
  }

  /// The name of a type of this blob as it is now.
  func name(of type: RawType) throws(EBPFError) -> String { try btf.string(at: type.nameOffset) }

  /// The rewritten blob.
  consuming func build() -> [UInt8] {
    for type in types {
      _ = builder.add(
        nameOffset: type.nameOffset, info: type.info, sizeOrType: type.sizeOrType,
        words: type.words)
    }
    return builder.build()
  }

  private static func decode(_ id: UInt32, _ btf: BTF) throws(EBPFError) -> RawType {
    let start = Int(btf.offsets[Int(id - btf.firstID)])
    let info: UInt32 = try btf.types.load(at: start + 4, order: btf.order)
    let kind = Int(info >> 24 & 0x7f)
    // Parsing has checked that this is inside the section.
    let size = Int(btf.layout.fixed[kind]) + Int(info & 0xff_ffff) * Int(btf.layout.element[kind])
    guard size % 4 == 0 else {
      throw EBPFError(
        .unsupported, "type \(id) has kind \(kind), which is not a whole number of words long",
        context: [.type(id)])
    }
    var words: [UInt32] = []
    words.reserveCapacity(size / 4)
    for index in 0..<size / 4 {
      words.append(try btf.types.load(at: start + 12 + index * 4, order: btf.order))
    }
    return RawType(
      nameOffset: try btf.types.load(at: start, order: btf.order), info: info,
      sizeOrType: try btf.types.load(at: start + 8, order: btf.order), words: words)
  }
}
