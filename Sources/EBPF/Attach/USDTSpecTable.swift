internal import EBPFSystem
internal import Synchronization

/// The entries of `__bpf_usdt_specs`, the map in which a USDT program looks up, by the cookie of the
/// place that was hit, where the probe's arguments are.
///
/// Places whose arguments are written alike share an entry; an entry is free again when the last
/// attachment that uses it ends.
final class USDTSpecTable: Sendable {
  /// The map's name in every object that is built with libbpf's `usdt.bpf.h`.
  static let mapName = "__bpf_usdt_specs"
  /// `BPF_USDT_MAX_ARG_CNT`.
  static let mostArguments = 12

  private struct Entry {
    var bytes: [UInt8]
    var users: Int
  }

  private let map: RawMap
  private let entries = Mutex<[UInt32: Entry]>([:])

  init(_ map: RawMap) { self.map = map }

  /// One use of an entry; ends with the value.
  final class Lease: Sendable {
    /// The entry's number, which is the cookie of the place.
    let id: UInt32
    private let table: USDTSpecTable

    fileprivate init(_ id: UInt32, _ table: USDTSpecTable) {
      self.id = id
      self.table = table
    }

    deinit { table.release(id) }
  }

  /// An entry that says this.
  func lease(_ arguments: [USDTArgument], cookie: UInt64) throws(EBPFError) -> Lease {
    guard arguments.count <= Self.mostArguments else {
      throw EBPFError(
        .unsupported, "the probe has \(arguments.count) arguments, more than \(Self.mostArguments)")
    }
    guard map.keySize == 4, map.valueSize == Self.size else {
      throw EBPFError(
        .layoutMismatch,
        "map '\(Self.mapName)' has keys of \(map.keySize) and values of \(map.valueSize) bytes, not "
          + "4 and \(Self.size)",
        hint: "compile the object with the usdt.bpf.h of libbpf 1.0 or newer")
    }
    let bytes = Self.bytes(arguments, cookie: cookie)
    let id = try entries.withLock { (entries) throws(EBPFError) -> UInt32 in
      if let same = entries.first(where: { $0.value.bytes == bytes })?.key {
        entries[same]?.users += 1
        return same
      }
      var id: UInt32 = 0
      while entries[id] != nil { id += 1 }
      guard id < map.information.maxEntries else {
        throw EBPFError(
          .tooLarge, "the probes have more kinds of arguments than '\(Self.mapName)' has room for",
          context: [.map(Self.mapName)],
          hint: "raise it before loading: max_entries is \(map.information.maxEntries)")
      }
      try map.update(Self.raw(id), bytes)
      entries[id] = Entry(bytes: bytes, users: 1)
      return id
    }
    return Lease(id, self)
  }

  private func release(_ id: UInt32) {
    entries.withLock { entries in
      entries[id]?.users -= 1
      if entries[id]?.users == 0 { entries[id] = nil }
    }
  }

  // MARK: struct __bpf_usdt_spec

  private static func raw(_ value: some BitwiseCopyable) -> [UInt8] {
    BitwiseBytes.read(value) { BitwiseBytes.array($0) }
  }

  /// Twelve arguments of 16 bytes, the cookie, the number of arguments, padding.
  private static let size = 16 * mostArguments + 16

  private static func bytes(_ arguments: [USDTArgument], cookie: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    for argument in arguments { bytes += Self.bytes(argument) }
    bytes += [UInt8](repeating: 0, count: 16 * (mostArguments - arguments.count))
    bytes += Self.raw(cookie)
    bytes += Self.raw(UInt16(arguments.count))
    return bytes + [UInt8](repeating: 0, count: 6)
  }

  /// `struct __bpf_usdt_arg_spec`: a number; what it means; an index register's offset and shift; a
  /// register's offset; whether to extend the sign; by how many bits to shift left and right again.
  private static func bytes(_ argument: USDTArgument) -> [UInt8] {
    let (number, kind, packed, register): (Int64, UInt8, UInt16, Int16) =
      switch argument.place {
      case .constant(let value): (value, 0, 0, 0)
      case .register(let register): (0, 1, 0, register)
      case .memory(let register, let distance): (distance, 2, 0, register)
      case .indexed(let register, let index, let shift, let distance):
        (distance, 3, UInt16(index) & 0xfff | UInt16(shift) << 12, register)
      }
    return Self.raw(number) + [kind] + Self.raw(packed) + [0]
      + Self.raw(register)
      + [argument.isSigned ? 1 : 0, UInt8(64 - 8 * argument.size)]
  }
}
