public import EBPFSystem

/// A map in the kernel, its keys and values as bytes.
///
/// The map lives as long as anyone refers to it: this value, a program, a pin. All methods may be
/// called from any thread. For keys and values as Swift types see ``Map``.
public final class RawMap: Sendable {
  /// The name in the object file, or the kernel's when it was found by id or path.
  public let name: String
  /// What the kernel said about it when it was opened.
  public let information: MapInformation
  /// The number of values in one element: possible CPUs for per-CPU maps, otherwise 1.
  public let valuesPerElement: Int
  /// How it is reached.
  public let kernel: any KernelInterface
  let descriptor: OwnedDescriptor

  /// Takes over an open map.
  public init(
    owning descriptor: consuming OwnedDescriptor, name: String? = nil,
    kernel: any KernelInterface = LiveKernel()
  ) throws(EBPFError) {
    let information: MapInformation
    do throws(Errno) { information = try kernel.mapInformation(descriptor.rawValue) } catch {
      throw EBPFError.describing(name.map { "map '\($0)'" } ?? "a map", error)
    }
    let type = MapType(rawValue: information.type)
    valuesPerElement = type.isPerCPU ? try PossibleCPUs(kernel).count : 1
    self.name = name ?? information.name
    self.information = information
    self.kernel = kernel
    self.descriptor = descriptor
  }

  /// Opens the map with an id, as `bpftool map show` lists it. Needs `CAP_SYS_ADMIN`.
  public static func open(
    id: UInt32, kernel: any KernelInterface = LiveKernel()
  ) throws(EBPFError) -> RawMap {
    let descriptor: OwnedDescriptor
    do throws(Errno) { descriptor = try kernel.open(.map, id: id, flags: 0) } catch {
      throw EBPFError.openingID(.map, id, error)
    }
    return try RawMap(owning: descriptor, kernel: kernel)
  }

  // MARK: What it is

  /// The map type.
  public var type: MapType { MapType(rawValue: information.type) }
  /// The id that `bpftool map show` lists.
  public var id: UInt32 { information.id }
  /// The size of a key in bytes; 0 for types without keys.
  public var keySize: Int { Int(information.keySize) }
  /// The size of one value in bytes.
  public var valueSize: Int { Int(information.valueSize) }
  /// The distance between the values of two CPUs: the size rounded up to 8 for per-CPU maps.
  public var valueStride: Int { type.isPerCPU ? (valueSize + 7) & ~7 : valueSize }
  /// The bytes that a look-up gives and an update takes: one value, or one for each possible CPU.
  public var elementSize: Int { valueStride * valuesPerElement }
  /// The descriptor, open as long as this value lives.
  public var fileDescriptor: Int32 { descriptor.rawValue }

  // MARK: Spans, for callers that keep their own memory

  /// Reads the element of `key` into `value`; false when the key is missing.
  public func lookup(
    _ key: RawSpan, into value: inout MutableRawSpan, locked: Bool = false
  ) throws(EBPFError) -> Bool {
    try checkKey(key.byteCount)
    try checkElement(value.byteCount)
    do throws(Errno) {
      try kernel.lookup(
        map: fileDescriptor, key: key, value: &value, flags: locked ? MapFlags.lock : 0)
      return true
    } catch {
      if error == .noEntry { return false }
      if locked, error == .invalid { throw EBPFError.missingLock(self, "LOOKUP", error) }
      throw EBPFError.lookingUp(self, error, call: "bpf(BPF_MAP_LOOKUP_ELEM)")
    }
  }

  /// Reads the element of `key` into `value` and deletes it, as one step; false when it is missing.
  ///
  /// Hash maps since Linux 5.14; before, it is a look-up and then a delete.
  public func take(_ key: RawSpan, into value: inout MutableRawSpan) throws(EBPFError) -> Bool {
    try checkKey(key.byteCount)
    try checkElement(value.byteCount)
    do throws(Errno) {
      try kernel.lookupAndDelete(map: fileDescriptor, key: key, value: &value, flags: 0)
      return true
    } catch {
      switch error {
      case .noEntry: return false
      case .notSupported where keySize > 0, .notSupportedInternal where keySize > 0,
        .invalid where keySize > 0:
        guard try lookup(key, into: &value) else { return false }
        return try delete(key)
      default:
        throw EBPFError.lookingUp(self, error, call: "bpf(BPF_MAP_LOOKUP_AND_DELETE_ELEM)")
      }
    }
  }

  /// Writes the element of `key`.
  public func update(
    _ key: RawSpan, _ value: RawSpan, _ policy: UpdatePolicy = .any, locked: Bool = false
  ) throws(EBPFError) {
    try checkKey(key.byteCount)
    try checkElement(value.byteCount)
    let flags = policy.rawValue | (locked ? MapFlags.lock : 0)
    do throws(Errno) {
      try kernel.update(map: fileDescriptor, key: key, value: value, flags: flags)
    } catch {
      if locked, error == .invalid { throw EBPFError.missingLock(self, "UPDATE", error) }
      throw EBPFError.updating(self, policy, error)
    }
  }

  /// Deletes the element of `key`; false when there was none.
  @discardableResult
  public func delete(_ key: RawSpan) throws(EBPFError) -> Bool {
    try checkKey(key.byteCount)
    do throws(Errno) {
      try kernel.delete(map: fileDescriptor, key: key)
      return true
    } catch {
      if error == .noEntry { return false }
      throw EBPFError.deleting(self, error)
    }
  }

  /// Forbids every later write through system calls; programs still write. Cannot be undone.
  public func freeze() throws(EBPFError) {
    do throws(Errno) { try kernel.freeze(map: fileDescriptor) } catch {
      throw EBPFError.freezing(self, error)
    }
  }

  // MARK: Checks before any system call

  private func checkKey(_ count: Int) throws(EBPFError) {
    guard count == keySize else {
      throw EBPFError(
        .invalidArgument,
        keySize == 0
          ? "map '\(name)' has no keys, but one of \(count) bytes was given"
          : "the key is \(count) bytes, but keys of map '\(name)' are \(keySize) bytes",
        context: [.map(name)])
    }
  }

  private func checkElement(_ count: Int) throws(EBPFError) {
    guard count == elementSize else {
      let expected =
        type.isPerCPU
        ? "\(elementSize) bytes (\(valuesPerElement) CPUs × \(valueStride))"
        : "\(elementSize) bytes"
      throw EBPFError(
        .invalidArgument,
        "the value is \(count) bytes, but values of map '\(name)' are \(expected)",
        context: [.map(name)])
    }
  }

  func error(
    _ code: EBPFError.Code, _ message: String, _ call: String, _ errno: Errno, hint: String?
  ) -> EBPFError {
    EBPFError.refused(code, message, call: call, errno, context: [.map(name)], hint: hint)
  }
}
