extension LoadedObject {
  /// The map of that name with Swift types for its keys and values.
  ///
  /// Sizes are compared with the kernel's. A type that is ``BTFRepresentable`` is compared with the
  /// object's own C type before, field by field, where the object says which type that is.
  public func map<Key: BitwiseCopyable & Sendable, Value: BitwiseCopyable & Sendable>(
    _ name: String, key: Key.Type = Key.self, value: Value.Type = Value.self
  ) throws(EBPFError) -> Map<Key, Value> {
    let raw = try map(name)
    try types.check(key: Key.self, value: Value.self, of: raw.name)
    return try Map(raw)
  }

  /// The per-CPU map of that name, checked in the same way.
  public func perCPUMap<Key: BitwiseCopyable & Sendable, Value: BitwiseCopyable & Sendable>(
    _ name: String, key: Key.Type = Key.self, value: Value.Type = Value.self
  ) throws(EBPFError) -> PerCPUMap<Key, Value> {
    let raw = try map(name)
    try types.check(key: Key.self, value: Value.self, of: raw.name)
    return try PerCPUMap(raw)
  }
}

/// The C types of an object's keys and values.
struct MapTypes: Sendable {
  private let btf: BTF?
  private let ids: [String: (key: UInt32, value: UInt32)]

  init(_ object: ObjectFile) {
    btf = object.btf
    ids = Dictionary(
      object.maps.map { ($0.name, ($0.keyTypeID, $0.valueTypeID)) }, uniquingKeysWith: { $1 })
  }

  /// Compares the types that say what C structure they mirror.
  func check<Key: BitwiseCopyable, Value: BitwiseCopyable>(
    key: Key.Type, value: Value.Type, of name: String
  ) throws(EBPFError) {
    guard let btf, let ids = ids[name] else { return }
    let layout = BTFLayout(btf)
    try EBPFError.at(.map(name)) { () throws(EBPFError) in
      if ids.key != 0, key is any BTFRepresentable.Type {
        try layout.check(key, against: ids.key, isKey: true)
      }
      if ids.value != 0, value is any BTFRepresentable.Type {
        try layout.check(value, against: ids.value)
      }
    }
  }
}
