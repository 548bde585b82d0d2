public import EBPFObject
import EBPFSystem

/// The functions that a just-in-time compiler wrote to `/tmp/perf-PID.map`: `start size name`, a line
/// each, the numbers hexadecimal.
///
/// Compilers write while we read and reuse addresses: a damaged line is passed over and counted, and
/// of two entries for one address the later line holds.
public struct PerfMapFile: Sendable {
  private struct Entry {
    var start: UInt64
    var size: UInt64
    /// Where the name is in `text`; also the order of the lines.
    var name: Int
    var nameLength: Int
  }

  private let entries: [Entry]
  private let text: [UInt8]
  /// The lines that were not understood.
  public let skippedLines: Int

  /// The most of a file that is read.
  public static let sizeLimit = 256 << 20
  /// The most entries that are kept.
  public static let entryLimit = 4_000_000
  /// How far back an entry may begin that covers an address past the start of another.
  private static let reach = 64

  /// Reads the text of a perf map file.
  public init(parsing text: [UInt8]) {
    var entries: [Entry] = []
    var skipped = 0
    var position = 0
    while position < text.count, entries.count < Self.entryLimit {
      let end = text[position...].firstIndex(of: 0x0a) ?? text.endIndex
      if let entry = Self.entry(text, position..<end) {
        entries.append(entry)
      } else if end > position {
        skipped += 1
      }
      position = end + 1
    }
    entries.sort { ($0.start, $0.name) < ($1.start, $1.name) }
    self.entries = entries
    self.text = text
    skippedLines = skipped
  }

  /// Reads the map of a process, in its own file system and by the id it knows itself by.
  ///
  /// Throws `notFound` when there is none.
  public static func load(pid: Int32, namespaceID: Int32) throws(EBPFError) -> PerfMapFile {
    let path = "/proc/\(pid)/root/tmp/perf-\(namespaceID).map"
    do throws(Errno) {
      return PerfMapFile(parsing: try ProcessFile.readUntrusted(path, limit: sizeLimit))
    } catch {
      throw EBPFError(
        error == .noEntry ? .notFound : .system, "the perf map file cannot be read",
        context: [.file(path)],
        systemCall: .init(call: "open", errno: error.rawValue, name: error.name))
    }
  }

  private static func entry(_ text: [UInt8], _ line: Range<Int>) -> Entry? {
    var position = line.lowerBound
    guard let start = number(text, &position, line.upperBound),
      let size = number(text, &position, line.upperBound), size > 0,
      position < line.upperBound
    else { return nil }
    var end = line.upperBound
    if text[end - 1] == 0x0d { end -= 1 }
    return Entry(start: start, size: size, name: position, nameLength: end - position)
  }

  /// A hexadecimal number, perhaps after `0x`, and the blanks after it.
  private static func number(_ text: [UInt8], _ position: inout Int, _ end: Int) -> UInt64? {
    if end - position > 2, text[position] == 0x30, text[position + 1] | 0x20 == 0x78 {
      position += 2
    }
    let start = position
    var value: UInt64 = 0
    while position < end, let digit = text[position].hexadecimalValue {
      guard value >> 60 == 0 else { return nil }
      value = value << 4 | UInt64(digit)
      position += 1
    }
    guard position > start, position < end, text[position] == 0x20 || text[position] == 0x09 else {
      return nil
    }
    while position < end, text[position] == 0x20 || text[position] == 0x09 { position += 1 }
    return value
  }

  /// The number of entries.
  public var count: Int { entries.count }

  /// The name and start of the code at an address.
  public func function(at address: UInt64) -> (name: String, address: UInt64)? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = low + (high - low) / 2
      if entries[middle].start <= address { low = middle + 1 } else { high = middle }
    }
    var best: Entry?
    for entry in entries[max(0, low - Self.reach)..<low]
    where address - entry.start < entry.size && entry.name > best?.name ?? -1 {
      best = entry
    }
    guard let best else { return nil }
    let name = text[best.name..<(best.name + best.nameLength)]
    return (String(decoding: name, as: UTF8.self), best.start)
  }
}
