import EBPFObject
import EBPFSystem

/// A kernel that knows no command: conform to it and implement those that the test needs.
public protocol UnimplementedKernel: KernelInterface {}

extension UnimplementedKernel {
  /// A descriptor that can be closed, and nothing else.
  public func emptyDescriptor() throws(Errno) -> OwnedDescriptor {
    try SystemFile.open("/dev/null")
  }

  /// `ENOSYS`.
  public func createMap(_ request: MapRequest) throws(Errno) -> OwnedDescriptor {
    throw .notImplemented
  }
  /// `ENOSYS`.
  public func lookup(
    map: Int32, key: RawSpan, value: inout MutableRawSpan, flags: UInt64
  ) throws(Errno) { throw .notImplemented }
  /// `ENOSYS`.
  public func lookupAndDelete(
    map: Int32, key: RawSpan, value: inout MutableRawSpan, flags: UInt64
  ) throws(Errno) { throw .notImplemented }
  /// `ENOSYS`.
  public func update(map: Int32, key: RawSpan, value: RawSpan, flags: UInt64) throws(Errno) {
    throw .notImplemented
  }
  /// `ENOSYS`.
  public func delete(map: Int32, key: RawSpan) throws(Errno) { throw .notImplemented }
  /// `ENOSYS`.
  public func nextKey(
    map: Int32, after key: RawSpan, into next: inout MutableRawSpan
  ) throws(Errno) -> Bool { throw .notImplemented }
  /// `ENOSYS`.
  public func batch(
    _ command: BatchCommand, map: Int32, cursor: BatchCursor, keys: inout MutableRawSpan,
    values: inout MutableRawSpan, count: inout UInt32, flags: UInt64
  ) throws(Errno) { throw .notImplemented }
  /// `ENOSYS`.
  public func freeze(map: Int32) throws(Errno) { throw .notImplemented }
  /// `ENOSYS`.
  public func loadProgram(
    _ request: ProgramRequest, instructions: [Instruction], log: inout KernelLog
  ) throws(Errno) -> OwnedDescriptor { throw .notImplemented }
  /// `ENOSYS`.
  public func loadBTF(
    _ bytes: RawSpan, token: Int32?, log: inout KernelLog
  ) throws(Errno) -> OwnedDescriptor { throw .notImplemented }
  /// `ENOSYS`.
  public func bind(map: Int32, to program: Int32) throws(Errno) { throw .notImplemented }
  /// `ENOSYS`.
  public func run(program: Int32, _ run: inout TestRun) throws(Errno) { throw .notImplemented }
  /// `ENOSYS`.
  public func attach(_ request: AttachRequest) throws(Errno) { throw .notImplemented }
  /// `ENOSYS`.
  public func detach(_ request: AttachRequest) throws(Errno) { throw .notImplemented }
  /// `ENOSYS`.
  public func attachedPrograms(
    target: Int32, attachType: UInt32, flags: UInt32
  ) throws(Errno) -> [UInt32] { throw .notImplemented }
  /// `ENOSYS`.
  public func readStream(
    program: Int32, stream: UInt32, into buffer: inout MutableRawSpan
  ) throws(Errno) -> Int { throw .notImplemented }
  /// `ENOSYS`.
  public func openRawTracepoint(
    _ name: String, program: Int32, cookie: UInt64
  ) throws(Errno) -> OwnedDescriptor { throw .notImplemented }
  /// `ENOSYS`.
  public func createLink(_ request: LinkRequest) throws(Errno) -> OwnedDescriptor {
    throw .notImplemented
  }
  /// `ENOSYS`.
  public func updateLink(_ link: Int32, program: Int32, replacing: Int32?) throws(Errno) {
    throw .notImplemented
  }
  /// `ENOSYS`.
  public func detachLink(_ link: Int32) throws(Errno) { throw .notImplemented }
  /// `ENOSYS`.
  public func createIterator(link: Int32) throws(Errno) -> OwnedDescriptor {
    throw .notImplemented
  }
  /// `ENOSYS`.
  public func pin(_ descriptor: Int32, path: String) throws(Errno) { throw .notImplemented }
  /// `ENOSYS`.
  public func openPinned(path: String, flags: UInt32) throws(Errno) -> OwnedDescriptor {
    throw .notImplemented
  }
  /// `ENOSYS`.
  public func nextID(_ kind: KernelObjectKind, after id: UInt32) throws(Errno) -> UInt32? {
    throw .notImplemented
  }
  /// `ENOSYS`.
  public func open(
    _ kind: KernelObjectKind, id: UInt32, flags: UInt32
  ) throws(Errno) -> OwnedDescriptor { throw .notImplemented }
  /// `ENOSYS`.
  public func mapInformation(_ map: Int32) throws(Errno) -> MapInformation {
    throw .notImplemented
  }
  /// `ENOSYS`.
  public func programInformation(
    _ program: Int32, details: ProgramDetails
  ) throws(Errno) -> ProgramInformation { throw .notImplemented }
  /// `ENOSYS`.
  public func btfInformation(_ btf: Int32, withData: Bool) throws(Errno) -> BTFInformation {
    throw .notImplemented
  }
  /// `ENOSYS`.
  public func linkInformation(_ link: Int32) throws(Errno) -> LinkInformation {
    throw .notImplemented
  }
  /// `ENOSYS`.
  public func queryDescriptor(
    process: Int32, descriptor: Int32
  ) throws(Errno) -> DescriptorInformation { throw .notImplemented }
  /// `ENOSYS`.
  public func enableStatistics(_ kind: UInt32) throws(Errno) -> OwnedDescriptor {
    throw .notImplemented
  }
  /// `ENOSYS`.
  public func createToken(bpffs: Int32) throws(Errno) -> OwnedDescriptor {
    throw .notImplemented
  }
  /// `ENOSYS`.
  public func openPerfEvent(
    _ request: PerfEventRequest, process: Int32, cpu: Int32, flags: UInt64
  ) throws(Errno) -> OwnedDescriptor { throw .notImplemented }
  /// `ENOSYS`.
  public func control(perfEvent: Int32, _ command: PerfEventCommand) throws(Errno) {
    throw .notImplemented
  }
  /// `ENOSYS`.
  public func mapMemory(
    _ descriptor: Int32, offset: UInt64, count: Int, writable: Bool
  ) throws(Errno) -> MappedRegion { throw .notImplemented }
}
