public import EBPFObject

/// The memory of a process, by address: `/proc/PID/maps`.
public struct ProcessMaps: Sendable, Hashable {
  /// The mappings, sorted by address, without overlaps.
  public let mappings: [ProcessMapping]
  /// True when the process had more mappings than ``limit``, and the rest were left out.
  public let isTruncated: Bool

  /// The most mappings kept of one process; Linux allows 65,530 unless it was raised.
  public static let limit = 262_144

  /// Reads the text of `/proc/PID/maps`, keeping executable mappings, or all.
  public init(parsing text: [UInt8], executableOnly: Bool = true) throws(EBPFError) {
    var parser = ProcessMapsParser(text)
    var mappings: [ProcessMapping] = []
    var isTruncated = false
    var isSorted = true
    while let mapping = try parser.next(executableOnly: executableOnly) {
      guard mappings.count < Self.limit else {
        isTruncated = true
        break
      }
      if let last = mappings.last, last.end > mapping.start { isSorted = false }
      mappings.append(mapping)
    }
    if !isSorted {
      // The kernel walks a changing tree page by page: a mapping that moved may appear again.
      mappings.sort { ($0.start, $0.end) < ($1.start, $1.end) }
      var kept: [ProcessMapping] = []
      for mapping in mappings where kept.last.map({ $0.end <= mapping.start }) ?? true {
        kept.append(mapping)
      }
      mappings = kept
    }
    self.mappings = mappings
    self.isTruncated = isTruncated
  }

  /// The mapping that contains an address.
  public func mapping(containing address: UInt64) -> ProcessMapping? {
    index(containing: address).map { mappings[$0] }
  }

  /// The index in ``mappings`` of the one that contains an address.
  public func index(containing address: UInt64) -> Int? {
    var low = 0
    var high = mappings.count
    while low < high {
      let middle = low + (high - low) / 2
      if mappings[middle].start <= address { low = middle + 1 } else { high = middle }
    }
    guard low > 0, address < mappings[low - 1].end else { return nil }
    return low - 1
  }
}

/// Reads `/proc/PID/maps` line by line:
/// `start-end rwxp offset major:minor inode      path`.
private struct ProcessMapsParser {
  private let text: [UInt8]
  private var position = 0
  private var lineStart = 0

  init(_ text: [UInt8]) { self.text = text }

  mutating func next(executableOnly: Bool) throws(EBPFError) -> ProcessMapping? {
    while position < text.count {
      lineStart = position
      let start = try number(radix: 16, until: UInt8(ascii: "-"))
      let end = try number(radix: 16, until: UInt8(ascii: " "))
      guard start < end else { throw malformed() }
      let access = try access()
      let isKept = !executableOnly || access.contains(.execute)
      guard isKept else {
        skipLine()
        continue
      }
      let offset = try number(radix: 16, until: UInt8(ascii: " "))
      let major = try number(radix: 16, until: UInt8(ascii: ":"))
      let minor = try number(radix: 16, until: UInt8(ascii: " "))
      guard major <= 0xfff, minor <= 0xf_ffff else { throw malformed() }
      let inode = try number(radix: 10, until: UInt8(ascii: " "))
      var (path, isDeleted) = (path(), false)
      if path.hasPrefix("/"), path.hasSuffix(" (deleted)") {
        path.removeLast(" (deleted)".count)
        isDeleted = true
      }
      return ProcessMapping(
        start: start, end: end, fileOffset: offset, access: access, device: major << 20 | minor,
        inode: inode, path: path, isDeleted: isDeleted)
    }
    return nil
  }

  /// A number that ends at `terminator`, which is passed over; at the end of the line as well, for
  /// the inode of a mapping without a path.
  private mutating func number(radix: UInt64, until terminator: UInt8) throws(EBPFError) -> UInt64 {
    var value: UInt64 = 0
    let start = position
    while position < text.count, let digit = Self.digit(text[position]), digit < radix {
      let (product, overflow) = value.multipliedReportingOverflow(by: radix)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      guard !overflow, !carry else { throw malformed() }
      value = sum
      position += 1
    }
    guard position > start else { throw malformed() }
    if position < text.count, text[position] == terminator {
      position += 1
      return value
    }
    guard radix == 10, position == text.count || text[position] == 0x0a else { throw malformed() }
    return value
  }

  private static func digit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case 0x30...0x39: UInt64(byte - 0x30)
    case 0x61...0x66: UInt64(byte - 0x61 + 10)
    default: nil
    }
  }

  private mutating func access() throws(EBPFError) -> ProcessMapping.Access {
    guard text.count - position > 4, text[position + 4] == 0x20 else { throw malformed() }
    var access: ProcessMapping.Access = []
    if text[position] == UInt8(ascii: "r") { access.insert(.read) }
    if text[position + 1] == UInt8(ascii: "w") { access.insert(.write) }
    if text[position + 2] == UInt8(ascii: "x") { access.insert(.execute) }
    if text[position + 3] == UInt8(ascii: "s") { access.insert(.shared) }
    position += 5
    return access
  }

  /// The rest of the line without its padding. The kernel writes a line feed in a path as `\012`
  /// and leaves every other character alone.
  private mutating func path() -> String {
    while position < text.count, text[position] == 0x20 { position += 1 }
    var bytes: [UInt8] = []
    while position < text.count, text[position] != 0x0a {
      if text[position] == UInt8(ascii: "\\"), text[position...].starts(with: "\\012".utf8) {
        bytes.append(0x0a)
        position += 4
      } else {
        bytes.append(text[position])
        position += 1
      }
    }
    position += 1
    return String(decoding: bytes, as: UTF8.self)
  }

  private mutating func skipLine() {
    while position < text.count, text[position] != 0x0a { position += 1 }
    position += 1
  }

  private func malformed() -> EBPFError {
    let line = text[lineStart...].prefix { $0 != 0x0a }.prefix(120)
    return EBPFError(
      .malformed,
      "wanted a line of /proc/PID/maps, found '\(String(decoding: line, as: UTF8.self))'",
      context: [.offset(UInt64(lineStart))])
  }
}
