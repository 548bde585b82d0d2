internal import EBPFSystem

extension SystemChecker {
  // MARK: privileges

  mutating func checkPrivileges() {
    let group = "privileges"
    let loading = features.canLoadPrograms
    add(group, "load programs", tried(loading), remedy: advice(loading, needs: [.bpf]))
    let tracing = features.programType(.rawTracepoint)
    add(
      group, "load tracing programs", tried(tracing),
      remedy: advice(tracing, needs: [.bpf, .performanceMonitoring]))
    let network = features.programType(.xdp)
    add(
      group, "load network programs", tried(network),
      remedy: advice(network, needs: [.bpf, .networkAdministration]))
    let events = features.perfEvents
    add(
      group, "open performance events", events,
      remedy: advice(events, needs: [.performanceMonitoring]))
    checkToken()
    checkTracepointIDs()
    let statistics = features.statistics
    add(
      group, "run-time statistics", statistics,
      remedy: advice(statistics, needs: [.systemAdministration]))
    checkIDs()
    checkAddresses()
    checkFilter()
  }

  /// A refusal for lack of rights is a no to "can this process", although the kernel may have it.
  private func tried(_ answer: KernelFeatures.Answer) -> KernelFeatures.Answer {
    guard answer.verdict == .unknown, answer.reason.hasPrefix("permission denied") else {
      return answer
    }
    return KernelFeatures.Answer(verdict: .no, reason: answer.reason, since: answer.since)
  }

  private func advice(_ answer: KernelFeatures.Answer, needs: [Capability]) -> String? {
    answer.verdict == .yes ? nil : advice(needs: needs)
  }

  private func advice(needs: [Capability]) -> String? {
    guard let status else { return nil }
    if needs.allSatisfy({ status.has($0) }), !Privileges.isInInitialUserNamespace {
      return "capabilities count in the initial user namespace only: run outside of this one"
    }
    return EBPFError.privilegeHint(needs: needs, status: status)
  }

  private mutating func checkToken() {
    let name = "take a BPF token"
    do throws(EBPFError) {
      let token = try BPFToken.take(.path(Pinning.defaultDirectory), kernel: features.kernel)
      add("privileges", name, .yes, token.map { "from \($0.path)" } ?? "")
    } catch {
      add("privileges", name, .no, error.message, remedy: error.hint)
    }
  }

  private mutating func checkTracepointIDs() {
    let group = "privileges"
    let name = "read tracepoint ids"
    do throws(EBPFError) {
      _ = try Tracefs.mounted().id(category: "raw_syscalls", name: "sys_enter")
      add(group, name, .yes, "")
    } catch {
      add(group, name, .no, error.message, remedy: error.hint)
    }
  }

  private mutating func checkIDs() {
    let group = "privileges"
    do throws(Errno) {
      _ = try features.kernel.nextID(.program, after: 0)
      add(group, "list programs and maps", .yes, "")
    } catch {
      add(
        group, "list programs and maps", .no, "\(error)",
        remedy: advice(needs: [.systemAdministration]))
    }
  }

  private mutating func checkAddresses() {
    let group = "privileges"
    let name = "see kernel addresses"
    do throws(Errno) {
      let file = try SystemFile.open("/proc/kallsyms")
      let start = try SystemFile.beginning(file, count: 4096)
      // The first symbols of some kernels are at 0: one that is not is enough.
      let isShown = start.split(separator: UInt8(ascii: "\n")).contains { line in
        line.prefix { $0 != UInt8(ascii: " ") }.contains { $0 != UInt8(ascii: "0") }
      }
      add(
        group, name, isShown ? .yes : .no, isShown ? "" : "/proc/kallsyms shows zeros",
        remedy: isShown ? nil : "run with CAP_SYSLOG, and kernel.kptr_restrict at 0 or 1")
    } catch { add(group, name, .no, "/proc/kallsyms: \(error)") }
  }

  private mutating func checkFilter() {
    guard let status else {
      add("privileges", "no seccomp filter", .unknown, "/proc/self/status cannot be read")
      return
    }
    // A filter is no harm in itself; what it forbids shows in the other rows.
    add(
      "privileges", "no seccomp filter", status.seccomp == 0 ? .yes : .no,
      status.seccomp == 0 ? "" : "system calls of this process are filtered",
      remedy: status.seccomp == 0
        ? nil : "if other rows say EPERM: allow bpf and perf_event_open in the container's profile")
  }

  // MARK: what the kernel has

  mutating func checkFeatures() {
    add(
      "attach", "performance events by bpf_link", features.perfEventCookies,
      remedy: "the older way is used, without cookies")
    add("attach", "raw tracepoints", features.rawTracepoints)
    add("attach", "typed tracepoints (tp_btf)", features.typedTracepoints)
    add(
      "attach", "kernel probes (kprobe)", features.kernelProbes,
      remedy: "use a tracepoint, tp_btf or uprobe")
    add("attach", "many kernel probes (kprobe.multi)", features.kernelProbesMulti)
    add("attach", "user probes (uprobe)", features.userProbes)
    add("attach", "many user probes (uprobe.multi)", features.userProbesMulti)
    add(
      "attach", "function entry and exit (fentry, fexit)", features.functionTracing,
      remedy: "use tp_btf or raw_tp")
    add("attach", "security hooks (lsm)", features.programType(.lsm))
    for (name, answer) in features.typeKindAnswers {
      add(
        "types", name, answer,
        remedy: answer.verdict == .no ? "objects are adapted when they are loaded" : nil)
    }
    add("maps", "batch commands", features.batchOperations)
    add("maps", "memory counted by control group", features.memoryAccounting)
    for type in ProgramType.all where type != .unspecified {
      add("program types", type.name, features.programType(type))
    }
    for type in MapType.all where type != .unspecified {
      add("map types", type.name, features.mapType(type))
    }
    for (name, type) in Self.helpers {
      guard let id = HelperTable.id(named: name) else { continue }
      add("helpers", "bpf_\(name) in \(type)", features.helper(id, in: type))
    }
  }

