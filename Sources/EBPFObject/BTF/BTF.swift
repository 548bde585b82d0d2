internal import Synchronization

/// A table of C types in BPF Type Format: the kernel's, a module's, or an object file's.
///
/// Types are read in place: opening a blob makes one pass that notes where each type starts, and the
/// index of names is built when a name is first looked up. Safe to share between threads; that index
/// is published with one atomic store, so look-ups take no lock.
public final class BTF: Sendable {
  /// The whole blob.
  public let bytes: Bytes
  /// The byte order of the blob.
  public let order: ByteOrder
  /// The blob whose types and strings this one continues (split BTF, as of kernel modules).
  public let base: BTF?
  /// The id of the first type that is not the base's; 1 without a base.
  public let firstID: UInt32
  /// One more than the highest id; ids are `0 ..< typeCount`, the base's included, and 0 is `void`.
  public let typeCount: UInt32

  /// The header's length as it says.
  let headerLength: UInt32
  let types: Bytes
  let strings: Bytes
  /// The string offset at which ``strings`` begins: the length of the base's strings.
  let firstStringOffset: UInt32
  /// One more than the highest string offset.
  let stringEnd: UInt32
  /// Where each type starts in ``types``, from ``firstID`` on.
  let offsets: [UInt32]
  let layout: BTFKindLayout
  let typeNames = AtomicLazyReference<BTFNameIndex>()
  let functionNames = AtomicLazyReference<BTFNameIndex>()

  /// Opens a blob; with a base, ids and string offsets continue the base's.
  ///
  /// Checks the header, the strings' ends and that every type lies inside. References between types
  /// are checked when they are followed; ``BTFVerifier`` checks all of them.
  public init(parsing bytes: Bytes, base: BTF? = nil) throws(EBPFError) {
    let header = try BTFHeader(bytes)
    self.bytes = bytes
    self.base = base
    order = header.order
    headerLength = header.length
    types = header.types
    strings = header.strings
    if let base, base.order != header.order {
      throw EBPFError(.malformed, "the blob and its base have different byte orders")
    }
    firstStringOffset = base?.stringEnd ?? 0
    let (end, overflow) = firstStringOffset.addingReportingOverflow(UInt32(strings.count))
    guard !overflow else { throw EBPFError(.tooLarge, "more than 4 GiB of BTF strings") }
    stringEnd = end
    try Self.checkEnds(of: strings, isSplit: base != nil)

    var layout = BTFKindLayout()
    try layout.add(layoutSection: header.layout)
    self.layout = layout
    let firstID = base?.typeCount ?? 1
    offsets = try Self.scan(header.types, order: header.order, layout: layout, firstID: firstID)
    let (count, tooMany) = firstID.addingReportingOverflow(UInt32(offsets.count))
    guard !tooMany else { throw EBPFError(.tooLarge, "more than 2³² BTF types") }
    self.firstID = firstID
    typeCount = count
  }

  private static func checkEnds(of strings: Bytes, isSplit: Bool) throws(EBPFError) {
    if strings.count == 0 {
      guard isSplit else { throw EBPFError(.malformed, "the BTF string section is empty") }
      return
    }
    let (first, last) = (
      try strings.load(at: 0, as: UInt8.self),
      try strings.load(at: strings.count - 1, as: UInt8.self)
    )
    guard last == 0, isSplit || first == 0 else {
      throw EBPFError(
        .malformed, "the BTF string section must begin and end with a zero byte",
        context: [.offset(UInt64(clamping: strings.origin))])
    }
  }

