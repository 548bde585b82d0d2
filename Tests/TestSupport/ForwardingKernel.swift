import EBPFObject
import EBPFSystem

/// The running kernel, except where a test says otherwise: conform to it and implement the commands
/// that should end differently; ``LiveKernel`` does the others.
public protocol ForwardingKernel: KernelInterface {}

extension ForwardingKernel {
  private var live: LiveKernel { LiveKernel() }

  /// As the running kernel does it.
  public func createMap(_ request: MapRequest) throws(Errno) -> OwnedDescriptor {
    try live.createMap(request)
  }
  /// As the running kernel does it.
  public func lookup(map: Int32, key: RawSpan, value: inout MutableRawSpan, flags: UInt64)
    throws(Errno)
  {
    try live.lookup(map: map, key: key, value: &value, flags: flags)
  }
  /// As the running kernel does it.
  public func lookupAndDelete(map: Int32, key: RawSpan, value: inout MutableRawSpan, flags: UInt64)
    throws(Errno)
  {
    try live.lookupAndDelete(map: map, key: key, value: &value, flags: flags)
  }
  /// As the running kernel does it.
  public func update(map: Int32, key: RawSpan, value: RawSpan, flags: UInt64) throws(Errno) {
    try live.update(map: map, key: key, value: value, flags: flags)
  }
  /// As the running kernel does it.
  public func delete(map: Int32, key: RawSpan) throws(Errno) {
    try live.delete(map: map, key: key)
  }
  /// As the running kernel does it.
  public func nextKey(map: Int32, after key: RawSpan, into next: inout MutableRawSpan) throws(Errno)
    -> Bool
  {
    try live.nextKey(map: map, after: key, into: &next)
  }
  /// As the running kernel does it.
  public func batch(
    _ command: BatchCommand, map: Int32, cursor: BatchCursor, keys: inout MutableRawSpan,
    values: inout MutableRawSpan, count: inout UInt32, flags: UInt64
  ) throws(Errno) {
    try live.batch(
      command, map: map, cursor: cursor, keys: &keys, values: &values, count: &count, flags: flags)
  }
  /// As the running kernel does it.
  public func freeze(map: Int32) throws(Errno) {
    try live.freeze(map: map)
  }
  /// As the running kernel does it.
  public func loadProgram(
    _ request: ProgramRequest, instructions: [Instruction], log: inout KernelLog
  ) throws(Errno) -> OwnedDescriptor {
    try live.loadProgram(request, instructions: instructions, log: &log)
  }
  /// As the running kernel does it.
  public func loadBTF(_ bytes: RawSpan, token: Int32?, log: inout KernelLog) throws(Errno)
    -> OwnedDescriptor
  {
    try live.loadBTF(bytes, token: token, log: &log)
  }
  /// As the running kernel does it.
  public func bind(map: Int32, to program: Int32) throws(Errno) {
    try live.bind(map: map, to: program)
  }
  /// As the running kernel does it.
  public func run(program: Int32, _ run: inout TestRun) throws(Errno) {
    try live.run(program: program, &run)
  }
  /// As the running kernel does it.
  public func attach(_ request: AttachRequest) throws(Errno) {
    try live.attach(request)
  }
  /// As the running kernel does it.
  public func detach(_ request: AttachRequest) throws(Errno) {
    try live.detach(request)
  }
  /// As the running kernel does it.
  public func attachedPrograms(target: Int32, attachType: UInt32, flags: UInt32) throws(Errno)
    -> [UInt32]
  {
    try live.attachedPrograms(target: target, attachType: attachType, flags: flags)
  }
  /// As the running kernel does it.
  public func readStream(program: Int32, stream: UInt32, into buffer: inout MutableRawSpan)
    throws(Errno) -> Int
  {
    try live.readStream(program: program, stream: stream, into: &buffer)
  }
  /// As the running kernel does it.
  public func openRawTracepoint(_ name: String, program: Int32, cookie: UInt64) throws(Errno)
    -> OwnedDescriptor
  {
    try live.openRawTracepoint(name, program: program, cookie: cookie)
  }
  /// As the running kernel does it.
  public func createLink(_ request: LinkRequest) throws(Errno) -> OwnedDescriptor {
    try live.createLink(request)
  }
  /// As the running kernel does it.
  public func updateLink(_ link: Int32, program: Int32, replacing: Int32?) throws(Errno) {
    try live.updateLink(link, program: program, replacing: replacing)
  }
  /// As the running kernel does it.
  public func detachLink(_ link: Int32) throws(Errno) {
    try live.detachLink(link)
  }
  /// As the running kernel does it.
  public func createIterator(link: Int32) throws(Errno) -> OwnedDescriptor {
    try live.createIterator(link: link)
  }
  /// As the running kernel does it.
  public func pin(_ descriptor: Int32, path: String) throws(Errno) {
    try live.pin(descriptor, path: path)
  }
  /// As the running kernel does it.
  public func openPinned(path: String, flags: UInt32) throws(Errno) -> OwnedDescriptor {
    try live.openPinned(path: path, flags: flags)
  }
  /// As the running kernel does it.
  public func nextID(_ kind: KernelObjectKind, after id: UInt32) throws(Errno) -> UInt32? {
    try live.nextID(kind, after: id)
  }
  /// As the running kernel does it.
  public func open(_ kind: KernelObjectKind, id: UInt32, flags: UInt32) throws(Errno)
    -> OwnedDescriptor
  {
    try live.open(kind, id: id, flags: flags)
  }
  /// As the running kernel does it.
  public func mapInformation(_ map: Int32) throws(Errno) -> MapInformation {
    try live.mapInformation(map)
  }
  /// As the running kernel does it.
  public func programInformation(_ program: Int32, details: ProgramDetails) throws(Errno)
    -> ProgramInformation
  {
    try live.programInformation(program, details: details)
  }
  /// As the running kernel does it.
  public func btfInformation(_ btf: Int32, withData: Bool) throws(Errno) -> BTFInformation {
    try live.btfInformation(btf, withData: withData)
  }
  /// As the running kernel does it.
  public func linkInformation(_ link: Int32) throws(Errno) -> LinkInformation {
    try live.linkInformation(link)
  }
  /// As the running kernel does it.
  public func queryDescriptor(process: Int32, descriptor: Int32) throws(Errno)
    -> DescriptorInformation
  {
    try live.queryDescriptor(process: process, descriptor: descriptor)
  }
  /// As the running kernel does it.
  public func enableStatistics(_ kind: UInt32) throws(Errno) -> OwnedDescriptor {
    try live.enableStatistics(kind)
  }
  /// As the running kernel does it.
  public func createToken(bpffs: Int32) throws(Errno) -> OwnedDescriptor {
    try live.createToken(bpffs: bpffs)
  }
  /// As the running kernel does it.
  public func openPerfEvent(_ request: PerfEventRequest, process: Int32, cpu: Int32, flags: UInt64)
    throws(Errno) -> OwnedDescriptor
  {
    try live.openPerfEvent(request, process: process, cpu: cpu, flags: flags)
  }
  /// As the running kernel does it.
  public func control(perfEvent: Int32, _ command: PerfEventCommand) throws(Errno) {
    try live.control(perfEvent: perfEvent, command)
  }
  /// As the running kernel does it.
  public func mapMemory(_ descriptor: Int32, offset: UInt64, count: Int, writable: Bool)
    throws(Errno) -> MappedRegion
  {
    try live.mapMemory(descriptor, offset: offset, count: count, writable: writable)
  }
}
