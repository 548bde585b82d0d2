internal import CEBPF

/// The running kernel: each request is one system call. The only place that knows `union bpf_attr`.
public struct LiveKernel: KernelInterface {
  /// Creates the one there is.
  public init() {}

  /// One call of bpf(2) with the structure of its command.
  func call<Attributes: BitwiseCopyable>(
    _ command: cebpf_command, _ attributes: inout Attributes
  ) throws(Errno) -> Int32 {
    let size = UInt32(MemoryLayout<Attributes>.size)
    // SAFETY: the kernel reads and writes at most `size` bytes of the structure, and the memory its
    // addresses name, which the callers keep alive.
    let result = unsafe withUnsafeMutablePointer(to: &attributes) { pointer in
      unsafe cebpf_bpf(command.rawValue, pointer, size)
    }
    return try Errno.check(result)
  }

  /// The same for the commands that answer with a descriptor.
  func open<Attributes: BitwiseCopyable>(
    _ command: cebpf_command, _ attributes: inout Attributes
  ) throws(Errno) -> OwnedDescriptor {
    OwnedDescriptor(owning: try call(command, &attributes))
  }
}

/// A descriptor in a field where 0 means none.
func word(_ descriptor: Int32?) -> UInt32 { UInt32(bitPattern: descriptor ?? 0) }

/// A name as the kernel takes it: 15 bytes of letters, digits, `_` and `.`, and a zero.
func objectName(_ name: String) -> InlineArray<16, UInt8> {
  var bytes = InlineArray<16, UInt8>(repeating: 0)
  for (index, byte) in name.utf8.prefix(15).enumerated() {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
      bytes[index] = byte
    default: bytes[index] = UInt8(ascii: "_")
    }
  }
  return bytes
}

/// A zero-terminated copy of a text, refused when it has a zero inside.
func terminated(_ text: String) throws(Errno) -> [UInt8] {
  var bytes = [UInt8](text.utf8)
  guard !bytes.contains(0) else { throw .invalid }
  bytes.append(0)
  return bytes
}

/// The text up to the first zero.
func text<Bytes: Sequence<UInt8>>(_ bytes: Bytes) -> String {
  String(decoding: Array(bytes.prefix { $0 != 0 }), as: UTF8.self)
}

extension LiveKernel {
  /// See ``KernelInterface/mapMemory(_:offset:count:writable:)``.
  public func mapMemory(
    _ descriptor: Int32, offset: UInt64, count: Int, writable: Bool
  ) throws(Errno) -> MappedRegion {
    guard count > 0 else { throw .invalid }
    var address: UnsafeMutableRawPointer?
    _ = try Errno.check(
      unsafe cebpf_map_memory(descriptor, offset, count, writable ? 1 : 0, &address))
    guard let address = unsafe address else { throw .noMemory }
    // SAFETY: the kernel just mapped `count` bytes there, for us alone.
    return unsafe MappedRegion(owning: address, count: count)
  }
}
