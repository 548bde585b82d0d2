/// One of the repeated records that follow a type: a member, a parameter, an enumerator or a variable.
public protocol BTFRecord: Sendable, Hashable {
  /// Decodes the record's two or three words.
  init(words: BTFRecordWords, of type: BTFType)
}

/// The words of one record; the third is 0 where a record has two.
public struct BTFRecordWords: Sendable {
  let first: UInt32
  let second: UInt32
  let third: UInt32
}

/// The records of one type, decoded as they are asked for.
public struct BTFRecords<Element: Sendable>: Sendable {
  private let bytes: Bytes
  private let stride: Int
  private let order: ByteOrder
  private let type: BTFType

  /// Records that lie in `bytes`, whose count is `type.count * stride`.
  init(_ bytes: Bytes, stride: Int, order: ByteOrder, type: BTFType) {
    precondition(bytes.count == type.count * stride && (stride == 8 || stride == 12))
    self.bytes = bytes
    self.stride = stride
    self.order = order
    self.type = type
  }

}

extension BTFRecords: Sequence, Collection, BidirectionalCollection, RandomAccessCollection
where Element: BTFRecord {
  /// Always 0.
  public var startIndex: Int { 0 }
  /// The number of records.
  public var endIndex: Int { type.count }
  /// The positions of all records.
  public var indices: Range<Int> { 0..<type.count }

  /// The record at `position`.
  public subscript(position: Int) -> Element {
    precondition(position >= 0 && position < type.count, "record \(position) of \(type.count)")
    let span = bytes.span
    let offset = position * stride
    let order = order
    func word(_ index: Int) -> UInt32 {
      guard let value = span.integer(at: offset + index * 4, as: UInt32.self, order: order) else {
        preconditionFailure("the initializer has checked that every record is inside")
      }
      return value
    }
    return Element(
      words: BTFRecordWords(first: word(0), second: word(1), third: stride == 12 ? word(2) : 0),
      of: type)
  }
}

/// A field of a struct or union (`struct btf_member`).
public struct BTFMember: BTFRecord {
  /// The name's place in the strings; 0 for an anonymous member.
  public let nameOffset: UInt32
  /// The field's type.
  public let typeID: UInt32
  /// Where it starts, in bits from the start of the struct.
  public let bitOffset: UInt32
  /// Its width in bits if it is a bitfield; 0 if not.
  public let bitFieldSize: UInt32

  /// Decodes a member; the kind flag says whether the offset word also holds a bitfield's width.
  public init(words: BTFRecordWords, of type: BTFType) {
    nameOffset = words.first
    typeID = words.second
    bitOffset = type.kindFlag ? words.third & 0xff_ffff : words.third
    bitFieldSize = type.kindFlag ? words.third >> 24 : 0
  }
}

/// A parameter of a function prototype (`struct btf_param`).
public struct BTFParameter: BTFRecord {
  /// The name's place in the strings; 0 where there is none.
  public let nameOffset: UInt32
  /// Its type; 0, without a name and at the end, stands for `...`.
  public let typeID: UInt32

  /// Decodes a parameter.
  public init(words: BTFRecordWords, of type: BTFType) {
    nameOffset = words.first
    typeID = words.second
  }
}

/// A named value of an enumeration (`struct btf_enum`, `struct btf_enum64`).
public struct BTFEnumerator: BTFRecord {
  /// The name's place in the strings.
  public let nameOffset: UInt32
  /// The value's 64 bits: of a signed enumeration, sign-extended.
  public let bits: UInt64
  /// True when the enumeration is signed, so that ``bits`` is a two's complement number.
  public let isSigned: Bool

  /// Decodes an enumerator of either width.
  public init(words: BTFRecordWords, of type: BTFType) {
    nameOffset = words.first
    isSigned = type.kindFlag
    if type.kind == .enumeration64 {
      bits = UInt64(words.third) << 32 | UInt64(words.second)
    } else if isSigned {
      bits = UInt64(bitPattern: Int64(Int32(bitPattern: words.second)))
    } else {
      bits = UInt64(words.second)
    }
  }
}

/// A variable in a data section (`struct btf_var_secinfo`).
public struct BTFSectionVariable: BTFRecord {
  /// The `VAR` (or, for an extern function, `FUNC`) type.
  public let typeID: UInt32
  /// Its offset in the section; compilers leave 0 where only the linker knows.
  public let offset: UInt32
  /// Its size in bytes.
  public let size: UInt32

  /// Decodes a variable's place.
  public init(words: BTFRecordWords, of type: BTFType) {
    typeID = words.first
    offset = words.second
    size = words.third
  }
}
