public import EBPFObject

/// What this package asks of the kernel: one method for each command.
///
/// ``LiveKernel`` makes the system calls; tests hand in a fake. Descriptors are plain numbers that the
/// caller keeps open during the call. Spans are read or written during the call only. Every method
/// throws the kernel's own ``Errno``; what it means is for the caller to say.
public protocol KernelInterface: Sendable {
  // MARK: Maps

  /// `BPF_MAP_CREATE`.
  func createMap(_ request: MapRequest) throws(Errno) -> OwnedDescriptor
  /// `BPF_MAP_LOOKUP_ELEM`; `ENOENT` for a missing key. An empty key means none (queues).
  func lookup(map: Int32, key: RawSpan, value: inout MutableRawSpan, flags: UInt64) throws(Errno)
  /// `BPF_MAP_LOOKUP_AND_DELETE_ELEM`.
  func lookupAndDelete(
    map: Int32, key: RawSpan, value: inout MutableRawSpan, flags: UInt64) throws(Errno)
  /// `BPF_MAP_UPDATE_ELEM`.
  func update(map: Int32, key: RawSpan, value: RawSpan, flags: UInt64) throws(Errno)
  /// `BPF_MAP_DELETE_ELEM`.
  func delete(map: Int32, key: RawSpan) throws(Errno)
  /// `BPF_MAP_GET_NEXT_KEY`; an empty `key` asks for the first one; false at the end.
  func nextKey(map: Int32, after key: RawSpan, into next: inout MutableRawSpan) throws(Errno)
    -> Bool
  /// One of the four batch commands. `count` holds the capacity before, and the number of valid
  /// elements after, also when this throws: `ENOENT` marks the end of a look-up.
  func batch(
    _ command: BatchCommand, map: Int32, cursor: BatchCursor, keys: inout MutableRawSpan,
    values: inout MutableRawSpan, count: inout UInt32, flags: UInt64) throws(Errno)
  /// `BPF_MAP_FREEZE`: no more writes through system calls.
  func freeze(map: Int32) throws(Errno)

  // MARK: Programs and BTF

  /// `BPF_PROG_LOAD`. `log` is filled also when this throws.
  func loadProgram(
    _ request: ProgramRequest, instructions: [Instruction], log: inout KernelLog
  ) throws(Errno) -> OwnedDescriptor
  /// `BPF_BTF_LOAD`.
  func loadBTF(_ bytes: RawSpan, token: Int32?, log: inout KernelLog) throws(Errno)
    -> OwnedDescriptor
  /// `BPF_PROG_BIND_MAP`.
  func bind(map: Int32, to program: Int32) throws(Errno)
  /// `BPF_PROG_TEST_RUN`.
  func run(program: Int32, _ run: inout TestRun) throws(Errno)
  /// `BPF_PROG_ATTACH`, the way before links.
  func attach(_ request: AttachRequest) throws(Errno)
  /// `BPF_PROG_DETACH`.
  func detach(_ request: AttachRequest) throws(Errno)
  /// `BPF_PROG_QUERY`: the ids of the programs attached to `target`, in order.
  func attachedPrograms(target: Int32, attachType: UInt32, flags: UInt32) throws(Errno) -> [UInt32]
  /// `BPF_PROG_STREAM_READ_BY_FD` (6.17): what the program printed; the number of bytes.
  func readStream(program: Int32, stream: UInt32, into buffer: inout MutableRawSpan) throws(Errno)
    -> Int

  // MARK: Links

  /// `BPF_RAW_TRACEPOINT_OPEN`; an empty name for programs whose target is in their BTF id.
  func openRawTracepoint(_ name: String, program: Int32, cookie: UInt64) throws(Errno)
    -> OwnedDescriptor
  /// `BPF_LINK_CREATE`.
  func createLink(_ request: LinkRequest) throws(Errno) -> OwnedDescriptor
  /// `BPF_LINK_UPDATE`; with `replacing`, only if that program is the present one.
  func updateLink(_ link: Int32, program: Int32, replacing: Int32?) throws(Errno)
  /// `BPF_LINK_DETACH`.
  func detachLink(_ link: Int32) throws(Errno)
  /// `BPF_ITER_CREATE`: a descriptor to read the iterator's output from.
  func createIterator(link: Int32) throws(Errno) -> OwnedDescriptor

