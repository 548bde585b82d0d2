import TestSupport
import Testing

@Suite struct DeploymentTests {
  private static let folder = Fixtures.directory + "/../../scripts/deploy"

  @Test func `the unit is one that systemd takes, and exposes little`() throws {
    let directory = try TemporaryDirectory()
    let unit = directory.file("ebpf-agent.service")
    // The program has to be where the unit says.
    _ = try Command.output([
      "sed", "-e", "s,/usr/local/bin/ebpf,\(EBPF.path),", "-e", "w \(unit)",
      Self.folder + "/ebpf-agent.service",
    ])
    let verified = try Command.run(["systemd-analyze", "verify", "--man=no", unit])
    #expect(verified.status == 0 && verified.error.isEmpty, "\(verified.error)")
    // 0 exposes nothing, 10 everything; the threshold is in tenths.
    let security = try Command.run([
      "systemd-analyze", "security", "--offline=true", "--threshold=40", unit,
    ])
    #expect(security.status == 0, "\(security.output)")
  }

  @Test func `the DaemonSet is one that Kubernetes takes`() throws {
    let path = Self.folder + "/daemonset.yaml"
    let validated = try Command.run(["kubernetes-validate", "--strict", path])
    #expect(validated.status == 0, "\(validated.output)\(validated.error)")
    let fields = try Command.output([
      "python3", "-c",
      """
      import sys, yaml
      pod = [d for d in yaml.safe_load_all(open(sys.argv[1])) if d["kind"] == "DaemonSet"][0]
      context = pod["spec"]["template"]["spec"]["containers"][0]["securityContext"]
      print(context["privileged"], context["allowPrivilegeEscalation"], *context["capabilities"]["drop"])
      print(*sorted(context["capabilities"]["add"]))
      """, path,
    ]).split(separator: "\n")
    #expect(fields[0] == "False False ALL")
    #expect(fields[1] == "BPF CHECKPOINT_RESTORE DAC_READ_SEARCH PERFMON SYSLOG SYS_PTRACE")
  }
}
