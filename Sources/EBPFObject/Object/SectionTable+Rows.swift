extension SectionTable {
  /// Every row, in libbpf's order; the first that matches counts.
  public static let rows: [Row] = [
    row(
      "socket", .socketFilter, kind: .socket, "Runs for each packet of a socket (`SO_ATTACH_BPF`)."),
    row("seccomp", .socketFilter, kind: .socket, "An older name of `socket`."),
    row(
      "sk_reuseport/migrate", .socketReusePort, .skReuseportSelectOrMigrate, kind: .socket,
      "Chooses a socket of a group, also when one closes."),
    row(
      "sk_reuseport", .socketReusePort, .skReuseportSelect, kind: .socket,
      "Chooses a socket of a SO_REUSEPORT group."),
    row(
      "kprobe", .kprobe, kind: .kprobe, taking: "FUNCTION[+OFFSET]",
      "Runs at a kernel function's entry."),
    row(
      "uprobe", .kprobe, kind: .uprobe, taking: "BINARY:FUNCTION[+OFFSET]",
      "Runs at a user function's entry."),
    row(
      "uprobe.s", .kprobe, kind: .uprobe, flags: .sleepable, taking: "BINARY:FUNCTION[+OFFSET]",
      since: KernelVersion(6, 0), "Runs at a user function's entry and may sleep."),
    row(
      "kretprobe", .kprobe, kind: .kretprobe, taking: "FUNCTION",
      "Runs when a kernel function returns."),
    row(
      "uretprobe", .kprobe, kind: .uretprobe, taking: "BINARY:FUNCTION",
      "Runs when a user function returns."),
    row(
      "uretprobe.s", .kprobe, kind: .uretprobe, flags: .sleepable, taking: "BINARY:FUNCTION",
      since: KernelVersion(6, 0), "Runs when a user function returns and may sleep."),
    row(
      "kprobe.multi", .kprobe, .traceKprobeMulti, kind: .kprobeMulti, taking: "PATTERN",
      "Runs at the entry of every kernel function that matches."),
    row(
      "kretprobe.multi", .kprobe, .traceKprobeMulti, kind: .kretprobeMulti, taking: "PATTERN",
      "Runs when any kernel function that matches returns."),
    row(
      "kprobe.session", .kprobe, .traceKprobeSession, kind: .kprobeSession, taking: "PATTERN",
      "Runs at entry and return of every kernel function that matches."),
    row(
      "uprobe.multi", .kprobe, .traceUprobeMulti, kind: .uprobeMulti, taking: "BINARY:PATTERN",
      "Runs at the entry of every user function that matches."),
    row(
      "uretprobe.multi", .kprobe, .traceUprobeMulti, kind: .uretprobeMulti,
      taking: "BINARY:PATTERN", "Runs when any user function that matches returns."),
    row(
      "uprobe.session", .kprobe, .traceUprobeSession, kind: .uprobeSession,
      taking: "BINARY:PATTERN", "Runs at entry and return of every user function that matches."),
    row(
      "uprobe.multi.s", .kprobe, .traceUprobeMulti, kind: .uprobeMulti, flags: .sleepable,
      taking: "BINARY:PATTERN", "As `uprobe.multi`, and may sleep."),
    row(
      "uretprobe.multi.s", .kprobe, .traceUprobeMulti, kind: .uretprobeMulti, flags: .sleepable,
      taking: "BINARY:PATTERN", "As `uretprobe.multi`, and may sleep."),
    row(
      "uprobe.session.s", .kprobe, .traceUprobeSession, kind: .uprobeSession, flags: .sleepable,
      taking: "BINARY:PATTERN", "As `uprobe.session`, and may sleep."),
    row(
      "ksyscall", .kprobe, kind: .systemCall, taking: "SYSCALL", "Runs at a system call's entry."),
    row(
      "kretsyscall", .kprobe, kind: .systemCallReturn, taking: "SYSCALL",
      "Runs when a system call returns."),
    row(
      "usdt", .kprobe, kind: .usdt, flags: .usdt, taking: "BINARY:PROVIDER:NAME",
      "Runs at a probe compiled into a user binary."),
    row(
      "usdt.s", .kprobe, kind: .usdt, flags: [.usdt, .sleepable], taking: "BINARY:PROVIDER:NAME",
      since: KernelVersion(6, 0), "As `usdt`, and may sleep."),
    row(
      "tc/ingress", .schedulerClassifier, .tcxIngress, kind: .tcx,
      "Runs for each packet that enters an interface."),
    row(
      "tc/egress", .schedulerClassifier, .tcxEgress, kind: .tcx,
      "Runs for each packet that leaves an interface."),
    row(
      "tcx/ingress", .schedulerClassifier, .tcxIngress, kind: .tcx,
      "Runs for each packet that enters an interface."),
    row(
      "tcx/egress", .schedulerClassifier, .tcxEgress, kind: .tcx,
      "Runs for each packet that leaves an interface."),
    row("tc", .schedulerClassifier, kind: .trafficControl, "Runs as a traffic control classifier."),
    row("classifier", .schedulerClassifier, kind: .trafficControl, "An older name of `tc`."),
    row("action", .schedulerAction, kind: .trafficControl, "Runs as a traffic control action."),
    row(
      "netkit/primary", .schedulerClassifier, .netkitPrimary, kind: .netkit,
      "Runs for packets leaving a netkit device's host end."),
    row(
      "netkit/peer", .schedulerClassifier, .netkitPeer, kind: .netkit,
      "Runs for packets leaving a netkit device's container end."),
    row(
      "tracepoint", .tracepoint, kind: .tracepoint, taking: "CATEGORY/NAME",
      "Runs when a tracepoint is hit."),
    row(
      "tp", .tracepoint, kind: .tracepoint, taking: "CATEGORY/NAME", "A short name of `tracepoint`."
    ),
    row(
      "tracepoint.s", .tracepoint, kind: .tracepoint, flags: .sleepable, taking: "CATEGORY/NAME",
      isRecent: true, "As `tracepoint`, and may sleep."),
    row(
      "tp.s", .tracepoint, kind: .tracepoint, flags: .sleepable, taking: "CATEGORY/NAME",
      isRecent: true, "A short name of `tracepoint.s`."),
    row(
      "raw_tracepoint", .rawTracepoint, kind: .rawTracepoint, taking: "NAME",
      "Runs when a tracepoint is hit, with its raw arguments."),
    row(
      "raw_tp", .rawTracepoint, kind: .rawTracepoint, taking: "NAME",
      "A short name of `raw_tracepoint`."),
    row(
      "raw_tracepoint.s", .rawTracepoint, kind: .rawTracepoint, flags: .sleepable, taking: "NAME",
      isRecent: true, "As `raw_tracepoint`, and may sleep."),
    row(
      "raw_tp.s", .rawTracepoint, kind: .rawTracepoint, flags: .sleepable, taking: "NAME",
      isRecent: true, "A short name of `raw_tracepoint.s`."),
    row(
      "raw_tracepoint.w", .rawTracepointWritable, kind: .rawTracepoint, taking: "NAME",
      "As `raw_tracepoint`, and may write to its first argument."),
    row(
      "raw_tp.w", .rawTracepointWritable, kind: .rawTracepoint, taking: "NAME",
      "A short name of `raw_tracepoint.w`."),
    row(
      "tp_btf", .tracing, .traceRawTracepoint, kind: .tracing, flags: .attachBTF, requiring: "NAME",
      "Runs when a tracepoint is hit, with typed arguments."),
    row(
      "tp_btf.s", .tracing, .traceRawTracepoint, kind: .tracing, flags: [.attachBTF, .sleepable],
      requiring: "NAME", isRecent: true, "As `tp_btf`, and may sleep."),
    row(
      "fentry", .tracing, .traceFunctionEntry, kind: .tracing, flags: .attachBTF,
      requiring: "FUNCTION", "Runs at a kernel function's entry, with typed arguments."),
    row(
      "fmod_ret", .tracing, .modifyReturn, kind: .tracing, flags: .attachBTF, requiring: "FUNCTION",
      "Runs before a kernel function and may replace its result."),
    row(
      "fexit", .tracing, .traceFunctionExit, kind: .tracing, flags: .attachBTF,
      requiring: "FUNCTION", "Runs at a kernel function's exit, with arguments and result."),
    row(
      "fentry.s", .tracing, .traceFunctionEntry, kind: .tracing, flags: [.attachBTF, .sleepable],
      requiring: "FUNCTION", since: KernelVersion(5, 10), "As `fentry`, and may sleep."),
    row(
      "fmod_ret.s", .tracing, .modifyReturn, kind: .tracing, flags: [.attachBTF, .sleepable],
      requiring: "FUNCTION", since: KernelVersion(5, 10), "As `fmod_ret`, and may sleep."),
    row(
      "fexit.s", .tracing, .traceFunctionExit, kind: .tracing, flags: [.attachBTF, .sleepable],
      requiring: "FUNCTION", since: KernelVersion(5, 10), "As `fexit`, and may sleep."),
    row(
      "fsession", .tracing, .traceFunctionSession, kind: .tracing, flags: .attachBTF,
      requiring: "FUNCTION", "Runs at a kernel function's entry and exit."),
    row(
      "fsession.s", .tracing, .traceFunctionSession, kind: .tracing,
      flags: [.attachBTF, .sleepable], requiring: "FUNCTION", "As `fsession`, and may sleep."),
    row(
      "fentry.multi", .tracing, .traceFunctionEntryMulti, kind: .tracingMulti, taking: "PATTERN",
      "Runs at the entry of every kernel function that matches."),
    row(
      "fexit.multi", .tracing, .traceFunctionExitMulti, kind: .tracingMulti, taking: "PATTERN",
      "Runs at the exit of every kernel function that matches."),
    row(
      "fsession.multi", .tracing, .traceFunctionSessionMulti, kind: .tracingMulti,
      taking: "PATTERN", "Runs at entry and exit of every kernel function that matches."),
    row(
      "fentry.multi.s", .tracing, .traceFunctionEntryMulti, kind: .tracingMulti, flags: .sleepable,
      taking: "PATTERN", "As `fentry.multi`, and may sleep."),
    row(
      "fexit.multi.s", .tracing, .traceFunctionExitMulti, kind: .tracingMulti, flags: .sleepable,
      taking: "PATTERN", "As `fexit.multi`, and may sleep."),
    row(
      "fsession.multi.s", .tracing, .traceFunctionSessionMulti, kind: .tracingMulti,
      flags: .sleepable, taking: "PATTERN", "As `fsession.multi`, and may sleep."),
    row(
      "freplace", .replacement, kind: .replacement, flags: .attachBTF, requiring: "FUNCTION",
      "Replaces a global function of another program."),
    row(
      "lsm", .lsm, .lsm, kind: .lsm, flags: .attachBTF, requiring: "HOOK",
      "Runs at a security hook and may deny."),
    row(
      "lsm.s", .lsm, .lsm, kind: .lsm, flags: [.attachBTF, .sleepable], requiring: "HOOK",
      since: KernelVersion(5, 10), "As `lsm`, and may sleep."),
    row(
      "lsm_cgroup", .lsm, .lsmCgroup, kind: .lsmCgroup, flags: .attachBTF, requiring: "HOOK",
      "Runs at a security hook for a control group."),
    row(
      "iter", .tracing, .traceIterator, kind: .iterator, flags: .attachBTF, requiring: "KIND",
      "Runs for each object of a kind when the iterator is read."),
    row(
      "iter.s", .tracing, .traceIterator, kind: .iterator, flags: [.attachBTF, .sleepable],
      requiring: "KIND", since: KernelVersion(5, 18), "As `iter`, and may sleep."),
    row(
      "syscall", .systemCall, kind: .testRun, flags: .sleepable,
      "Runs when user space asks for it; may call bpf(2)."),
    row(
      "xdp.frags/devmap", .xdp, .xdpDevmap, kind: .mapEntry, flags: .xdpFragments,
      since: KernelVersion(5, 18), "As `xdp/devmap`, also for packets in several buffers."),
    row(
      "xdp/devmap", .xdp, .xdpDevmap, kind: .mapEntry,
      "Runs for packets redirected through a device map."),
    row(
      "xdp.frags/cpumap", .xdp, .xdpCpumap, kind: .mapEntry, flags: .xdpFragments,
      since: KernelVersion(5, 18), "As `xdp/cpumap`, also for packets in several buffers."),
    row(
      "xdp/cpumap", .xdp, .xdpCpumap, kind: .mapEntry,
      "Runs for packets redirected through a CPU map."),
    row(
      "xdp.frags", .xdp, .xdp, kind: .xdp, flags: .xdpFragments, since: KernelVersion(5, 18),
      "As `xdp`, also for packets in several buffers."),
    row(
      "xdp", .xdp, .xdp, kind: .xdp, flags: .attachTypeOptional,
      "Runs for each packet in the network driver."),
    row("perf_event", .perfEvent, kind: .perfEvent, "Runs at each overflow of a perf event."),
    row("lwt_in", .lwtIn, kind: .lightweightTunnel, "Runs for packets entering through a route."),
    row("lwt_out", .lwtOut, kind: .lightweightTunnel, "Runs for packets leaving through a route."),
    row(
      "lwt_xmit", .lwtXmit, kind: .lightweightTunnel,
      "Runs before a route's packets are transmitted."),
    row(
      "lwt_seg6local", .lwtSegment6Local, kind: .lightweightTunnel, "Runs for IPv6 segment routing."
    ),
    row(
      "sockops", .socketOperations, .cgroupSockOps, kind: .cgroup, flags: .attachTypeOptional,
      "Runs at TCP events of a control group."),
    row(
      "sk_skb/stream_parser", .socketSKB, .skSkbStreamParser, kind: .socketMap,
      flags: .attachTypeOptional, "Finds message boundaries of a sockmap's streams."),
    row(
      "sk_skb/stream_verdict", .socketSKB, .skSkbStreamVerdict, kind: .socketMap,
      flags: .attachTypeOptional, "Passes, drops or redirects a sockmap's messages."),
    row(
      "sk_skb/verdict", .socketSKB, .skSkbVerdict, kind: .socketMap, flags: .attachTypeOptional,
      "As `sk_skb/stream_verdict`, without a parser."),
    row(
      "sk_skb", .socketSKB, kind: .socketMap, "A stream program whose role is set when attached."),
    row(
      "sk_msg", .socketMessage, .skMsgVerdict, kind: .socketMap, flags: .attachTypeOptional,
      "Runs for messages sent on a sockmap's sockets."),
    row(
      "lirc_mode2", .lircMode2, .lircMode2, kind: .infrared, flags: .attachTypeOptional,
      "Decodes infrared pulses."),
    row(
      "flow_dissector", .flowDissector, .flowDissector, kind: .networkNamespace,
      flags: .attachTypeOptional, "Takes packet headers apart."),
    row(
      "cgroup_skb/ingress", .cgroupSKB, .cgroupInetIngress, kind: .cgroup,
      flags: .attachTypeOptional, "Runs for packets that enter a control group."),
    row(
      "cgroup_skb/egress", .cgroupSKB, .cgroupInetEgress, kind: .cgroup, flags: .attachTypeOptional,
      "Runs for packets that leave a control group."),
    row(
      "cgroup/skb", .cgroupSKB, kind: .cgroup,
      "A packet program whose direction is set when attached."),
    row(
      "cgroup/sock_create", .cgroupSocket, .cgroupInetSockCreate, kind: .cgroup,
      "Runs when a socket is created."),
    row(
      "cgroup/sock_release", .cgroupSocket, .cgroupInetSockRelease, kind: .cgroup,
      "Runs when a socket is released."),
    row(
      "cgroup/sock", .cgroupSocket, .cgroupInetSockCreate, kind: .cgroup,
      flags: .attachTypeOptional, "An older name of `cgroup/sock_create`."),
    row(
      "cgroup/post_bind4", .cgroupSocket, .cgroupInet4PostBind, kind: .cgroup,
      "Runs after bind(2), IPv4."),
    row(
      "cgroup/post_bind6", .cgroupSocket, .cgroupInet6PostBind, kind: .cgroup,
      "Runs after bind(2), IPv6."),
    row(
      "cgroup/bind4", .cgroupSocketAddress, .cgroupInet4Bind, kind: .cgroup,
      "Runs at bind(2), IPv4."),
    row(
      "cgroup/bind6", .cgroupSocketAddress, .cgroupInet6Bind, kind: .cgroup,
      "Runs at bind(2), IPv6."),
    row(
      "cgroup/connect4", .cgroupSocketAddress, .cgroupInet4Connect, kind: .cgroup,
      "Runs at connect(2), IPv4."),
    row(
      "cgroup/connect6", .cgroupSocketAddress, .cgroupInet6Connect, kind: .cgroup,
      "Runs at connect(2), IPv6."),
    row(
      "cgroup/connect_unix", .cgroupSocketAddress, .cgroupUnixConnect, kind: .cgroup,
      "Runs at connect(2), Unix sockets."),
    row(
      "cgroup/sendmsg4", .cgroupSocketAddress, .cgroupUdp4Sendmsg, kind: .cgroup,
      "Runs at sendmsg(2), UDP over IPv4."),
    row(
      "cgroup/sendmsg6", .cgroupSocketAddress, .cgroupUdp6Sendmsg, kind: .cgroup,
      "Runs at sendmsg(2), UDP over IPv6."),
    row(
      "cgroup/sendmsg_unix", .cgroupSocketAddress, .cgroupUnixSendmsg, kind: .cgroup,
      "Runs at sendmsg(2), Unix sockets."),
    row(
      "cgroup/recvmsg4", .cgroupSocketAddress, .cgroupUdp4Recvmsg, kind: .cgroup,
      "Runs at recvmsg(2), UDP over IPv4."),
    row(
      "cgroup/recvmsg6", .cgroupSocketAddress, .cgroupUdp6Recvmsg, kind: .cgroup,
      "Runs at recvmsg(2), UDP over IPv6."),
    row(
      "cgroup/recvmsg_unix", .cgroupSocketAddress, .cgroupUnixRecvmsg, kind: .cgroup,
      "Runs at recvmsg(2), Unix sockets."),
    row(
      "cgroup/getpeername4", .cgroupSocketAddress, .cgroupInet4Getpeername, kind: .cgroup,
      "Runs at getpeername(2), IPv4."),
    row(
      "cgroup/getpeername6", .cgroupSocketAddress, .cgroupInet6Getpeername, kind: .cgroup,
      "Runs at getpeername(2), IPv6."),
    row(
      "cgroup/getpeername_unix", .cgroupSocketAddress, .cgroupUnixGetpeername, kind: .cgroup,
      "Runs at getpeername(2), Unix sockets."),
    row(
      "cgroup/getsockname4", .cgroupSocketAddress, .cgroupInet4Getsockname, kind: .cgroup,
      "Runs at getsockname(2), IPv4."),
    row(
      "cgroup/getsockname6", .cgroupSocketAddress, .cgroupInet6Getsockname, kind: .cgroup,
      "Runs at getsockname(2), IPv6."),
    row(
      "cgroup/getsockname_unix", .cgroupSocketAddress, .cgroupUnixGetsockname, kind: .cgroup,
      "Runs at getsockname(2), Unix sockets."),
    row(
      "cgroup/sysctl", .cgroupSysctl, .cgroupSysctl, kind: .cgroup,
      "Runs when a sysctl is read or written."),
    row(
      "cgroup/getsockopt", .cgroupSocketOption, .cgroupGetsockopt, kind: .cgroup,
      "Runs at getsockopt(2)."),
    row(
      "cgroup/setsockopt", .cgroupSocketOption, .cgroupSetsockopt, kind: .cgroup,
      "Runs at setsockopt(2)."),
    row(
      "cgroup/dev", .cgroupDevice, .cgroupDevice, kind: .cgroup, flags: .attachTypeOptional,
      "Runs when a device is opened or made."),
    row(
      "struct_ops", .structOps, kind: .structOps, taking: "MEMBER",
      "Implements a function of a kernel structure."),
    row(
      "struct_ops.s", .structOps, kind: .structOps, flags: .sleepable, taking: "MEMBER",
      since: KernelVersion(6, 3), "As `struct_ops`, and may sleep."),
    row(
      "sk_lookup", .socketLookup, .skLookup, kind: .networkNamespace,
      "Chooses the socket of an incoming connection or datagram."),
    row("netfilter", .netfilter, .netfilter, kind: .netfilter, "Runs at a netfilter hook."),
  ]

  private static func row(
    _ name: String, _ programType: ProgramType, _ attachType: AttachType? = nil,
    kind: AttachKind, flags: Flags = [], taking optionalTarget: String = "",
    requiring requiredTarget: String = "", since version: KernelVersion? = nil,
    isRecent: Bool = false,
    _ documentation: String
  ) -> Row {
    let target: Target =
      requiredTarget.isEmpty ? (optionalTarget.isEmpty ? .none : .optional) : .required
    // A program needs its type and, unless the kernel can do without, its attach type.
    var first = programType.firstKernel
    if let attachType, !flags.contains(.attachTypeOptional) {
      if let known = attachType.firstKernel, let type = first {
        first = max(type, known)
      } else {
        first = nil
      }
    }
    return Row(
      name: name, programType: programType, attachType: attachType, flags: flags, target: target,
      targetForm: requiredTarget + optionalTarget, attachKind: kind,
      firstKernel: isRecent ? nil : version ?? first, documentation: documentation)
  }
}
