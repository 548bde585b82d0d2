/// Where a program will be attached (`expected_attach_type`); 0 also stands for none; the numbers are those of `linux/bpf.h`.
public struct AttachType: RawRepresentable, Sendable, Hashable {
  /// The value of the C enumerator.
  public var rawValue: UInt32
  /// Wraps a kernel number, known to this library or not.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
}

extension AttachType {
  /// `BPF_CGROUP_INET_INGRESS`: packets entering a control group
  public static let cgroupInetIngress = AttachType(rawValue: 0)
  /// `BPF_CGROUP_INET_EGRESS`: packets leaving a control group
  public static let cgroupInetEgress = AttachType(rawValue: 1)
  /// `BPF_CGROUP_INET_SOCK_CREATE`: socket creation
  public static let cgroupInetSockCreate = AttachType(rawValue: 2)
  /// `BPF_CGROUP_SOCK_OPS`: TCP events
  public static let cgroupSockOps = AttachType(rawValue: 3)
  /// `BPF_SK_SKB_STREAM_PARSER`: sockmap stream parser
  public static let skSkbStreamParser = AttachType(rawValue: 4)
  /// `BPF_SK_SKB_STREAM_VERDICT`: sockmap stream verdict
  public static let skSkbStreamVerdict = AttachType(rawValue: 5)
  /// `BPF_CGROUP_DEVICE`: device access
  public static let cgroupDevice = AttachType(rawValue: 6)
  /// `BPF_SK_MSG_VERDICT`: sockmap message verdict
  public static let skMsgVerdict = AttachType(rawValue: 7)
  /// `BPF_CGROUP_INET4_BIND`: bind(2), IPv4
  public static let cgroupInet4Bind = AttachType(rawValue: 8)
  /// `BPF_CGROUP_INET6_BIND`: bind(2), IPv6
  public static let cgroupInet6Bind = AttachType(rawValue: 9)
  /// `BPF_CGROUP_INET4_CONNECT`: connect(2), IPv4
  public static let cgroupInet4Connect = AttachType(rawValue: 10)
  /// `BPF_CGROUP_INET6_CONNECT`: connect(2), IPv6
  public static let cgroupInet6Connect = AttachType(rawValue: 11)
  /// `BPF_CGROUP_INET4_POST_BIND`: after bind(2), IPv4
  public static let cgroupInet4PostBind = AttachType(rawValue: 12)
  /// `BPF_CGROUP_INET6_POST_BIND`: after bind(2), IPv6
  public static let cgroupInet6PostBind = AttachType(rawValue: 13)
  /// `BPF_CGROUP_UDP4_SENDMSG`: sendmsg(2), UDP over IPv4
  public static let cgroupUdp4Sendmsg = AttachType(rawValue: 14)
  /// `BPF_CGROUP_UDP6_SENDMSG`: sendmsg(2), UDP over IPv6
  public static let cgroupUdp6Sendmsg = AttachType(rawValue: 15)
  /// `BPF_LIRC_MODE2`: infrared decoding
  public static let lircMode2 = AttachType(rawValue: 16)
  /// `BPF_FLOW_DISSECTOR`: packet dissection
  public static let flowDissector = AttachType(rawValue: 17)
  /// `BPF_CGROUP_SYSCTL`: sysctl access
  public static let cgroupSysctl = AttachType(rawValue: 18)
  /// `BPF_CGROUP_UDP4_RECVMSG`: recvmsg(2), UDP over IPv4
  public static let cgroupUdp4Recvmsg = AttachType(rawValue: 19)
  /// `BPF_CGROUP_UDP6_RECVMSG`: recvmsg(2), UDP over IPv6
  public static let cgroupUdp6Recvmsg = AttachType(rawValue: 20)
  /// `BPF_CGROUP_GETSOCKOPT`: getsockopt(2)
  public static let cgroupGetsockopt = AttachType(rawValue: 21)
  /// `BPF_CGROUP_SETSOCKOPT`: setsockopt(2)
  public static let cgroupSetsockopt = AttachType(rawValue: 22)
  /// `BPF_TRACE_RAW_TP`: a tracepoint with typed arguments
  public static let traceRawTracepoint = AttachType(rawValue: 23)
  /// `BPF_TRACE_FENTRY`: a function's entry
  public static let traceFunctionEntry = AttachType(rawValue: 24)
  /// `BPF_TRACE_FEXIT`: a function's exit
  public static let traceFunctionExit = AttachType(rawValue: 25)
  /// `BPF_MODIFY_RETURN`: a function's return value
  public static let modifyReturn = AttachType(rawValue: 26)
  /// `BPF_LSM_MAC`: a security hook
  public static let lsm = AttachType(rawValue: 27)
  /// `BPF_TRACE_ITER`: an iterator
  public static let traceIterator = AttachType(rawValue: 28)
  /// `BPF_CGROUP_INET4_GETPEERNAME`: getpeername(2), IPv4
  public static let cgroupInet4Getpeername = AttachType(rawValue: 29)
  /// `BPF_CGROUP_INET6_GETPEERNAME`: getpeername(2), IPv6
  public static let cgroupInet6Getpeername = AttachType(rawValue: 30)
  /// `BPF_CGROUP_INET4_GETSOCKNAME`: getsockname(2), IPv4
  public static let cgroupInet4Getsockname = AttachType(rawValue: 31)
  /// `BPF_CGROUP_INET6_GETSOCKNAME`: getsockname(2), IPv6
  public static let cgroupInet6Getsockname = AttachType(rawValue: 32)
  /// `BPF_XDP_DEVMAP`: packets redirected through a devmap
  public static let xdpDevmap = AttachType(rawValue: 33)
  /// `BPF_CGROUP_INET_SOCK_RELEASE`: socket release
  public static let cgroupInetSockRelease = AttachType(rawValue: 34)
  /// `BPF_XDP_CPUMAP`: packets redirected through a cpumap
  public static let xdpCpumap = AttachType(rawValue: 35)
  /// `BPF_SK_LOOKUP`: socket lookup
  public static let skLookup = AttachType(rawValue: 36)
  /// `BPF_XDP`: packets in the driver
  public static let xdp = AttachType(rawValue: 37)
  /// `BPF_SK_SKB_VERDICT`: sockmap verdict without a parser
  public static let skSkbVerdict = AttachType(rawValue: 38)
  /// `BPF_SK_REUSEPORT_SELECT`: socket choice
  public static let skReuseportSelect = AttachType(rawValue: 39)
  /// `BPF_SK_REUSEPORT_SELECT_OR_MIGRATE`: socket choice and migration
  public static let skReuseportSelectOrMigrate = AttachType(rawValue: 40)
  /// `BPF_PERF_EVENT`: a perf event, through a link
  public static let perfEvent = AttachType(rawValue: 41)
  /// `BPF_TRACE_KPROBE_MULTI`: many kernel functions at once
  public static let traceKprobeMulti = AttachType(rawValue: 42)
  /// `BPF_LSM_CGROUP`: a security hook of a control group
  public static let lsmCgroup = AttachType(rawValue: 43)
  /// `BPF_STRUCT_OPS`: a kernel structure, through a link
  public static let structOps = AttachType(rawValue: 44)
  /// `BPF_NETFILTER`: a netfilter hook
  public static let netfilter = AttachType(rawValue: 45)
  /// `BPF_TCX_INGRESS`: packets entering an interface
  public static let tcxIngress = AttachType(rawValue: 46)
  /// `BPF_TCX_EGRESS`: packets leaving an interface
  public static let tcxEgress = AttachType(rawValue: 47)
  /// `BPF_TRACE_UPROBE_MULTI`: many user functions at once
  public static let traceUprobeMulti = AttachType(rawValue: 48)
  /// `BPF_CGROUP_UNIX_CONNECT`: connect(2), Unix sockets
  public static let cgroupUnixConnect = AttachType(rawValue: 49)
  /// `BPF_CGROUP_UNIX_SENDMSG`: sendmsg(2), Unix sockets
  public static let cgroupUnixSendmsg = AttachType(rawValue: 50)
  /// `BPF_CGROUP_UNIX_RECVMSG`: recvmsg(2), Unix sockets
  public static let cgroupUnixRecvmsg = AttachType(rawValue: 51)
  /// `BPF_CGROUP_UNIX_GETPEERNAME`: getpeername(2), Unix sockets
  public static let cgroupUnixGetpeername = AttachType(rawValue: 52)
  /// `BPF_CGROUP_UNIX_GETSOCKNAME`: getsockname(2), Unix sockets
  public static let cgroupUnixGetsockname = AttachType(rawValue: 53)
  /// `BPF_NETKIT_PRIMARY`: netkit, the host's end
  public static let netkitPrimary = AttachType(rawValue: 54)
  /// `BPF_NETKIT_PEER`: netkit, the container's end
  public static let netkitPeer = AttachType(rawValue: 55)
  /// `BPF_TRACE_KPROBE_SESSION`: entry and return of many kernel functions
  public static let traceKprobeSession = AttachType(rawValue: 56)
  /// `BPF_TRACE_UPROBE_SESSION`: entry and return of many user functions
  public static let traceUprobeSession = AttachType(rawValue: 57)
  /// `BPF_TRACE_FSESSION`: a function's entry and exit in one program
  public static let traceFunctionSession = AttachType(rawValue: 58)
  /// `BPF_TRACE_FENTRY_MULTI`: the entry of many functions
  public static let traceFunctionEntryMulti = AttachType(rawValue: 59)
  /// `BPF_TRACE_FEXIT_MULTI`: the exit of many functions
  public static let traceFunctionExitMulti = AttachType(rawValue: 60)
  /// `BPF_TRACE_FSESSION_MULTI`: entry and exit of many functions
  public static let traceFunctionSessionMulti = AttachType(rawValue: 61)
}