  /// What the tracers call.
  private static let helpers: [(String, ProgramType)] = [
    ("probe_read_kernel", .rawTracepoint), ("probe_read_user", .rawTracepoint),
    ("get_stackid", .perfEvent), ("get_stack", .perfEvent), ("ringbuf_output", .rawTracepoint),
    ("perf_event_output", .rawTracepoint), ("get_current_cgroup_id", .rawTracepoint),
    ("ktime_get_boot_ns", .rawTracepoint), ("get_ns_current_pid_tgid", .rawTracepoint),
    ("get_attach_cookie", .kprobe), ("get_func_ip", .kprobe), ("loop", .rawTracepoint),
    ("for_each_map_elem", .rawTracepoint), ("timer_init", .xdp), ("task_storage_get", .kprobe),
  ]

  // MARK: tracers

  func tracers() -> [SystemCheck.Tracer] {
    [
      tracer(
        "profile",
        [
          (
            "sampling",
            [("perf event cpu-clock", [features.programType(.perfEvent), features.perfEvents])]
          )
        ]),
      tracer(
        "syscalls",
        [
          (
            "system calls",
            [
              ("tp_btf sys_enter, sys_exit", [features.typedTracepoints]),
              (
                "raw_tp sys_enter, sys_exit",
                [features.rawTracepoint("sys_enter"), features.rawTracepoint("sys_exit")]
              ),
            ]
          )
        ],
        optional: [("threads inside a call", [("iter/task", [features.typedTracepoints])])]),
      networkTracer(), memoryTracer(),
    ]
  }

  /// Connections by their state changes; the rest it can do without, and says so.
  private func networkTracer() -> SystemCheck.Tracer {
    func tracepoints(
      _ names: String...
    ) -> [(hook: String, answers: [KernelFeatures.Answer])] {
      let list = names.joined(separator: ", ")
      let answers = names.map { features.rawTracepoint($0) }
      return [
        ("tp_btf " + list, [features.typedTracepoints] + answers), ("raw_tp " + list, answers),
      ]
    }
    return tracer(
      "network",
      [
        ("connections", tracepoints("inet_sock_set_state"))
      ],
      optional: [
        (
          "owners of accepted connections",
          [("sys_exit of accept and connect", [features.rawTracepoint("sys_exit")])]
        ),
        ("retransmissions", tracepoints("tcp_retransmit_skb", "tcp_retransmit_synack")),
        ("resets", tracepoints("tcp_send_reset", "tcp_receive_reset")),
        (
          "datagrams",
          tracepoints("sock_send_length", "sock_recv_length").prefix(1) + [
            ("fexit udp_sendmsg, udp_recvmsg", [features.functionTracing])
          ]
        ),
      ])
  }

  /// Growth by tracepoints; allocations by probes, which it can do without.
  private func memoryTracer() -> SystemCheck.Tracer {
    func raw(_ names: String...) -> (hook: String, answers: [KernelFeatures.Answer]) {
      ("raw_tp " + names.joined(separator: ", "), names.map { features.rawTracepoint($0) })
    }
    return tracer(
      "memory",
      [
        (
          "page faults",
          [
            raw("page_fault_user", "page_fault_kernel"),
            ("perf event page-faults", [features.programType(.perfEvent), features.perfEvents]),
          ]
        ),
        ("mappings", [raw("sys_enter", "sys_exit")]),
        ("ended processes", [raw("sched_process_exit", "sched_process_exec")]),
      ],
      optional: [
        ("resident pages", [raw("rss_stat")]),
        ("out-of-memory kills", [raw("mark_victim")]),
        (
          "allocations",
          [
            ("uprobe.multi", [features.userProbesMulti]),
            ("uprobe", [features.programType(.kprobe), features.userProbes]),
          ]
        ),
      ])
  }

  private typealias Need = (String, [(hook: String, answers: [KernelFeatures.Answer])])

  private func tracer(
    _ name: String, _ needs: [Need], optional: [Need] = []
  ) -> SystemCheck.Tracer {
    SystemCheck.Tracer(
      name: name,
      hooks: needs.map { hook($0, isOptional: false) }
        + (optional + [following]).map { hook($0, isOptional: true) })
  }

  /// What every tracer needs where processes are named (`--pid`, `-- COMMAND`).
  private var following: Need {
    let tracepoints = ["sched_process_fork", "sched_process_exit"]
    return (
      "following named processes",
      [
        (
          "raw_tp " + tracepoints.joined(separator: ", "),
          tracepoints.map { features.rawTracepoint($0) }
        )
      ]
    )
  }

  private func hook(_ need: Need, isOptional: Bool) -> SystemCheck.Hook {
    var refused: [SystemCheck.Refusal] = []
    for way in need.1 {
      guard let obstacle = way.answers.first(where: { $0.verdict != .yes }) else {
        return SystemCheck.Hook(
          need: need.0, used: way.hook, isOptional: isOptional, refused: refused)
      }
      refused.append(SystemCheck.Refusal(hook: way.hook, why: obstacle.reason))
    }
    return SystemCheck.Hook(need: need.0, used: nil, isOptional: isOptional, refused: refused)
  }
}
