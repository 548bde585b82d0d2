import EBPFSystem
import Synchronization
import TestSupport

/// A kernel with one map, which answers every command on it with the errno of the test's choice, and
/// counts the commands.
final class RefusingKernel: UnimplementedKernel {
  let information: MapInformation
  let errno: Errno
  private let commands = Mutex<[String]>([])

  init(_ information: MapInformation, _ errno: Errno) {
    self.information = information
    self.errno = errno
  }

  var calls: [String] { commands.withLock { $0 } }

  private func refuse(_ name: String) throws(Errno) {
    commands.withLock { $0.append(name) }
    throw errno
  }

  func mapInformation(_ map: Int32) throws(Errno) -> MapInformation { information }
  func createMap(_ request: MapRequest) throws(Errno) -> OwnedDescriptor {
    try refuse(request.btf == nil ? "create" : "create with BTF")
    return try emptyDescriptor()
  }
  func lookup(
    map: Int32, key: RawSpan, value: inout MutableRawSpan, flags: UInt64
  ) throws(Errno) { try refuse("lookup") }
  func lookupAndDelete(
    map: Int32, key: RawSpan, value: inout MutableRawSpan, flags: UInt64
  ) throws(Errno) { try refuse("take") }
  func update(map: Int32, key: RawSpan, value: RawSpan, flags: UInt64) throws(Errno) {
    try refuse("update")
  }
  func delete(map: Int32, key: RawSpan) throws(Errno) { try refuse("delete") }
  func nextKey(
    map: Int32, after key: RawSpan, into next: inout MutableRawSpan
  ) throws(Errno) -> Bool {
    try refuse("next key")
    return false
  }
  func batch(
    _ command: BatchCommand, map: Int32, cursor: BatchCursor, keys: inout MutableRawSpan,
    values: inout MutableRawSpan, count: inout UInt32, flags: UInt64
  ) throws(Errno) { try refuse("batch") }
  func freeze(map: Int32) throws(Errno) { try refuse("freeze") }
}
