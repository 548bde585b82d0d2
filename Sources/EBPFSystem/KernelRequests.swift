/// The arguments of `BPF_MAP_CREATE`.
public struct MapRequest: Sendable, Hashable {
  /// `BPF_MAP_TYPE_*`.
  public var type: UInt32
  /// Key size in bytes.
  public var keySize: UInt32 = 0
  /// Value size in bytes.
  public var valueSize: UInt32 = 0
  /// Capacity.
  public var maxEntries: UInt32 = 0
  /// `BPF_F_*`.
  public var flags: UInt32 = 0
  /// A map like the inner ones of a map-in-map.
  public var innerMap: Int32?
  /// With `BPF_F_NUMA_NODE`.
  public var numaNode: UInt32 = 0
  /// The first 15 bytes are kept; what the kernel does not allow in names becomes `_`.
  public var name: String = ""
  /// The device to create it on; 0 for none.
  public var interfaceIndex: UInt32 = 0
  /// A loaded BTF object that ``keyTypeID`` and ``valueTypeID`` refer to.
  public var btf: Int32?
  /// BTF type of the key.
  public var keyTypeID: UInt32 = 0
  /// BTF type of the value.
  public var valueTypeID: UInt32 = 0
  /// For `struct_ops`: the value type in the kernel's own BTF.
  public var kernelValueTypeID: UInt32 = 0
  /// The BTF of the module that has ``kernelValueTypeID`` (6.9).
  public var kernelValueModule: Int32?
  /// `map_extra`.
  public var extra: UInt64 = 0
  /// A BPF token (6.9).
  public var token: Int32?

  /// A request with everything but the type at zero.
  public init(type: UInt32) { self.type = type }
}

/// The arguments of `BPF_PROG_LOAD`, except instructions and log.
public struct ProgramRequest: Sendable, Hashable {
  /// `BPF_PROG_TYPE_*`.
  public var type: UInt32
  /// `expected_attach_type`.
  public var attachType: UInt32 = 0
  /// The first 15 bytes are kept; what the kernel does not allow in names becomes `_`.
  public var name: String = ""
  /// The licence; `GPL` opens the helpers that ask for it.
  public var license: String = ""
  /// `BPF_F_*`.
  public var flags: UInt32 = 0
  /// `LINUX_VERSION_CODE`; only kprobes before 5.0 look at it.
  public var kernelVersion: UInt32 = 0
  /// The device to load it for; 0 for none.
  public var interfaceIndex: UInt32 = 0
  /// The object's loaded BTF, which function and line information refer to.
  public var btf: Int32?
  /// `struct bpf_func_info` records, back to back.
  public var functionInformation: [UInt8] = []
  /// The size of one of them.
  public var functionInformationSize: UInt32 = 8
  /// `struct bpf_line_info` records, back to back.
  public var lineInformation: [UInt8] = []
  /// The size of one of them.
  public var lineInformationSize: UInt32 = 16
  /// The function, or other type, in the target's BTF that it attaches to.
  public var attachTypeID: UInt32 = 0
  /// The program to extend, or the BTF of the module to attach to; nil for vmlinux.
  public var attachObject: Int32?
  /// Descriptors that instructions name by index: modules' BTF, for kernel functions.
  public var descriptors: [Int32] = []
  /// Whether ``descriptors`` is dense, so that the kernel also binds its maps (6.14).
  public var bindsDescriptors = false
  /// A BPF token (6.9).
  public var token: Int32?

  /// A request with everything but the type at zero.
  public init(type: UInt32) { self.type = type }
}

/// The verifier's, or the BTF checker's, log: how much to say, and what was said.
public struct KernelLog: Sendable, Hashable {
  /// 0 for none, 1 for the path that failed, 2 for every path, 4 for statistics only; bits.
  public var level: UInt32
  /// How many bytes the kernel may write.
  public var capacity: Int
  /// What it wrote, without the terminating zero.
  public var text: String = ""
  /// The bytes the whole log needs, including the zero; 0 where the kernel does not say (before 6.4).
  public var neededCapacity: UInt32 = 0

  /// A log of this level with room for `capacity` bytes.
  public init(level: UInt32, capacity: Int = 65_536) {
    self.level = level
    self.capacity = capacity
  }

  /// No log.
  public static let none = KernelLog(level: 0, capacity: 0)
}

/// A `BPF_PROG_TEST_RUN`: its arguments and its results.
public struct TestRun: Sendable, Hashable {
  /// The packet, for network programs.
  public var input: [UInt8] = []
  /// How many bytes of packet to return.
  public var outputCapacity = 0
  /// The context.
  public var context: [UInt8] = []
  /// How many bytes of context to return.
  public var contextCapacity = 0
  /// How often to run it; 0 and 1 both mean once.
  public var count: UInt32 = 0
  /// `BPF_F_TEST_*`.
  public var flags: UInt32 = 0
  /// The CPU to run on, with `BPF_F_TEST_RUN_ON_CPU`.
  public var cpu: UInt32 = 0
  /// Packets in a batch, with `BPF_F_TEST_XDP_LIVE_FRAMES`.
  public var batchSize: UInt32 = 0
  /// Result: what the program returned.
  public var returnValue: UInt32 = 0
  /// Result: average nanoseconds of one run.
  public var duration: UInt32 = 0
  /// Result: the packet afterwards.
  public var output: [UInt8] = []
  /// Result: the context afterwards.
  public var contextOutput: [UInt8] = []

  /// One run with no input.
  public init() {}
}

