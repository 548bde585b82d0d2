/// The types of one blob by essential name: a hash table whose chains are neighbours in memory.
///
/// A chain is in order of id. The essential name is what is left without a CO-RE flavour, so that one
/// table answers both exact look-ups and candidate searches.
final class BTFNameIndex: Sendable {
  /// A type, and the whole hash of its name, so that other names of a chain need not be read.
  private struct Entry {
    var hash: UInt32
    var id: UInt32
  }

  /// Where each chain starts in ``entries``; the next chain's start is its end.
  private let starts: [UInt32]
  private let entries: [Entry]

  /// Differs in each process, so that no file can be made to put all its names into one chain.
  private static let seed = UInt32.random(in: 1...UInt32.max)

  /// Indexes the types of `blob` itself (not its base's) whose kind is wanted and which have a name.
  init(_ blob: BTF, includes: (BTFKind) -> Bool) {
    let named = Self.named(blob, BTFKind.flags(includes))
    var size = 16
    while size < named.count { size *= 2 }
    let mask = UInt32(size - 1)
    var starts = [UInt32](repeating: 0, count: size + 1)
    for entry in named { starts[Int(entry.hash & mask)] += 1 }
    var end: UInt32 = 0
    for slot in starts.indices {
      end += starts[slot]
      starts[slot] = end
    }
    // From the last one on, each in front of those already there.
    var entries = [Entry](repeating: Entry(hash: 0, id: 0), count: named.count)
    for entry in named.reversed() {
      let slot = Int(entry.hash & mask)
      starts[slot] -= 1
      entries[Int(starts[slot])] = entry
    }
    self.starts = starts
    self.entries = entries
  }

  /// The types that are wanted, in order of id.
  private static func named(_ blob: BTF, _ wanted: [Bool]) -> [Entry] {
    var named: [Entry] = []
    let (typeBytes, stringBytes) = (blob.types, blob.strings)
    let (types, strings) = (typeBytes.span, stringBytes.span)
    for (index, offset) in blob.offsets.enumerated() {
      guard let info = types.integer(at: Int(offset) + 4, as: UInt32.self, order: blob.order),
        wanted[Int(info >> 24 & 0x7f)],
        let name = types.integer(at: Int(offset), as: UInt32.self, order: blob.order), name != 0
      else { continue }
      let hash: UInt32
      if name >= blob.firstStringOffset, name < blob.stringEnd {
        hash = scan(strings, from: Int(name - blob.firstStringOffset)).essentialHash
      } else if let place = blob.locate(string: name) {
        hash = scan(place.bytes.span, from: place.start).essentialHash
      } else {
        // A name that is not there cannot be looked up; reading this type's name throws.
        continue
      }
      named.append(Entry(hash: hash, id: blob.firstID + UInt32(index)))
    }
    return named
  }

  /// The ids whose essential name has this hash, in order; the caller compares the names.
  func candidates(_ hash: UInt32) -> Candidates {
    let slot = Int(hash) & (starts.count - 2)
    return Candidates(
      index: self, hash: hash, position: Int(starts[slot]), end: Int(starts[slot + 1]))
  }

  /// A walk along one chain.
  struct Candidates: Sequence, IteratorProtocol {
    fileprivate let index: BTFNameIndex
    fileprivate let hash: UInt32
    fileprivate var position: Int
    fileprivate let end: Int

    mutating func next() -> UInt32? {
      while position < end {
        let entry = index.entries[position]
        position += 1
        if entry.hash == hash { return entry.id }
      }
      return nil
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

  /// Measures and hashes a name given as text; a name in BTF cannot have a zero byte, nor what follows it.
  static func scan(_ name: String) -> BTFScannedName {
    let bytes = name.utf8Span.span
    var scanner = NameScanner(hash: seed)
    for index in bytes.indices {
      if bytes[index] == 0 { return scanner.finish(length: index) }
      scanner.take(bytes[index], at: index)
    }
    return scanner.finish(length: bytes.count)
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
