/// Where a machine spent its time (or memory, or waiting): stacks with values, every string resolved.
///
/// Samples refer to ``stacks``, stacks to ``frames``, frames to ``mappings``, all by index, so that
/// each is stored once. The shape is that of pprof and of the OpenTelemetry profiles signal; the
/// formats of `ProfileFormats` and the telemetry exporter are written from it.
public struct Profile: Sendable, Hashable {
  /// What the values of a sample count, in order: at least one.
  public var valueTypes: [ValueType]
  /// What one ``period`` is measured in.
  public var periodType: ValueType
  /// The distance between two samples, in ``periodType``'s unit; 0 where there is no fixed one.
  public var period: Int64
  /// When recording started, in nanoseconds since 1970.
  public var startTime: UInt64
  /// How long was recorded, pauses left out, in nanoseconds.
  public var duration: UInt64
  /// The files that code was mapped from.
  public var mappings: [Mapping]
  /// The distinct places in code.
  public var frames: [Frame]
  /// The distinct stacks: indices into ``frames``, leaf first, root last.
  public var stacks: [[Int]]
  /// The distinct processes and threads.
  public var processes: [Process]
  /// What processes say of themselves, each once: see ``Process/resource``.
  public var resources: [[Attribute]]
  /// The spans that threads were at work on, each once.
  public var spans: [Span]
  /// What was recorded; one element for each distinct (process, stack, span).
  public var samples: [Sample]

  /// Creates a profile without samples.
  public init(
    valueTypes: [ValueType], periodType: ValueType, period: Int64, startTime: UInt64 = 0,
    duration: UInt64 = 0
  ) {
    self.valueTypes = valueTypes
    self.periodType = periodType
    self.period = period
    self.startTime = startTime
    self.duration = duration
    mappings = []
    frames = []
    stacks = []
    processes = []
    resources = []
    spans = []
    samples = []
  }
}

extension Profile {
  /// What a value counts and in which unit: `cpu` in `nanoseconds`, `samples` in `count`.
  public struct ValueType: Sendable, Hashable {
    /// The quantity.
    public var type: String
    /// Its unit, as pprof and OpenTelemetry spell it.
    public var unit: String
    /// Creates a value type.
    public init(_ type: String, unit: String) {
      self.type = type
      self.unit = unit
    }
  }

  /// A file mapped into a process, or the kernel.
  public struct Mapping: Sendable, Hashable {
    /// The first address of the mapping.
    public var start: UInt64
    /// The first address after it.
    public var end: UInt64
    /// The offset in the file of `start`.
    public var fileOffset: UInt64
    /// The file's path as the process saw it, or a name in brackets: `[kernel]`, `[vdso]`.
    public var path: String
    /// The GNU build id in lower-case hexadecimal; empty when the file has none.
    public var buildID: String
    /// What the Go linker tells builds apart by; empty for code that it did not link.
    public var goBuildID = ""
    /// What knows the file among others, also without a build id: the first 16 bytes, in lower-case
    /// hexadecimal, of the SHA-256 of its first 4096 bytes, its last 4096 and its length as eight bytes,
    /// big-endian (`htlhash` of OpenTelemetry's profiles). Empty when it could not be read.
    public var fileHash = ""
    /// Creates a mapping.
    public init(
      start: UInt64, end: UInt64, fileOffset: UInt64, path: String, buildID: String = ""
    ) {
      self.start = start
      self.end = end
      self.fileOffset = fileOffset
      self.path = path
      self.buildID = buildID
    }
  }

  /// One place in code.
  public struct Frame: Sendable, Hashable {
    /// Which world a frame belongs to; decides its colour.
    public enum Kind: Sendable, Hashable {
      /// Kernel code.
      case kernel
      /// Compiled user code.
      case native
      /// Code made at run time, named by a perf map file.
      case jit
      /// Not an address: a marker such as `[truncated]`.
      case marker
    }
    /// The world it belongs to.
    public var kind: Kind
    /// The virtual address in the process (or kernel) that was sampled.
    public var address: UInt64
    /// Index into ``Profile/mappings``.
    public var mapping: Int?
    /// The function's name for a person, demangled; nil when it could not be found.
    public var name: String?
    /// The linker's name when it differs from `name`.
    public var systemName: String?
    /// Source file, when known.
    public var sourceFile: String?
    /// Source line, 1-based; 0 when unknown.
    public var line: Int
    /// The function's code stands in that of the next frame, which has the same address.
    public var isInlined: Bool
    /// Creates a frame.
    public init(
      kind: Kind, address: UInt64, mapping: Int? = nil, name: String? = nil,
      systemName: String? = nil, sourceFile: String? = nil, line: Int = 0, isInlined: Bool = false
    ) {
      self.kind = kind
      self.address = address
      self.mapping = mapping
      self.name = name
      self.systemName = systemName
      self.sourceFile = sourceFile
      self.line = line
      self.isInlined = isInlined
    }
  }

  /// A process or thread that was running.
  public struct Process: Sendable, Hashable {
    /// The process id (the kernel's thread-group id) in the initial namespace. 0 is the idle task.
    public var pid: Int32
    /// The thread id; equal to `pid` where threads are not told apart.
    public var tid: Int32
    /// The command name, at most 15 bytes.
    public var command: String
    /// The cgroup v2 id, when known.
    public var cgroup: UInt64?
    /// Index into ``Profile/resources``; nil for a process that says nothing.
    public var resource: Int?
    /// Creates a process.
    public init(
      pid: Int32, tid: Int32, command: String, cgroup: UInt64? = nil, resource: Int? = nil
    ) {
      self.pid = pid
      self.tid = tid
      self.command = command
      self.cgroup = cgroup
      self.resource = resource
    }
  }

  /// How often (or how much) one process was seen in one stack.
  public struct Sample: Sendable, Hashable {
    /// Index into ``Profile/processes``.
    public var process: Int
    /// Index into ``Profile/stacks``.
    public var stack: Int
    /// One value for each of ``Profile/valueTypes``.
    public var values: [Int64]
    /// Index into ``Profile/spans``: what the thread was at work on, where it tells.
    public var span: Int?
    /// Creates a sample.
    public init(process: Int, stack: Int, values: [Int64], span: Int? = nil) {
      self.process = process
      self.stack = stack
      self.values = values
      self.span = span
    }
  }
}