extension AttachType: CustomStringConvertible {
  /// The name as bpftool prints it, or the number when it is not known.
  public var name: String { row?.name ?? "attach type \(rawValue)" }

  /// The C enumerator's name, or the number when it is not known.
  public var kernelName: String { row.map { "BPF_" + $0.name.uppercased() } ?? String(rawValue) }

  /// True when this library knows the number.
  public var isKnown: Bool { row != nil }

  /// The first kernel that has it; nil when that is not known.
  public var firstKernel: KernelVersion? { row?.firstKernel }

  /// Every member this library knows, by number.
  public static var all: [AttachType] { table.indices.map { AttachType(rawValue: UInt32($0)) } }

  /// The member with bpftool's name, or with the C enumerator's.
  public init?(name: String) {
    guard
      let index = Self.table.firstIndex(where: {
        $0.name == name || "BPF_" + $0.name.uppercased() == name
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
    ("cgroup_inet_ingress", KernelVersion(4, 10)),
    ("cgroup_inet_egress", KernelVersion(4, 10)),
    ("cgroup_inet_sock_create", KernelVersion(4, 10)),
    ("cgroup_sock_ops", KernelVersion(4, 13)),
    ("sk_skb_stream_parser", KernelVersion(4, 14)),
    ("sk_skb_stream_verdict", KernelVersion(4, 14)),
    ("cgroup_device", KernelVersion(4, 15)),
    ("sk_msg_verdict", KernelVersion(4, 17)),
    ("cgroup_inet4_bind", KernelVersion(4, 17)),
    ("cgroup_inet6_bind", KernelVersion(4, 17)),
    ("cgroup_inet4_connect", KernelVersion(4, 17)),
    ("cgroup_inet6_connect", KernelVersion(4, 17)),
    ("cgroup_inet4_post_bind", KernelVersion(4, 17)),
    ("cgroup_inet6_post_bind", KernelVersion(4, 17)),
    ("cgroup_udp4_sendmsg", KernelVersion(4, 18)),
    ("cgroup_udp6_sendmsg", KernelVersion(4, 18)),
    ("lirc_mode2", KernelVersion(4, 18)),
    ("flow_dissector", KernelVersion(4, 20)),
    ("cgroup_sysctl", KernelVersion(5, 2)),
    ("cgroup_udp4_recvmsg", KernelVersion(5, 2)),
    ("cgroup_udp6_recvmsg", KernelVersion(5, 2)),
    ("cgroup_getsockopt", KernelVersion(5, 3)),
    ("cgroup_setsockopt", KernelVersion(5, 3)),
    ("trace_raw_tp", KernelVersion(5, 5)),
    ("trace_fentry", KernelVersion(5, 5)),
    ("trace_fexit", KernelVersion(5, 5)),
    ("modify_return", KernelVersion(5, 7)),
    ("lsm_mac", KernelVersion(5, 7)),
    ("trace_iter", KernelVersion(5, 8)),
    ("cgroup_inet4_getpeername", KernelVersion(5, 8)),
    ("cgroup_inet6_getpeername", KernelVersion(5, 8)),
    ("cgroup_inet4_getsockname", KernelVersion(5, 8)),
    ("cgroup_inet6_getsockname", KernelVersion(5, 8)),
    ("xdp_devmap", KernelVersion(5, 8)),
    ("cgroup_inet_sock_release", KernelVersion(5, 9)),
    ("xdp_cpumap", KernelVersion(5, 9)),
    ("sk_lookup", KernelVersion(5, 9)),
    ("xdp", KernelVersion(5, 9)),
    ("sk_skb_verdict", KernelVersion(5, 13)),
    ("sk_reuseport_select", KernelVersion(5, 14)),
    ("sk_reuseport_select_or_migrate", KernelVersion(5, 14)),
    ("perf_event", KernelVersion(5, 15)),
    ("trace_kprobe_multi", KernelVersion(5, 18)),
    ("lsm_cgroup", KernelVersion(6, 0)),
    ("struct_ops", KernelVersion(6, 4)),
    ("netfilter", KernelVersion(6, 4)),
    ("tcx_ingress", KernelVersion(6, 6)),
    ("tcx_egress", KernelVersion(6, 6)),
    ("trace_uprobe_multi", KernelVersion(6, 6)),
    ("cgroup_unix_connect", KernelVersion(6, 7)),
    ("cgroup_unix_sendmsg", KernelVersion(6, 7)),
    ("cgroup_unix_recvmsg", KernelVersion(6, 7)),
    ("cgroup_unix_getpeername", KernelVersion(6, 7)),
    ("cgroup_unix_getsockname", KernelVersion(6, 7)),
    ("netkit_primary", KernelVersion(6, 7)),
    ("netkit_peer", KernelVersion(6, 7)),
    ("trace_kprobe_session", KernelVersion(6, 10)),
    ("trace_uprobe_session", KernelVersion(6, 13)),
    ("trace_fsession", KernelVersion(7, 0)),
    ("trace_fentry_multi", nil),
    ("trace_fexit_multi", nil),
    ("trace_fsession_multi", nil),
  ]
}
