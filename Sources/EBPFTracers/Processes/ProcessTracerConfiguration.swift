/// What a process tracer records.
public struct ProcessTracerConfiguration: Sendable, Hashable {
  /// Whose programs are recorded; changeable by ``ProcessTracer/setFilter(_:)``.
  public var filter = TracerFilter()
  /// Keeps all arguments. Otherwise only the first, which is the program's name: others may be
  /// secrets.
  public var keepsArguments = true
  /// The most programs that run and are known. One that finds no room has a run of unknown beginning
  /// when it ends; that is counted.
  public var programLimit = 16_384
  /// The size of the buffer for events, in bytes: a power of two of at least a page. An event takes
  /// 80 bytes and those of its path and arguments.
  public var eventBufferBytes = 4 << 20
  /// Records this process too.
  public var includesSelf = false
  /// Switches the kernel's run-time statistics on (`BPF_ENABLE_STATS`) to know what the programs
  /// cost. Off, because that adds to the cost of every other program of the machine.
  public var measuresProgramTime = false

  /// All processes but this one.
  public init() {}
}
