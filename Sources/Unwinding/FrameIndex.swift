internal import EBPFObject

/// The `.eh_frame_hdr` of one file: the described functions by address, each eight bytes.
///
/// Layout: Linux Standard Base 5.0, Core, 10.6.2. Only the form that linkers write is understood:
/// both columns 32-bit distances from the section's first byte.
struct FrameIndex {
  private let bytes: Bytes
  /// The address of the section's first byte.
  private let address: UInt64
  /// The first address of `.eh_frame`.
  let frames: UInt64
  /// Where the table begins.
  private let table: Int
  /// How many functions it lists; none when it has another form.
  let count: Int

  /// Nil when it makes no sense.
  init?(_ bytes: Bytes, address: UInt64) {
    self.bytes = bytes
    self.address = address
    var cursor = FrameCursor(bytes, from: 0, to: bytes.count)
    guard cursor.integer(UInt8.self) == 1, let encoding = cursor.integer(UInt8.self),
      let countEncoding = cursor.integer(UInt8.self), let form = cursor.integer(UInt8.self),
      let frames = cursor.pointer(encoding, sectionAddress: address)
    else { return nil }
    self.frames = frames
    let listed = cursor.pointer(countEncoding, sectionAddress: address).flatMap(Int.init(exactly:))
    table = cursor.position
    let isUnderstood = form == Self.understoodForm
    count = isUnderstood ? min(listed ?? 0, (bytes.count - table) / Self.entrySize) : 0
  }

  /// `DW_EH_PE_datarel | DW_EH_PE_sdata4`.
  private static let understoodForm: UInt8 = 0x3b
  private static let entrySize = 8

  /// The first address of a function; `index` is below ``count``.
  func start(of index: Int) -> UInt64 { value(at: table + index * Self.entrySize) }

  /// Where a function's description is; `index` is below ``count``.
  func description(of index: Int) -> UInt64 { value(at: table + index * Self.entrySize + 4) }

  private func value(at position: Int) -> UInt64 {
    let distance = bytes.span.integer(at: position, as: Int32.self) ?? 0
    return address &+ UInt64(bitPattern: Int64(distance))
  }
}
