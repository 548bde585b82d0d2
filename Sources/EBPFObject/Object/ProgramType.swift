/// A program's type; the numbers are those of `linux/bpf.h`.
public struct ProgramType: RawRepresentable, Sendable, Hashable {
  /// The value of the C enumerator.
  public var rawValue: UInt32
  /// Wraps a kernel number, known to this library or not.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
}

extension ProgramType {
  /// `BPF_PROG_TYPE_UNSPEC`: not known yet; the caller sets it before loading
  public static let unspecified = ProgramType(rawValue: 0)
  /// `BPF_PROG_TYPE_SOCKET_FILTER`: filters packets of a socket
  public static let socketFilter = ProgramType(rawValue: 1)
  /// `BPF_PROG_TYPE_KPROBE`: kprobes, uprobes, USDT and their multi variants
  public static let kprobe = ProgramType(rawValue: 2)
  /// `BPF_PROG_TYPE_SCHED_CLS`: traffic control classifier: tc, tcx, netkit
  public static let schedulerClassifier = ProgramType(rawValue: 3)
  /// `BPF_PROG_TYPE_SCHED_ACT`: traffic control action
  public static let schedulerAction = ProgramType(rawValue: 4)
  /// `BPF_PROG_TYPE_TRACEPOINT`: tracepoints through perf events
  public static let tracepoint = ProgramType(rawValue: 5)
  /// `BPF_PROG_TYPE_XDP`: packets in the network driver
  public static let xdp = ProgramType(rawValue: 6)
  /// `BPF_PROG_TYPE_PERF_EVENT`: perf events: sampling, counters, breakpoints
  public static let perfEvent = ProgramType(rawValue: 7)
  /// `BPF_PROG_TYPE_CGROUP_SKB`: packets of a control group
  public static let cgroupSKB = ProgramType(rawValue: 8)
  /// `BPF_PROG_TYPE_CGROUP_SOCK`: socket creation in a control group
  public static let cgroupSocket = ProgramType(rawValue: 9)
  /// `BPF_PROG_TYPE_LWT_IN`: lightweight tunnel, incoming
  public static let lwtIn = ProgramType(rawValue: 10)
  /// `BPF_PROG_TYPE_LWT_OUT`: lightweight tunnel, outgoing
  public static let lwtOut = ProgramType(rawValue: 11)
  /// `BPF_PROG_TYPE_LWT_XMIT`: lightweight tunnel, transmit
  public static let lwtXmit = ProgramType(rawValue: 12)
  /// `BPF_PROG_TYPE_SOCK_OPS`: TCP events of a control group
  public static let socketOperations = ProgramType(rawValue: 13)
  /// `BPF_PROG_TYPE_SK_SKB`: stream parser and verdict of a sockmap
  public static let socketSKB = ProgramType(rawValue: 14)
  /// `BPF_PROG_TYPE_CGROUP_DEVICE`: device access of a control group
  public static let cgroupDevice = ProgramType(rawValue: 15)
  /// `BPF_PROG_TYPE_SK_MSG`: messages sent on sockets of a sockmap
  public static let socketMessage = ProgramType(rawValue: 16)
  /// `BPF_PROG_TYPE_RAW_TRACEPOINT`: tracepoints with raw arguments
  public static let rawTracepoint = ProgramType(rawValue: 17)
  /// `BPF_PROG_TYPE_CGROUP_SOCK_ADDR`: bind, connect, sendmsg … of a control group
  public static let cgroupSocketAddress = ProgramType(rawValue: 18)
  /// `BPF_PROG_TYPE_LWT_SEG6LOCAL`: IPv6 segment routing
  public static let lwtSegment6Local = ProgramType(rawValue: 19)
  /// `BPF_PROG_TYPE_LIRC_MODE2`: infrared decoding
  public static let lircMode2 = ProgramType(rawValue: 20)
  /// `BPF_PROG_TYPE_SK_REUSEPORT`: socket choice in a SO_REUSEPORT group
  public static let socketReusePort = ProgramType(rawValue: 21)
  /// `BPF_PROG_TYPE_FLOW_DISSECTOR`: packet dissection
  public static let flowDissector = ProgramType(rawValue: 22)
  /// `BPF_PROG_TYPE_CGROUP_SYSCTL`: sysctl access of a control group
  public static let cgroupSysctl = ProgramType(rawValue: 23)
  /// `BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE`: raw tracepoints with a writable argument
  public static let rawTracepointWritable = ProgramType(rawValue: 24)
  /// `BPF_PROG_TYPE_CGROUP_SOCKOPT`: socket options of a control group
  public static let cgroupSocketOption = ProgramType(rawValue: 25)
  /// `BPF_PROG_TYPE_TRACING`: fentry, fexit, fmod_ret, BTF tracepoints, iterators
  public static let tracing = ProgramType(rawValue: 26)
  /// `BPF_PROG_TYPE_STRUCT_OPS`: a function of a kernel structure
  public static let structOps = ProgramType(rawValue: 27)
  /// `BPF_PROG_TYPE_EXT`: replaces a function of another program
  public static let replacement = ProgramType(rawValue: 28)
  /// `BPF_PROG_TYPE_LSM`: security hooks
  public static let lsm = ProgramType(rawValue: 29)
  /// `BPF_PROG_TYPE_SK_LOOKUP`: socket lookup in a network namespace
  public static let socketLookup = ProgramType(rawValue: 30)
  /// `BPF_PROG_TYPE_SYSCALL`: run from user space through BPF_PROG_TEST_RUN
  public static let systemCall = ProgramType(rawValue: 31)
  /// `BPF_PROG_TYPE_NETFILTER`: netfilter hooks
  public static let netfilter = ProgramType(rawValue: 32)
}

