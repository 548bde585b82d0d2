/// The types of one blob by essential name: a hash table in three integer arrays.
///
/// A chain is in order of id. The essential name is what is left without a CO-RE flavour, so that one
/// table answers both exact look-ups and candidate searches.
final class BTFNameIndex: Sendable {
  /// Entry index + 1 of each chain's first element; 0 for an empty chain.
  private let heads: [UInt32]
  /// Entry index + 1 of the next element of the chain.
  private let next: [UInt32]
  private let ids: [UInt32]

  /// Differs in each process, so that no file can be made to put all its names into one chain.
  private static let seed = UInt32.random(in: 1...UInt32.max)

  /// Indexes the types of `blob` itself (not its base's) whose kind is wanted and which have a name.
  init(_ blob: BTF, includes: (BTFKind) -> Bool) {
    let wanted = BTFKind.flags(includes)
    var ids: [UInt32] = []
    var hashes: [UInt32] = []
    let (typeBytes, stringBytes) = (blob.types, blob.strings)
    let (types, strings) = (typeBytes.span, stringBytes.span)
    for (index, offset) in blob.offsets.enumerated() {
      guard let info = types.integer(at: Int(offset) + 4, as: UInt32.self, order: blob.order),
        wanted[Int(info >> 24 & 0x7f)],
        let name = types.integer(at: Int(offset), as: UInt32.self, order: blob.order), name != 0
      else { continue }
      if name >= blob.firstStringOffset, name < blob.stringEnd {
        hashes.append(
          Self.scan(strings, from: Int(name - blob.firstStringOffset)).essentialHash)
      } else if let place = blob.locate(string: name) {
        hashes.append(Self.scan(place.bytes.span, from: place.start).essentialHash)
      } else {
        // A name that is not there cannot be looked up; reading this type's name throws.
        continue
      }
      ids.append(blob.firstID + UInt32(index))
    }
    var size = 16
    while size < ids.count { size *= 2 }
    var heads = [UInt32](repeating: 0, count: size)
    var next = [UInt32](repeating: 0, count: ids.count)
    let mask = UInt32(size - 1)
    for entry in ids.indices.reversed() {
      let slot = Int(hashes[entry] & mask)
      next[entry] = heads[slot]
      heads[slot] = UInt32(entry + 1)
    }
    self.heads = heads
    self.next = next
    self.ids = ids
  }

  /// The ids whose essential name may have this hash, in order; the caller compares the names.
  func candidates(_ hash: UInt32) -> Candidates {
    Candidates(index: self, entry: heads[Int(hash) & (heads.count - 1)])
  }

  /// A walk along one chain.
  struct Candidates: Sequence, IteratorProtocol {
    fileprivate let index: BTFNameIndex
    fileprivate var entry: UInt32

    mutating func next() -> UInt32? {
      guard entry != 0 else { return nil }
      let current = Int(entry - 1)
      entry = index.next[current]
      return index.ids[current]
    }
  }
}

// MARK: - Names

/// A name, measured once.
struct BTFScannedName {
  /// The length without the terminating zero.
  var length: Int
  /// The length without the flavour.
  var essentialLength: Int
  /// The hash of the essential name.
  var essentialHash: UInt32
}

extension BTFNameIndex {
  /// Measures and hashes the zero-terminated name at `start`.
  ///
  /// A flavour is what follows the last `___` that has a character other than `_` on both sides:
  /// `task_struct___old` is a local name for `task_struct`.
  static func scan(_ bytes: RawSpan, from start: Int) -> BTFScannedName {
    var scanner = NameScanner(hash: seed)
    var position = start
    while position < bytes.byteCount {
      let byte = bytes.byte(at: position)
      if byte == 0 { break }
      scanner.take(byte, at: position - start)
      position += 1
    }
    return scanner.finish(length: position - start)
  }

  /// Measures and hashes a name given as text.
  static func scan(_ name: String) -> BTFScannedName {
    var scanner = NameScanner(hash: seed)
    var length = 0
    for byte in name.utf8 {
      scanner.take(byte, at: length)
      length += 1
    }
    return scanner.finish(length: length)
  }

  private struct NameScanner {
    var hash: UInt32
    var underscores = 0
    var runStart = 0
    var hashBeforeRun: UInt32 = 0
    var flavour: (length: Int, hash: UInt32)?

    @inline(__always)
    mutating func take(_ byte: UInt8, at index: Int) {
      if byte == 0x5f {
        if underscores == 0 {
          runStart = index
          hashBeforeRun = hash
        }
        underscores += 1
      } else {
        if underscores == 3, runStart > 0 { flavour = (runStart, hashBeforeRun) }
        underscores = 0
      }
      // FNV-1a.
      hash = (hash ^ UInt32(byte)) &* 16_777_619
    }

    func finish(length: Int) -> BTFScannedName {
      let hash = flavour?.hash ?? hash
      return BTFScannedName(
        length: length, essentialLength: flavour?.length ?? length,
        essentialHash: hash ^ (hash >> 15))
    }
  }
}
