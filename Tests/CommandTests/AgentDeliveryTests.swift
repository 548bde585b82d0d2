import Glibc
import TestSupport
import Testing

/// Whether what `ebpf agent` sends arrives, where there is little to help it, and after a crash.
@Suite(.serialized, .timeLimit(.minutes(3))) struct AgentDeliveryTests {
  private let root: TemporaryDirectory

  init() throws {
    root = try TemporaryDirectory()
    _ = try EBPF.copy(in: root)
  }

  // MARK: - TLS, by a name that only a file knows

  /// A receiver with a certificate for `collector.test`; that of the authority is `ca.pem` in the root.
  private func receiver() async throws -> Receiver {
    let folder = try TemporaryDirectory()
    let certificates = Certificates(in: folder)
    try certificates.makeAuthority("authority")
    try certificates.make("server", by: "authority", for: "DNS:collector.test")
    try root.write(try contents(ofFile: folder.file("authority.pem")), to: "ca.pem")
    return try await Receiver("200", arguments: certificates.arguments("server") + ["--bodies"])
  }

  private func configuration(_ work: StoppedProcess, port: Int) -> String {
    """
    tracers: {syscalls: {}}
    filter: {processes: [\(work.id)]}
    otlp: {endpoint: "https://collector.test:\(port)", certificate: /ca.pem}
    """
  }

  /// Starts the agent in a root that has nothing else but what the kernel mounts.
  private func startInRoot(_ configuration: String) throws -> RunningAgent {
    let mounts = ["proc", "sys"].map { name in
      "mkdir \(root.path)/\(name); mount --rbind /\(name) \(root.path)/\(name)"
    }.joined(separator: "\n")
    let limits = EBPF.root(with: ["bpf", "perfmon", "sys_chroot"])
    return try RunningAgent(
      configuration, in: root,
      command: EBPF.inMounts(mounts) + limits
        + ["chroot", root.path, "/ebpf", "agent", "--config", "/agent.yaml"])
  }

  /// Lets the process work, ends the agent, and looks at what came.
  private func check(
    _ agent: RunningAgent, _ work: StoppedProcess, _ receiver: Receiver
  ) async throws {
    try agent.wait(for: "kept CAP_")
    #expect(try work.finish() == 0)
    let status = agent.process.end(by: SIGTERM)
    let log = try agent.log
    #expect(status == 0, "\(log)")
    let requests = try await receiver.finish()
    #expect(requests.allSatisfy { $0.headers["host"] == "collector.test:\(receiver.port)" })
    let points = try requests.filter { $0.signal == "metrics" }.flatMap { request in
      OTLPDecoder.points("process.linux.syscall.count", in: try request.rows())
    }
    #expect(points.map(\.value).reduce(0, +) == 111_001, "\(log)")
  }

  @Test func `in an empty root it sends over TLS to a name of etc hosts`() async throws {
    let receiver = try await receiver()
    let work = try StoppedProcess(workload: "syscalls")
    _ = try Command.output(["mkdir", root.file("etc")])
    try root.write("127.0.0.1 collector.test\n", to: "etc/hosts")
    // Names a module that is not there, as a host with another C library does.
    try root.write("hosts: elsewhere [UNAVAIL=return] files\n", to: "etc/nsswitch.conf")
    let agent = try startInRoot(configuration(work, port: receiver.port))
    try await check(agent, work, receiver)
  }

  @Test func `a name without an address is told, with what to do`() async throws {
    let receiver = try await receiver()
    let work = try StoppedProcess(workload: "syscalls")
    let agent = try startInRoot("interval: 1s\n" + configuration(work, port: receiver.port))
    let line = try agent.wait(for: "sending fails")
    #expect(
      line.hasSuffix(
        "https://collector.test:\(receiver.port): the name 'collector.test' has no address: "
          + "there is neither /etc/hosts nor /etc/resolv.conf; add one of them, or name an address"),
      "\(line)")
  }

  @Test func `in an image made from scratch it does so, too`() async throws {
    let receiver = try await receiver()
    let work = try StoppedProcess(workload: "syscalls")
    let tag = "localhost/swift-ebpf-agent-test-\(getpid())"
    let recipe = try root.write(
      "FROM scratch\nCOPY ebpf ca.pem /\nENTRYPOINT [\"/ebpf\"]\n", to: "Containerfile")
    _ = try Command.output(["podman", "build", "-q", "-t", tag, "-f", recipe, root.path])
    defer {
      #expect(throws: Never.self) { try Command.output(["podman", "rmi", "-f", tag]) }
    }
    let agent = try RunningAgent(
      configuration(work, port: receiver.port), in: root,
      command: [
        "podman", "--runtime", "runc", "run", "--rm", "--ulimit", "nofile=1024:1024",
        "--ulimit", "nproc=1024:1024", "--network=host", "--pid=host",
        "--add-host=collector.test:127.0.0.1", "--cap-drop=all", "--cap-add=BPF",
        "--cap-add=PERFMON", "--security-opt=seccomp=unconfined",
        "--volume=\(root.file("agent.yaml")):/agent.yaml:ro", tag, "agent", "--config",
        "/agent.yaml",
      ])
    try await check(agent, work, receiver)
  }

  // MARK: - kill -9

  /// The spans that wait in the spool.
  private var waiting: Int {
    get throws {
      try Command.output(["find", root.file("spool/traces"), "-name", "*.otlp"])
        .matches(of: /-(\d+)\.otlp\n/).reduce(0) { $0 + (Int($1.1) ?? 0) }
    }
  }

  @Test func `killed in the middle, it sends what the spool held when it is started again`()
    async throws
  {
    let first = try await Receiver("200 200 hang")
    // A thousand calls that fail, each of which becomes a span.
    let work = try StoppedProcess(workload: "many_calls", ["1", "10", "100"])
    func start() throws -> RunningAgent {
      try RunningAgent(
        """
        interval: 1s
        tracers: {syscalls: {spans: {failed: true}}}
        filter: {processes: [\(work.id)], children: true}
        export: {metrics: none, logs: none, profiles: none}
        otlp: {endpoint: "\(first.address)"}
        queue: {spool: {path: \(root.file("spool"))}}
        health: {port: 0}
        """, in: root,
        command: [
          "env", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=100", root.file("ebpf"), "agent", "--config",
          root.file("agent.yaml"),
        ])
    }
    let killed = try start()
    try killed.wait(for: "kept CAP_")
    #expect(try work.finish() == 0)
    var items: [String] = []
    for _ in 0..<3 {
      let request = try await first.next()
      if request.took { items += request.items }
    }
    // The third hangs: it is neither taken nor refused.
    while try items.count + waiting < 1000 { try killed.process.checkRunning() }
    #expect(killed.process.end(by: SIGKILL) == 128 + SIGKILL)
    first.kill()
    let left = try waiting
    #expect(left > 0 && items.count + left == 1000)

    let second = try await Receiver("200", port: first.port)
    let restarted = try start()
    while items.count < 1000 { items += try await second.next().items }
    #expect(Set(items).count == 1000 && items.count == 1000)
    let account = #""accepted":\#(left),"exported":\#(left),"failed":{}"#
    while try !restarted.page("/health").contains(account) {
      try restarted.process.checkRunning()
    }
    #expect(restarted.process.end(by: SIGTERM) == 0)
    #expect(try await second.finish().isEmpty)
    #expect(try waiting == 0)
  }
}