extension ProgramType: CustomStringConvertible {
  /// The name as bpftool prints it, or the number when it is not known.
  public var name: String { row?.name ?? "type \(rawValue)" }

  /// The C enumerator's name, or the number when it is not known.
  public var kernelName: String {
    row.map { "BPF_PROG_TYPE_" + $0.name.uppercased() } ?? String(rawValue)
  }

  /// True when this library knows the number.
  public var isKnown: Bool { row != nil }

  /// The first kernel that has it; nil when that is not known.
  public var firstKernel: KernelVersion? { row?.firstKernel }

  /// Every member this library knows, by number.
  public static var all: [ProgramType] { table.indices.map { ProgramType(rawValue: UInt32($0)) } }

  /// The member with bpftool's name, or with the C enumerator's.
  public init?(name: String) {
    guard
      let index = Self.table.firstIndex(where: {
        $0.name == name || "BPF_PROG_TYPE_" + $0.name.uppercased() == name
      })
    else { return nil }
    self.init(rawValue: UInt32(index))
  }

  /// ``name``.
  public var description: String { name }

  private var row: (name: String, firstKernel: KernelVersion?)? {
    rawValue < UInt32(Self.table.count) ? Self.table[Int(rawValue)] : nil
  }

  /// Names and first kernels, in the order of the C enumeration.
  private static let table: [(name: String, firstKernel: KernelVersion?)] = [
    ("unspec", nil),
    ("socket_filter", KernelVersion(3, 19)),
    ("kprobe", KernelVersion(4, 1)),
    ("sched_cls", KernelVersion(4, 1)),
    ("sched_act", KernelVersion(4, 1)),
    ("tracepoint", KernelVersion(4, 7)),
    ("xdp", KernelVersion(4, 8)),
    ("perf_event", KernelVersion(4, 9)),
    ("cgroup_skb", KernelVersion(4, 10)),
    ("cgroup_sock", KernelVersion(4, 10)),
    ("lwt_in", KernelVersion(4, 10)),
    ("lwt_out", KernelVersion(4, 10)),
    ("lwt_xmit", KernelVersion(4, 10)),
    ("sock_ops", KernelVersion(4, 13)),
    ("sk_skb", KernelVersion(4, 14)),
    ("cgroup_device", KernelVersion(4, 15)),
    ("sk_msg", KernelVersion(4, 17)),
    ("raw_tracepoint", KernelVersion(4, 17)),
    ("cgroup_sock_addr", KernelVersion(4, 17)),
    ("lwt_seg6local", KernelVersion(4, 18)),
    ("lirc_mode2", KernelVersion(4, 18)),
    ("sk_reuseport", KernelVersion(4, 19)),
    ("flow_dissector", KernelVersion(4, 20)),
    ("cgroup_sysctl", KernelVersion(5, 2)),
    ("raw_tracepoint_writable", KernelVersion(5, 2)),
    ("cgroup_sockopt", KernelVersion(5, 3)),
    ("tracing", KernelVersion(5, 5)),
    ("struct_ops", KernelVersion(5, 6)),
    ("ext", KernelVersion(5, 6)),
    ("lsm", KernelVersion(5, 7)),
    ("sk_lookup", KernelVersion(5, 9)),
    ("syscall", KernelVersion(5, 14)),
    ("netfilter", KernelVersion(6, 4)),
  ]
}
