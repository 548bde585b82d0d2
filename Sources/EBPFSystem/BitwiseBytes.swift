/// A value's bytes, and a value from bytes.
///
/// The types must be plain data for which every bit pattern is a value: integers, floating point,
/// and structures, tuples and inline arrays of those.
public enum BitwiseBytes {
  /// Calls `body` with the bytes of `value`.
  ///
  /// - Parameter byteCount: how many; the size, unless a C structure also has padding at its end: up
  ///   to the stride, and zero there.
  @inlinable
  public static func read<Value: BitwiseCopyable, Result, Failure: Error>(
    _ value: Value, byteCount: Int = MemoryLayout<Value>.size,
    _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    precondition(byteCount >= MemoryLayout<Value>.size && byteCount <= room(for: Value.self))
    // SAFETY: the buffer has room for the whole stride and is zeroed, so every byte that `body` sees
    // is initialised.
    return unsafe try withUnsafeTemporaryAllocation(
      byteCount: room(for: Value.self), alignment: MemoryLayout<Value>.alignment
    ) { (buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Result in
      unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0)
      unsafe buffer.storeBytes(of: value, as: Value.self)
      return try body(
        unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[..<byteCount])))
    }
  }

  /// Calls `body` with room for a `Value`, zeroed, and returns what it filled in, or nil when `body`
  /// returned false.
  ///
  /// - Parameter byteCount: how much room; the size, or up to the stride for padding at the end.
  @inlinable
  public static func fill<Value: BitwiseCopyable, Failure: Error>(
    _ type: Value.Type, byteCount: Int = MemoryLayout<Value>.size,
    _ body: (inout MutableRawSpan) throws(Failure) -> Bool
  ) throws(Failure) -> Value? {
    precondition(byteCount >= MemoryLayout<Value>.size && byteCount <= room(for: Value.self))
    // SAFETY: the buffer is zeroed before use, and bound to nothing until it is loaded as `Value`,
    // for which every bit pattern is valid.
    return unsafe try withUnsafeTemporaryAllocation(
      byteCount: room(for: Value.self), alignment: MemoryLayout<Value>.alignment
    ) { (buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Value? in
      unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0)
      var span = unsafe MutableRawSpan(
        _unsafeBytes: UnsafeMutableRawBufferPointer(rebasing: buffer[..<byteCount]))
      guard try body(&span) else { return nil }
      return unsafe buffer.loadUnaligned(as: Value.self)
    }
  }

  @usableFromInline
  static func room<Value>(for type: Value.Type) -> Int { max(1, MemoryLayout<Value>.stride) }

  /// The value at `offset`, or nil when it does not fit.
  @inlinable
  public static func load<Value: BitwiseCopyable>(
    _ type: Value.Type = Value.self, from bytes: RawSpan, at offset: Int = 0
  ) -> Value? {
    guard offset >= 0, offset <= bytes.byteCount - MemoryLayout<Value>.size else { return nil }
    // SAFETY: the guard proves that the bytes exist; every bit pattern is a value.
    return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self)
  }

  /// A copy of the bytes as an array.
  @inlinable
  public static func array(_ bytes: RawSpan) -> [UInt8] {
    // SAFETY: the span's memory is readable for its length.
    unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
  }
}

// MARK: - Arrays as bytes

extension Span where Element: FixedWidthInteger & BitwiseCopyable {
  /// The elements' bytes. Integers have no padding, so every one of them is initialised.
  @inlinable
  public var rawBytes: RawSpan {
    @_lifetime(copy self)
    get { unsafe bytes }
  }
}

extension MutableSpan where Element: FixedWidthInteger & BitwiseCopyable {
  /// The elements' bytes, to be written. Every bit pattern is an integer.
  @inlinable
  public var rawMutableBytes: MutableRawSpan {
    @_lifetime(&self)
    mutating get { unsafe mutableBytes }
  }
}

// MARK: - Addresses for system calls

extension RawSpan {
  /// The address for a system call's argument, 0 when empty. The owner must outlive the call.
  package var address: UInt64 {
    // SAFETY: only the number leaves; whoever uses it extends the owner's lifetime.
    unsafe withUnsafeBytes { bytes in
      bytes.count == 0 ? 0 : UInt64(UInt(bitPattern: bytes.baseAddress))
    }
  }
}

extension Array where Element: BitwiseCopyable {
  /// The address of the elements, 0 when empty. The array must outlive the call and not change.
  package var address: UInt64 {
    // SAFETY: only the number leaves; whoever uses it extends the array's lifetime.
    unsafe span.bytes.address
  }
}

extension MutableSpan where Element: BitwiseCopyable {
  /// The address of the elements, 0 when empty. The span must outlive the call.
  package var address: UInt64 {
    mutating get {
      // SAFETY: only the number leaves.
      unsafe withUnsafeMutableBytes { bytes in
        bytes.count == 0 ? 0 : UInt64(UInt(bitPattern: bytes.baseAddress))
      }
    }
  }
}