  // MARK: Objects

  /// `BPF_OBJ_PIN`.
  func pin(_ descriptor: Int32, path: String) throws(Errno)
  /// `BPF_OBJ_GET`; `flags` are `BPF_F_RDONLY` (8) and `BPF_F_WRONLY` (16).
  func openPinned(path: String, flags: UInt32) throws(Errno) -> OwnedDescriptor
  /// `BPF_*_GET_NEXT_ID`; nil at the end.
  func nextID(_ kind: KernelObjectKind, after id: UInt32) throws(Errno) -> UInt32?
  /// `BPF_*_GET_FD_BY_ID`; `flags` as for ``openPinned(path:flags:)``, maps only.
  func open(_ kind: KernelObjectKind, id: UInt32, flags: UInt32) throws(Errno) -> OwnedDescriptor
  /// `BPF_OBJ_GET_INFO_BY_FD` of a map.
  func mapInformation(_ map: Int32) throws(Errno) -> MapInformation
  /// `BPF_OBJ_GET_INFO_BY_FD` of a program; `details` says which arrays to fetch.
  func programInformation(_ program: Int32, details: ProgramDetails) throws(Errno)
    -> ProgramInformation
  /// `BPF_OBJ_GET_INFO_BY_FD` of BTF; the type data itself when `withData`.
  func btfInformation(_ btf: Int32, withData: Bool) throws(Errno) -> BTFInformation
  /// `BPF_OBJ_GET_INFO_BY_FD` of a link.
  func linkInformation(_ link: Int32) throws(Errno) -> LinkInformation
  /// `BPF_TASK_FD_QUERY`: what BPF is attached to a descriptor of a process.
  func queryDescriptor(process: Int32, descriptor: Int32) throws(Errno) -> DescriptorInformation
  /// `BPF_ENABLE_STATS`: statistics are kept while the descriptor is open. 0 = run time.
  func enableStatistics(_ kind: UInt32) throws(Errno) -> OwnedDescriptor
  /// `BPF_TOKEN_CREATE` (6.9) from an open bpffs.
  func createToken(bpffs: Int32) throws(Errno) -> OwnedDescriptor

  // MARK: Performance events

  /// `perf_event_open(2)`; `process` and `cpu` may be -1, not both.
  func openPerfEvent(_ request: PerfEventRequest, process: Int32, cpu: Int32, flags: UInt64)
    throws(Errno) -> OwnedDescriptor
  /// An `ioctl(2)` on a performance event.
  func control(perfEvent: Int32, _ command: PerfEventCommand) throws(Errno)

  // MARK: Memory

  /// `mmap(2)`, shared.
  func mapMemory(_ descriptor: Int32, offset: UInt64, count: Int, writable: Bool) throws(Errno)
    -> MappedRegion
}

/// The kinds of kernel objects that have ids.
public enum KernelObjectKind: Sendable, Hashable, CaseIterable {
  /// Programs.
  case program
  /// Maps.
  case map
  /// BTF objects.
  case btf
  /// Links (since 5.8).
  case link
}

/// The batch commands on maps (since 5.6).
public enum BatchCommand: Sendable, Hashable, CaseIterable {
  /// `BPF_MAP_LOOKUP_BATCH`.
  case lookup
  /// `BPF_MAP_LOOKUP_AND_DELETE_BATCH`.
  case lookupAndDelete
  /// `BPF_MAP_UPDATE_BATCH`.
  case update
  /// `BPF_MAP_DELETE_BATCH`.
  case delete
}

/// Where a batched look-up stands; opaque to everyone but the kernel.
///
/// A class, because each call reads the old position and writes the new one.
public final class BatchCursor {
  /// The kernel's position: a key, or for hash maps a 32-bit bucket number.
  public var position: [UInt8]
  /// False until the first call succeeded.
  public var hasStarted = false

  /// A cursor at the start of a map with keys of this size.
  public init(keySize: Int) { position = [UInt8](repeating: 0, count: max(keySize, 4)) }
}
