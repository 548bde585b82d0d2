internal import EBPFObject

/// The `.eh_frame` of one file: which functions it describes, and where their programs are.
///
/// Layout: Linux Standard Base 5.0, Core, 10.6 "Exception Frames".
struct CallFrameInformation {
  /// What the descriptions of many functions have in common (CIE).
  struct Common {
    let codeAlignment: UInt64
    let dataAlignment: Int64
    let returnRegister: UInt64
    /// How a function's addresses are written.
    let pointerEncoding: UInt8
    /// A signal handler's return trampoline.
    let isSignal: Bool
    /// Descriptions begin with a counted block.
    let hasAugmentation: Bool
    let instructions: Range<Int>
  }

  /// The description of one function (FDE).
  struct Function {
    let start: UInt64
    let end: UInt64
    /// Index into ``CallFrameInformation/commons``.
    let common: Int
    let instructions: Range<Int>
  }

  let bytes: Bytes
  /// The address of the section's first byte.
  let address: UInt64
  private(set) var commons: [Common] = []
  /// The described functions that were read, by address.
  private(set) var functions: [Function] = []
  /// Entries that are not what they should be, and were left out.
  private(set) var malformed = 0
  /// Where each of ``commons`` was found.
  private var known: [Int: Int] = [:]

  /// Reads every entry, not their programs.
  init(_ bytes: Bytes, address: UInt64) {
    self.bytes = bytes
    self.address = address
    var position = 0
    // The shortest entry: a length, an id and something described.
    while position <= bytes.count - 8 {
      guard let next = readEntry(at: position) else { break }
      position = next
    }
    functions.sort { ($0.start, $0.end) < ($1.start, $1.end) }
  }

  /// Reads the descriptions at the given places, and what they have in common.
  init(_ bytes: Bytes, address: UInt64, descriptions: some Sequence<Int>) {
    self.bytes = bytes
    self.address = address
    for position in descriptions where readEntry(at: position) == nil { malformed += 1 }
    functions.sort { ($0.start, $0.end) < ($1.start, $1.end) }
  }

  /// Where an entry's body is, from its id on; nil when it does not fit.
  private func body(at position: Int) -> Range<Int>? {
    var cursor = FrameCursor(bytes, from: position, to: bytes.count)
    guard let short = cursor.integer(UInt32.self) else { return nil }
    var length = UInt64(short)
    if short == 0xffff_ffff {
      guard let long = cursor.integer(UInt64.self) else { return nil }
      length = long
    }
    let start = cursor.position
    if length == 0 { return start..<start }
    guard let size = Int(exactly: length), size >= 4, size <= bytes.count - start else {
      return nil
    }
    return start..<(start + size)
  }

  /// Reads one entry; returns where the next one begins, or nil when that is not known.
  private mutating func readEntry(at position: Int) -> Int? {
    guard let body = body(at: position) else {
      malformed += 1
      return nil
    }
    // A terminator; linkers leave several.
    if body.isEmpty { return body.upperBound }
    var entry = FrameCursor(bytes, from: body.lowerBound, to: body.upperBound)
    guard let id = entry.integer(UInt32.self) else { return nil }
    if id == 0 {
      if common(at: position) == nil { malformed += 1 }
      return body.upperBound
    }
    // The distance back from the id to the common entry.
    guard let distance = Int(exactly: id), distance <= body.lowerBound,
      let common = common(at: body.lowerBound - distance),
      let function = function(&entry, common: common)
    else {
      malformed += 1
      return body.upperBound
    }
    if function.start < function.end { functions.append(function) }
    return body.upperBound
  }

  /// The index of the common entry at a place, read now if it was not before.
  private mutating func common(at position: Int) -> Int? {
    if let index = known[position] { return index }
    guard let body = body(at: position) else { return nil }
    var entry = FrameCursor(bytes, from: body.lowerBound, to: body.upperBound)
    guard entry.integer(UInt32.self) == 0, let common = Common(&entry, address: address) else {
      return nil
    }
    known[position] = commons.count
    commons.append(common)
    return commons.count - 1
  }

  private func function(_ entry: inout FrameCursor, common index: Int) -> Function? {
    let common = commons[index]
    guard let start = entry.pointer(common.pointerEncoding, sectionAddress: address),
      // The size has the format of the pointer, and is relative to nothing.
      let size = entry.pointer(common.pointerEncoding & 0x0f, sectionAddress: 0),
      case (let end, false) = start.addingReportingOverflow(size)
    else { return nil }
    if common.hasAugmentation {
      guard let count = entry.unsigned(), entry.skip(count) else { return nil }
    }
    return Function(
      start: start, end: end, common: index, instructions: entry.position..<entry.end)
  }
}

extension CallFrameInformation.Common {
  fileprivate init?(_ entry: inout FrameCursor, address: UInt64) {
    guard let version = entry.integer(UInt8.self), version == 1 || version == 3 || version == 4,
      let augmentation = entry.text()
    else { return nil }
    if version == 4 {  // Address and segment selector sizes.
      guard entry.integer(UInt8.self) == 8, entry.integer(UInt8.self) == 0 else { return nil }
    }
    guard let code = entry.unsigned(), let data = entry.signed(),
      let register = version == 1 ? entry.integer(UInt8.self).map(UInt64.init) : entry.unsigned()
    else { return nil }
    var encoding: UInt8 = 0
    var isSignal = false
    let hasAugmentation = augmentation.first == UInt8(ascii: "z")
    if hasAugmentation {
      guard let count = entry.unsigned(), let size = Int(exactly: count),
        size <= entry.end - entry.position
      else { return nil }
      let end = entry.position + size
      for letter in augmentation.dropFirst() {
        switch letter {
        case UInt8(ascii: "R"):
          guard let read = entry.integer(UInt8.self) else { return nil }
          encoding = read
        case UInt8(ascii: "P"):
          guard let read = entry.integer(UInt8.self),
            // Indirect or not, it is passed over.
            entry.pointer(read & 0x0f, sectionAddress: 0) != nil
          else { return nil }
        case UInt8(ascii: "L"):
          guard entry.integer(UInt8.self) != nil else { return nil }
        case UInt8(ascii: "S"): isSignal = true
        case UInt8(ascii: "B"): break  // aarch64: return addresses are signed with key B.
        default: return nil
        }
      }
      guard entry.position <= end, entry.skip(UInt64(end - entry.position)) else { return nil }
    } else if !augmentation.isEmpty {
      return nil
    }
    codeAlignment = code
    dataAlignment = data
    returnRegister = register
    pointerEncoding = encoding
    self.isSignal = isSignal
    self.hasAugmentation = hasAugmentation
    instructions = entry.position..<entry.end
  }
}
