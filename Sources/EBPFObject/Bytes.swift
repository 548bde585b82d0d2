/// Immutable bytes together with whatever keeps them alive: an array's copy, or a mapped file.
///
/// Every load is checked against ``count``; a slice remembers where in the file it began, so that an
/// error names the offset in the file and not the offset in the slice. Copies share the storage.
@safe
public struct Bytes: @unchecked Sendable {
  /// Keeps the memory at `start` alive and unchanged.
  @usableFromInline package let owner: AnyObject?
  @usableFromInline let start: UnsafeRawPointer
  /// The number of bytes.
  public let count: Int
  /// The offset of the first byte from the start of the file these bytes came from.
  public let origin: Int

  /// Bytes that live as long as `owner`.
  ///
  /// The caller promises that `start ..< start + count` is readable and constant while `owner` lives.
  package init(owner: AnyObject?, start: UnsafeRawPointer, count: Int, origin: Int = 0) {
    precondition(count >= 0)
    self.owner = owner
    unsafe self.start = start
    self.count = count
    self.origin = origin
  }

  /// A copy of an array's bytes.
  public init(_ array: [UInt8]) {
    let storage = ByteStorage(copying: array)
    unsafe self.init(owner: storage, start: storage.start, count: array.count)
  }

  /// The bytes as a span, which cannot outlive this value.
  @inlinable
  public var span: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: `owner` keeps the memory alive as long as `self`, and nobody writes it.
      let span = unsafe RawSpan(_unsafeStart: start, byteCount: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The integer at `offset`, in the given byte order.
  @inlinable
  public func load<Value: FixedWidthInteger & BitwiseCopyable>(
    at offset: Int, as type: Value.Type = Value.self, order: ByteOrder = .little
  ) throws(EBPFError) -> Value {
    let size = MemoryLayout<Value>.size
    guard offset >= 0, offset <= count - size else { throw truncated(at: offset, wanting: size) }
    // SAFETY: the guard proves that the bytes exist; every bit pattern is an integer.
    let value = unsafe start.loadUnaligned(fromByteOffset: offset, as: Value.self)
    return order == .little ? Value(littleEndian: value) : Value(bigEndian: value)
  }

  /// The `count` bytes from `offset`, sharing this storage.
  public func slice(at offset: UInt64, count size: UInt64) throws(EBPFError) -> Bytes {
    let (end, overflow) = offset.addingReportingOverflow(size)
    guard !overflow, end <= UInt64(count) else {
      throw truncated(
        at: Int(clamping: offset), wanting: Int(clamping: size))
    }
    // SAFETY: the guard proves `offset + size <= count`, so the pointer stays inside.
    return unsafe Bytes(
      owner: owner, start: start + Int(offset), count: Int(size), origin: origin + Int(offset))
  }

  /// The `count` bytes from `offset`, sharing this storage.
  public func slice(at offset: Int, count size: Int) throws(EBPFError) -> Bytes {
    guard offset >= 0, size >= 0 else { throw truncated(at: offset, wanting: size) }
    return try slice(at: UInt64(offset), count: UInt64(size))
  }

  /// The `count` bytes from `offset`, sharing this storage; nil when they are not all there.
  func part(at offset: Int, count size: Int) -> Bytes? {
    guard offset >= 0, size >= 0, offset <= count, size <= count - offset else { return nil }
    // SAFETY: the guard proves `offset + size <= count`, so the pointer stays inside.
    return unsafe Bytes(owner: owner, start: start + offset, count: size, origin: origin + offset)
  }

  /// A copy as an array.
  public var array: [UInt8] {
    // SAFETY: the memory is readable for `count` bytes.
    unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
  }

  /// As many whole values as there are, copied as they are; every bit pattern must be a value.
  func values<Value: BitwiseCopyable>(of type: Value.Type) -> [Value] {
    let size = MemoryLayout<Value>.stride
    let total = count / size
    return unsafe [Value](unsafeUninitializedCapacity: total) { buffer, initialized in
      // SAFETY: `total * size` bytes are readable, and the buffer has room for as many.
      unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(
        from: UnsafeRawBufferPointer(start: start, count: total * size))
      initialized = total
    }
  }

  /// The number of bytes before the next zero byte at or after `offset`, or nil when there is none.
  public func distanceToZero(from offset: Int) -> Int? {
    guard offset >= 0, offset < count else { return nil }
    let span = span
    for index in offset..<count where span.byte(at: index) == 0 { return index - offset }
    return nil
  }

  /// The zero-terminated UTF-8 text at `offset`; ill-formed bytes are shown as U+FFFD.
  public func string(at offset: Int) throws(EBPFError) -> String {
    guard let length = distanceToZero(from: offset) else {
      throw EBPFError(
        .malformed, "a string that starts here has no terminating zero byte",
        context: [.offset(UInt64(clamping: origin) &+ UInt64(clamping: offset))])
    }
    return try slice(at: offset, count: length).text
  }

  /// All bytes as UTF-8 text; ill-formed bytes are shown as U+FFFD.
  public var text: String {
    // SAFETY: the memory is readable for `count` bytes.
    unsafe String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
  }

  @usableFromInline
  func truncated(at offset: Int, wanting size: Int) -> EBPFError {
    let remain = max(0, count - max(0, offset))
    return EBPFError(
      .malformed, "the data ends too early: wanted \(size) bytes, \(remain) remain",
      context: [.offset(UInt64(clamping: origin) &+ UInt64(clamping: offset))],
      hint: "the file may have been copied only in part")
  }
}

/// The order of the bytes of an integer in a file.
public enum ByteOrder: Sendable, Hashable {
  /// Least significant byte first (x86_64, aarch64, `bpfel`).
  case little
  /// Most significant byte first (s390x, `bpfeb`).
  case big

  /// The order of the machine this code runs on.
  public static var host: ByteOrder { UInt16(1).littleEndian == 1 ? .little : .big }
}

extension RawSpan {
  /// The byte at `index`, which the caller has proved to be inside.
  @inlinable
  package func byte(at index: Int) -> UInt8 {
    precondition(index >= 0 && index < byteCount)
    // SAFETY: checked by the precondition.
    return unsafe unsafeLoadUnaligned(fromByteOffset: index, as: UInt8.self)
  }

  /// The little- or big-endian integer at `offset`, or nil when it does not fit: for hot loops that
  /// turn a failure into an error only once.
  @inlinable
  package func integer<Value: FixedWidthInteger & BitwiseCopyable>(
    at offset: Int, as type: Value.Type = Value.self, order: ByteOrder = .little
  ) -> Value? {
    guard offset >= 0, offset <= byteCount - MemoryLayout<Value>.size else { return nil }
    // SAFETY: the guard proves that the bytes exist; every bit pattern is an integer.
    let value = unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self)
    return order == .little ? Value(littleEndian: value) : Value(bigEndian: value)
  }
}

/// Memory that belongs to one object and never changes after it was filled.
@safe
private final class ByteStorage: @unchecked Sendable {
  let start: UnsafeRawPointer

  init(copying array: [UInt8]) {
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(1, array.count), alignment: 16)
    unsafe memory.copyBytes(from: array)
    // SAFETY: a buffer of at least one byte has a base address.
    unsafe start = UnsafeRawPointer(memory.baseAddress.unsafelyUnwrapped)
  }

  deinit { unsafe start.deallocate() }
}
