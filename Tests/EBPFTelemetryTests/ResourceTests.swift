import EBPFSystem
import OTLP
import TestSupport
import Testing

@testable import EBPFTelemetry

@Suite struct ResourceTests {
  private func resource(_ variables: [String: String] = [:]) -> ResourceDetector.Detection {
    ResourceDetector.detect(serviceName: "ebpf", version: "1.2") { variables[$0] }
  }

  @Test(arguments: [
    ("a=b", [("a", "b")]), ("a=b,c=d", [("a", "b"), ("c", "d")]),
    (" a = b , c=d ,", [("a", "b"), ("c", "d")]),
    ("a=%2C%3D%25%20x", [("a", ",=% x")]), ("a=%E6%97%A5", [("a", "日")]), ("a=", [("a", "")]),
    ("a=b=c", [("a", "b=c")]), ("", []), (",,", []), ("a%2Eb=c", [("a.b", "c")]),
  ])
  func `OTEL_RESOURCE_ATTRIBUTES is read as the specification says`(
    text: String, expected: [(String, String)]
  ) throws {
    #expect(
      try ResourceAttributesVariable.parse(text) == expected.map { Attribute($0.0, $0.1) })
  }

  @Test(arguments: [
    "a", "=b", "a=b,c", "a=%", "a=%2", "a=%zz", "a=%FF", "a=%C3%28", "ok=1,bad=%G0",
  ])
  func `what has no meaning leaves all of the variable out, and says so`(text: String) {
    let detection = resource(["OTEL_RESOURCE_ATTRIBUTES": text])
    #expect(detection.problems.count == 1)
    #expect(detection.problems[0].hasPrefix("OTEL_RESOURCE_ATTRIBUTES is left out: '"))
    #expect(detection.resource["ok"] == nil && detection.resource["a"] == nil)
  }

  @Test func `the message names what is wrong`() {
    #expect(
      resource(["OTEL_RESOURCE_ATTRIBUTES": "a=b,c"]).problems == [
        "OTEL_RESOURCE_ATTRIBUTES is left out: 'c' is no key=value; "
          + "write key=value,key=value with %2C for a comma"
      ])
  }

  @Test func `the environment has the last word, the service's name above all`() {
    #expect(resource().resource["service.name"] == "ebpf")
    let attributes = [
      "OTEL_RESOURCE_ATTRIBUTES": "service.name=a,host.name=h,deployment.environment.name=test"
    ]
    let detected = resource(attributes).resource
    #expect(detected["service.name"] == "a" && detected["host.name"] == "h")
    #expect(detected["deployment.environment.name"] == "test")
    let named = resource(attributes.merging(["OTEL_SERVICE_NAME": "b"]) { $1 }).resource
    #expect(named["service.name"] == "b")
    // An empty variable is one that is not set.
    #expect(resource(["OTEL_SERVICE_NAME": ""]).resource["service.name"] == "ebpf")
  }

  @Test func `the host, the process and the operating system are those of this machine`() throws {
    let detected = resource().resource
    #expect(detected["host.name"] == .string(try Command.output(["uname", "-n"]).trimmed))
    let machine = try Command.output(["uname", "-m"]).trimmed
    #expect(
      detected["host.arch"]
        == .string(["x86_64": "amd64", "aarch64": "arm64"][machine] ?? machine))
    #expect(detected["os.type"] == "linux")
    let release = try Command.output(["sh", "-c", ". /etc/os-release; echo $VERSION_ID"]).trimmed
    #expect(detected["os.version"] == .string(release))
    #expect(detected["process.pid"] == .integer(Int64(CurrentProcess.id)))
    #expect(detected["process.executable.path"] == .string(try FileSystem.link("/proc/self/exe")))
    guard case .string(let id)? = detected["service.instance.id"] else {
      Issue.record("no instance id")
      return
    }
    #expect(id.split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
    #expect(id.dropFirst(14).first == "4")
    #expect(resource().resource["service.instance.id"] != .string(id))
  }

  @Test func `a pod's names come from the downward API`() {
    let detected = resource([
      "POD_NAME": "web-1", "POD_NAMESPACE": "shop", "NODE_NAME": "n1", "K8S_POD_NAME": "web-2",
      "K8S_POD_UID": "u", "K8S_CLUSTER_NAME": "c",
    ]).resource
    #expect(detected["k8s.pod.name"] == "web-2" && detected["k8s.namespace.name"] == "shop")
    #expect(detected["k8s.node.name"] == "n1" && detected["k8s.pod.uid"] == "u")
    #expect(detected["k8s.cluster.name"] == "c" && detected["k8s.container.name"] == nil)
  }

  @Test func `a container knows itself by the files that its runtime mounts`() {
    let id = String(repeating: "0123456789abcdef", count: 4)
    func container(_ line: String) -> String? {
      ResourceDetector.container(mountInformation: "22 1 0:1 / / rw - proc proc rw\n" + line)
    }
    #expect(
      container(
        "641 630 8:1 /var/lib/docker/containers/\(id)/hostname /etc/hostname rw - ext4 /dev/sda rw"
      ) == id)
    #expect(
      container("641 630 0:5 /containers/overlay-containers/\(id)/userdata/hosts /etc/hosts rw - x")
        == id)
    #expect(container("641 630 8:1 /home/\(id)/x /home rw - ext4 /dev/sda rw") == nil)
    #expect(container("641 630 8:1 /etc/hosts /etc/hosts rw - ext4 /dev/sda rw") == nil)
    #expect(container("641 630") == nil)
  }

  @Test func `os-release is read with and without quotes`() {
    #expect(
      ResourceDetector.osRelease("# no\nNAME=\"A \\$B\"\nVERSION_ID='12'\nX=y\nbroken\nE=\n") == [
        "NAME": "A $B", "VERSION_ID": "12", "X": "y", "E": "",
      ])
  }

  @Test func `telemetry of a machine does not speak of the process that made it`() {
    var options = TelemetryOptions(
      resource: Resource([
        Attribute("service.name", "s"), Attribute("process.pid", 1), Attribute("host.name", "h"),
        Attribute("container.id", "c"), Attribute("k8s.pod.name", "p"),
        Attribute("k8s.node.name", "n"),
      ]), version: "1")
    #expect(
      options.observed.attributes.map(\.key) == ["service.name", "host.name", "k8s.node.name"])
    options.isAboutThisProcess = true
    #expect(options.observed.attributes.count == 6)
  }
}

extension String {
  fileprivate var trimmed: String { String(self.prefix { $0 != "\n" }) }
}