/// The arguments of `BPF_PROG_ATTACH` and `BPF_PROG_DETACH`.
public struct AttachRequest: Sendable, Hashable {
  /// A descriptor (cgroup, map) or an interface index.
  public var target: Int32
  /// The program; may be nil when detaching.
  public var program: Int32?
  /// `BPF_CGROUP_*` and others of `enum bpf_attach_type`.
  public var attachType: UInt32
  /// `BPF_F_ALLOW_MULTI` and others.
  public var flags: UInt32 = 0
  /// The program to replace, with `BPF_F_REPLACE`.
  public var replacing: Int32?

  /// A request without flags.
  public init(target: Int32, program: Int32?, attachType: UInt32) {
    self.target = target
    self.program = program
    self.attachType = attachType
  }
}

/// The arguments of `BPF_LINK_CREATE`.
public struct LinkRequest: Sendable, Hashable {
  /// The program, or for `struct_ops` the map.
  public var program: Int32
  /// A descriptor (perf event, cgroup, network namespace, map) or an interface index.
  public var target: Int32
  /// `enum bpf_attach_type`.
  public var attachType: UInt32
  /// `BPF_F_*`.
  public var flags: UInt32 = 0
  /// What else this kind of link needs.
  public var detail: Detail

  /// A request without flags.
  public init(program: Int32, target: Int32, attachType: UInt32, detail: Detail = .none) {
    self.program = program
    self.target = target
    self.attachType = attachType
    self.detail = detail
  }

  /// The part of a request that depends on the kind of link.
  public enum Detail: Sendable, Hashable {
    /// Nothing more.
    case none
    /// fentry, fexit, LSM, extensions, `tp_btf`.
    case tracing(targetTypeID: UInt32, cookie: UInt64)
    /// An iterator: `union bpf_iter_link_info`.
    case iterator([UInt8])
    /// A program on a performance event.
    case perfEvent(cookie: UInt64)
    /// Many kernel functions: by name or by address, one of the two.
    case kprobeMulti(flags: UInt32, symbols: [String], addresses: [UInt64], cookies: [UInt64])
    /// Many places of a file (6.6). `semaphores` and `cookies` are empty or one each.
    case uprobeMulti(
      flags: UInt32, path: String, offsets: [UInt64], semaphores: [UInt64], cookies: [UInt64],
      process: UInt32)
    /// A netfilter hook (6.4).
    case netfilter(family: UInt32, hook: UInt32, priority: Int32, flags: UInt32)
    /// tcx (6.6), netkit (6.7), cgroup (6.17): before or after another.
    case anchored(relative: UInt32, revision: UInt64)
  }
}

/// What `perf_event_open(2)` takes.
public struct PerfEventRequest: Sendable, Hashable {
  /// `PERF_TYPE_*`, or a PMU's number from sysfs.
  public var type: UInt32
  /// What to count; depends on the type.
  public var config: UInt64
  /// Events between samples; with the `frequency` flag, samples per second.
  public var period: UInt64 = 0
  /// `PERF_SAMPLE_*`.
  public var sampleType: UInt64 = 0
  /// `PERF_FORMAT_*`.
  public var readFormat: UInt64 = 0
  /// The bits after `read_format`.
  public var flags: Flags = []
  /// Events, or with the `watermark` flag bytes, between wake-ups.
  public var wakeup: UInt32 = 0
  /// `HW_BREAKPOINT_*`.
  public var breakpointType: UInt32 = 0
  /// `config1`: breakpoint address, or see ``name``.
  public var config1: UInt64 = 0
  /// `config2`: breakpoint length, probe offset.
  public var config2: UInt64 = 0
  /// For the `kprobe` and `uprobe` PMUs: the function's name or the file's path, put into `config1`.
  public var name: String?
  /// `clockid`, with the `useClock` flag.
  public var clock: Int32 = 0
  /// The greatest stack depth of a sample; 0 for the system's.
  public var maximumStack: UInt16 = 0

  /// A request for one kind of event.
  public init(type: UInt32, config: UInt64) {
    self.type = type
    self.config = config
  }

  /// The bit fields of `struct perf_event_attr`, in their order.
  public struct Flags: OptionSet, Sendable, Hashable {
    /// The word of bits.
    public let rawValue: UInt64
    /// Wraps a word.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Off until enabled.
    public static let disabled = Flags(rawValue: 1 << 0)
    /// New threads and children count too.
    public static let inherit = Flags(rawValue: 1 << 1)
    /// Not while in user mode.
    public static let excludeUser = Flags(rawValue: 1 << 4)
    /// Not while in the kernel.
    public static let excludeKernel = Flags(rawValue: 1 << 5)
    /// Not while in the hypervisor.
    public static let excludeHypervisor = Flags(rawValue: 1 << 6)
    /// Not while idle.
    public static let excludeIdle = Flags(rawValue: 1 << 7)
    /// ``PerfEventRequest/period`` is a frequency.
    public static let frequency = Flags(rawValue: 1 << 10)
    /// On at the next exec.
    public static let enableOnExec = Flags(rawValue: 1 << 12)
    /// ``PerfEventRequest/wakeup`` is in bytes.
    public static let watermark = Flags(rawValue: 1 << 14)
    /// ``PerfEventRequest/clock`` is set.
    public static let useClock = Flags(rawValue: 1 << 25)
  }
}

/// What can be done to an open performance event.
public enum PerfEventCommand: Sendable, Hashable {
  /// Start counting.
  case enable
  /// Stop counting. Does not stop a program on a tracepoint.
  case disable
  /// Back to zero.
  case reset
  /// A new period; for clocks always nanoseconds.
  case setPeriod(UInt64)
  /// Attach a program, by descriptor.
  case attach(program: Int32)
  /// Stop or resume writing to the buffer.
  case pauseOutput(Bool)
  /// A tracepoint filter expression.
  case filter(String)
}