  /// One pass over the types: where does each begin?
  private static func scan(
    _ types: Bytes, order: ByteOrder, layout: BTFKindLayout, firstID: UInt32
  ) throws(EBPFError) -> [UInt32] {
    // No type is smaller than 12 bytes. Pages of the reservation that stay unused are never touched.
    try [UInt32](capacity: types.count / 12) { (offsets) throws(EBPFError) in
      let span = types.span
      let end = types.count
      var position = 0
      while end - position >= 12,
        let info = span.integer(at: position + 4, as: UInt32.self, order: order)
      {
        let kind = BTFType.kind(ofInfo: info)
        // At most 12 + 255 + 2²⁴ × 255, far below Int.max.
        let count = Int(info & 0xff_ffff)
        let size: Int
        // The frequent kinds without a table: where the next type starts need not wait for it.
        switch kind {
        case .pointer, .const, .volatile, .restrict, .typedef, .function, .forward: size = 12
        case .functionPrototype, .enumeration: size = 12 + count * 8
        case .structure, .union: size = 12 + count * 12
        default:
          let fixed = layout.fixed[Int(kind.rawValue)]
          guard fixed != BTFKindLayout.unknown else {
            let id = UInt64(firstID) + UInt64(offsets.count)
            throw EBPFError(
              .unsupported, "type \(id) has kind \(kind.rawValue), which is not known",
              context: [
                .type(UInt32(clamping: id)), .offset(UInt64(clamping: types.origin + position)),
              ],
              hint: "the blob has no layout section that says how long it is; update this library")
          }
          size = 12 + Int(fixed) + count * Int(layout.element[Int(kind.rawValue)])
        }
        guard size <= end - position else {
          let id = UInt64(firstID) + UInt64(offsets.count)
          throw truncated(id, at: types.origin + position, left: end - position, wanted: size)
        }
        offsets.append(UInt32(truncatingIfNeeded: position))
        position += size
      }
      guard position == end else {
        let id = UInt64(firstID) + UInt64(offsets.count)
        throw truncated(id, at: types.origin + position, left: end - position, wanted: 12)
      }
    }
  }

  private static func truncated(_ id: UInt64, at offset: Int, left: Int, wanted: Int) -> EBPFError {
    EBPFError(
      .malformed, "type \(id) needs \(wanted) bytes, but the type section ends after \(left)",
      context: [.type(UInt32(clamping: id)), .offset(UInt64(clamping: offset))])
  }
}

// MARK: - Types

extension BTF {
  /// The type with this id; 0 is `void`.
  public func type(_ id: UInt32) throws(EBPFError) -> BTFType {
    guard id >= firstID else {
      if id == 0 { return .void }
      guard let base else { throw noType(id) }
      return try base.type(id)
    }
    guard id < typeCount else { throw noType(id) }
    let offset = Int(offsets[Int(id - firstID)])
    return BTFType(
      id: id, nameOffset: try types.load(at: offset, order: order),
      info: try types.load(at: offset + 4, order: order),
      sizeOrType: try types.load(at: offset + 8, order: order), dataOffset: offset + 12)
  }

  /// The blob of the base chain in which `id` is defined.
  func owner(of id: UInt32) -> BTF {
    var blob = self
    while id < blob.firstID, let base = blob.base { blob = base }
    return blob
  }

  private func noType(_ id: UInt32) -> EBPFError {
    EBPFError(
      .malformed, "there is no type \(id); the last one is \(typeCount - 1)", context: [.type(id)])
  }

  /// Where a type starts in the file its blob came from.
  public func fileOffset(of type: BTFType) -> UInt64 {
    UInt64(clamping: owner(of: type.id).types.origin + max(0, type.dataOffset - 12))
  }

  func wrongKind(_ type: BTFType, wanted: String) -> EBPFError {
    EBPFError(
      .malformed, "type \(type.id) is a \(type.kind), not \(wanted)",
      context: [.type(type.id), .offset(fileOffset(of: type))])
  }
}

// MARK: - Strings

extension BTF {
  /// The string at an offset of the string section, the base's included.
  public func string(at offset: UInt32) throws(EBPFError) -> String {
    let (bytes, start) = try place(ofString: offset)
    return try bytes.string(at: start)
  }

  /// The name of a type; empty for an anonymous one.
  public func name(of type: BTFType) throws(EBPFError) -> String {
    type.nameOffset == 0 ? "" : try string(at: type.nameOffset)
  }

  /// The section that holds a string, and where it starts in it.
  func place(ofString offset: UInt32) throws(EBPFError) -> (Bytes, Int) {
    guard let place = locate(string: offset) else { throw noString(offset) }
    return (place.bytes, place.start)
  }

  /// A string in the section that holds it. A structure: the runtime would have to make the type of an
  /// optional pair.
  struct StringPlace {
    let bytes: Bytes
    let start: Int
  }

  /// The same; nil for an offset past the end.
  func locate(string offset: UInt32) -> StringPlace? {
    if offset < firstStringOffset { return base?.locate(string: offset) }
    guard offset < stringEnd else { return nil }
    return StringPlace(bytes: strings, start: Int(offset - firstStringOffset))
  }

  private func noString(_ offset: UInt32) -> EBPFError {
    EBPFError(
      .malformed, "string offset \(offset) is past the end of the BTF strings (\(stringEnd) bytes)")
  }
}
