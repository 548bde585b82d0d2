/// Whose events are recorded. Acts in the kernel: what does not match costs almost nothing.
///
/// Kinds must all agree; within one kind any entry is enough. Empty: everything.
public struct TracerFilter: Sendable, Hashable {
  /// Process ids (thread-group ids) in this process's pid namespace. What a tracer records has those
  /// of the initial one.
  public var processes: Set<Int32> = []
  /// Also record processes that the ones in ``processes`` start, and theirs.
  public var followsChildren = false
  /// Command names of the thread or of its process; the kernel keeps 15 bytes.
  public var commands: Set<String> = []
  /// cgroup v2 ids; a cgroup stands for everything below it.
  public var cgroups: Set<UInt64> = []

  /// A filter that lets everything through.
  public init() {}

  /// True when nothing is filtered.
  public var isEmpty: Bool { processes.isEmpty && commands.isEmpty && cgroups.isEmpty }

  /// Narrows the filter to a process and those it starts.
  public mutating func follow(_ process: Int32) {
    processes = [process]
    followsChildren = true
  }
}
