public import EBPFTracers

/// What an agent does: which tracers run, what of, and where their telemetry goes.
public struct AgentConfiguration: Sendable, Hashable {
  /// The CPU profiler.
  public struct Profile: Sendable, Hashable {
    /// Samples a second on each CPU; nil for those of the preset.
    public var frequency: Int?
    /// Nanoseconds that one exported profile covers; nil for the agent's interval.
    public var interval: UInt64?
    /// Which stacks are taken.
    public var stacks = CPUProfilerConfiguration.Stacks.both
    /// Room for unwind tables, in bytes.
    public var unwindBytes = CPUProfilerConfiguration().unwindBytes
    /// Keeps the threads of a process apart.
    public var separatesThreads = false
  }

  /// The system call tracer.
  public struct Syscalls: Sendable, Hashable {
    /// Whose calls are counted together.
    public var grouping = SyscallTracerConfiguration.Grouping.process
    /// Calls that become spans; as usual none.
    public var spans = SyscallEventRule()
  }

  /// The network tracer.
  public struct Network: Sendable, Hashable {
    /// Every connection becomes a span when it ends.
    public var spans = true
    /// Also DNS lookups; looks at every packet.
    public var dns = false
    /// Also dropped packets.
    public var drops = false
  }

  /// The process tracer.
  public struct Processes: Sendable, Hashable {
    /// Tells the arguments of programs, which may be secrets.
    public var arguments = false
    /// Also processes that end without having executed anything.
    public var forks = false
  }

  /// The memory tracer.
  public struct Memory: Sendable, Hashable {
    /// One allocated byte in so many is picked; nil for growth only.
    public var sampleBytes: UInt64?
  }

  /// Whose events are recorded. Nothing given: everybody's but the agent's.
  public struct Filter: Sendable, Hashable {
    /// Process ids.
    public var processes: [Int32] = []
    /// With processes: also those that they start.
    public var followsChildren = false
    /// Command names.
    public var commands: [String] = []
    /// Paths below the cgroup2 mount.
    public var cgroups: [String] = []
    /// Containers by the beginning of id or name.
    public var containers: [String] = []
  }

  /// A value that has an environment variable too, and where the file gives it.
  public struct Variable: Sendable, Hashable {
    /// The key with those around it.
    public var key: String
    /// The value, as the variable would have it.
    public var value: String
    /// The line, from 1.
    public var line: Int
    /// The column, from 1.
    public var column: Int
  }

  /// A file on disk that keeps what could not be sent.
  public struct Spool: Sendable, Hashable {
    /// A folder of its own.
    public var path: String
    /// Its most bytes.
    public var bytes: UInt64 = 256 << 20
  }

  /// Where a file exporter writes.
  public struct File: Sendable, Hashable {
    /// How a request is written.
    public enum Format: String, Sendable, Hashable, CaseIterable { case json, protobuf }
    /// The file; `-` for standard output.
    public var path: String
    /// Its form.
    public var format = Format.json
  }

  /// Where a server of the agent listens.
  public struct Address: Sendable, Hashable {
    /// A host name or address.
    public var host = "localhost"
    /// A TCP port; 0 for any that is free.
    public var port: UInt16
  }

  /// The file that this was read from.
  public var file: String
  /// How much is recorded where a tracer does not say.
  public var preset = ProfilePreset.production
  /// Nanoseconds between two exports.
  public var interval: UInt64 = 60_000_000_000
  /// Nil: the tracer does not run.
  public var profile: Profile? = Profile()
  /// Nil: the tracer does not run.
  public var syscalls: Syscalls? = Syscalls()
  /// Nil: the tracer does not run.
  public var network: Network? = Network()
  /// Nil: the tracer does not run.
  public var memory: Memory? = Memory()
  /// Nil, as usual: the tracer does not run.
  public var processes: Processes?
  /// Whose events are recorded.
  public var filter = Filter()
  /// The most that recording may cost, as a share of one CPU.
  public var maxOverhead: Double?
  /// Exporters' settings by the environment variable that means the same; the file goes before the
  /// environment.
  public var variables: [String: Variable] = [:]
  /// The most bytes that wait in memory to be sent; nil for the exporter's own limit.
  public var queueBytes: UInt64?
  /// Nil: what waits is lost when the agent ends.
  public var spool: Spool?
  /// Where the exporter `file` writes.
  public var output: File?
  /// Attributes of the resource that sends, added to those that are detected.
  public var resource: [String: String] = [:]
  /// Where the health endpoint listens; nil for none.
  public var health: Address?
  /// Gives up what is not needed any more once the tracers run.
  public var dropsPrivileges = true

  /// Everything as it is without a file.
  public init(file: String) { self.file = file }

  /// Samples a second on each CPU.
  public var frequency: Int { profile?.frequency ?? preset.frequency }
}
