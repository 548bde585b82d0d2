/// Makes a BTF blob type by type: for feature probes, for rewriting, and for BTF written by hand.
///
/// Nothing is checked: what is asked for is what is written, so that invalid BTF can be made too.
/// Ids count from 1, or from the base's end.
public struct BTFBuilder: Sendable {
  /// The id that the next type gets.
  public private(set) var nextID: UInt32
  private var types: [UInt8] = []
  private var strings: [UInt8] = []
  private var stringOffsets: [String: UInt32] = [:]
  private let firstStringOffset: UInt32
  private let order: ByteOrder

  /// Starts an empty blob, or one that continues a base.
  public init(base: BTF? = nil, order: ByteOrder = .host) {
    nextID = base?.typeCount ?? 1
    firstStringOffset = base?.stringEnd ?? 0
    self.order = order
    if base == nil { strings = [0] }
  }

  /// Starts from the strings of an existing blob, so that its string offsets stay valid.
  init(stringsOf blob: BTF) {
    nextID = blob.firstID
    firstStringOffset = blob.firstStringOffset
    order = blob.order
    strings = blob.strings.array
  }

  /// The offset of a string, which is added when it is new.
  public mutating func string(_ text: String) -> UInt32 {
    if text.isEmpty { return 0 }
    if let offset = stringOffsets[text] { return offset }
    let offset = firstStringOffset + UInt32(strings.count)
    strings.append(contentsOf: text.utf8)
    strings.append(0)
    stringOffsets[text] = offset
    return offset
  }

  /// Adds a type from its words; returns its id.
  @discardableResult
  public mutating func add(
    _ kind: BTFKind, name: String = "", count: Int = 0, kindFlag: Bool = false,
    sizeOrType: UInt32 = 0, words: [UInt32] = []
  ) -> UInt32 {
    add(
      nameOffset: string(name),
      info: UInt32(kind.rawValue) << 24 | UInt32(truncatingIfNeeded: count) & 0xff_ffff
        | (kindFlag ? 1 << 31 : 0),
      sizeOrType: sizeOrType, words: words)
  }

  mutating func add(
    nameOffset: UInt32, info: UInt32, sizeOrType: UInt32, words: [UInt32]
  ) -> UInt32 {
    append(nameOffset)
    append(info)
    append(sizeOrType)
    for word in words { append(word) }
    defer { nextID += 1 }
    return nextID
  }

  /// Adds words that follow the type added last.
  mutating func append(_ word: UInt32) {
    Self.append(word, to: &types, order)
  }

  /// The finished blob.
  public func build() -> [UInt8] {
    let length = UInt32(types.count)
    var blob: [UInt8] = []
    Self.append(BTFHeader.magic, to: &blob, order)
    blob.append(1)
    blob.append(0)
    for word in [BTFHeader.minimumLength, 0, length, length, UInt32(strings.count)] {
      Self.append(word, to: &blob, order)
    }
    return blob + types + strings
  }

  private static func append<Value: FixedWidthInteger>(
    _ value: Value, to bytes: inout [UInt8], _ order: ByteOrder
  ) {
    for index in 0..<Value.bitWidth / 8 {
      let shift = order == .little ? index * 8 : Value.bitWidth - 8 - index * 8
      bytes.append(UInt8(truncatingIfNeeded: value >> Value(shift)))
    }
  }
}

// MARK: - Kinds

extension BTFBuilder {
  /// A field for ``structure(_:size:members:)``.
  public struct Member: Sendable {
    let name: String
    let typeID: UInt32
    let bitOffset: UInt32
    let bitFieldSize: UInt32
    /// A field, by bit offset; with a width, a bitfield.
    public init(_ name: String, _ typeID: UInt32, bitOffset: UInt32, bitFieldSize: UInt32 = 0) {
      self.name = name
      self.typeID = typeID
      self.bitOffset = bitOffset
      self.bitFieldSize = bitFieldSize
    }
  }

  /// Adds an `INT`; encoding 1 is signed, 2 a character, 4 a boolean.
  public mutating func int(
    _ name: String, size: UInt32, encoding: UInt32 = 0, bits: UInt32? = nil, bitOffset: UInt32 = 0
  ) -> UInt32 {
    add(
      .int, name: name, sizeOrType: size,
      words: [encoding << 24 | bitOffset << 16 | (bits ?? size &* 8)])
  }

  /// Adds a kind that only refers to another type: pointer, modifiers, typedef, type tag.
  public mutating func reference(
    _ kind: BTFKind, to typeID: UInt32, name: String = ""
  ) -> UInt32 {
    add(kind, name: name, sizeOrType: typeID)
  }

  /// Adds an `ARRAY`.
  public mutating func array(of element: UInt32, index: UInt32, count: UInt32) -> UInt32 {
    add(.array, words: [element, index, count])
  }

  /// Adds a struct, or with `kind` a union; the kind flag is set if any member is a bitfield.
  public mutating func structure(
    _ name: String, size: UInt32, members: [Member], kind: BTFKind = .structure
  ) -> UInt32 {
    let kindFlag = members.contains { $0.bitFieldSize != 0 }
    var words: [UInt32] = []
    for member in members {
      let bits = kindFlag ? member.bitFieldSize << 24 : 0
      words += [string(member.name), member.typeID, bits | member.bitOffset]
    }
    return add(
      kind, name: name, count: members.count, kindFlag: kindFlag, sizeOrType: size, words: words)
  }

  /// Adds an `ENUM`, or an `ENUM64` for a size of 8 with `wide`.
  public mutating func enumeration(
    _ name: String, size: UInt32 = 4, isSigned: Bool = false, wide: Bool = false,
    values: [(String, Int64)]
  ) -> UInt32 {
    var words: [UInt32] = []
    for (name, value) in values {
      words += [string(name), UInt32(truncatingIfNeeded: value)]
      if wide { words.append(UInt32(truncatingIfNeeded: value >> 32)) }
    }
    return add(
      wide ? .enumeration64 : .enumeration, name: name, count: values.count, kindFlag: isSigned,
      sizeOrType: size, words: words)
  }

  /// Adds a `FUNC_PROTO`.
  public mutating func prototype(
    returning result: UInt32, parameters: [(String, UInt32)]
  ) -> UInt32 {
    var words: [UInt32] = []
    for (name, typeID) in parameters { words += [string(name), typeID] }
    return add(.functionPrototype, count: parameters.count, sizeOrType: result, words: words)
  }

  /// Adds a `FUNC`.
  public mutating func function(
    _ name: String, prototype: UInt32, linkage: BTFLinkage = .global
  ) -> UInt32 {
    add(.function, name: name, count: Int(linkage.rawValue), sizeOrType: prototype)
  }

  /// Adds a `VAR`.
  public mutating func variable(
    _ name: String, type: UInt32, linkage: BTFLinkage = .global
  ) -> UInt32 {
    add(.variable, name: name, sizeOrType: type, words: [linkage.rawValue])
  }

  /// Adds a `DATASEC`.
  public mutating func dataSection(
    _ name: String, size: UInt32, variables: [(typeID: UInt32, offset: UInt32, size: UInt32)]
  ) -> UInt32 {
    add(
      .dataSection, name: name, count: variables.count, sizeOrType: size,
      words: variables.flatMap { [$0.typeID, $0.offset, $0.size] })
  }

  /// Adds a `DECL_TAG` on a type, or on one member or parameter of it.
  public mutating func declarationTag(
    _ name: String, on typeID: UInt32, component: Int32 = -1
  ) -> UInt32 {
    add(
      .declarationTag, name: name, sizeOrType: typeID, words: [UInt32(bitPattern: component)])
  }
}
