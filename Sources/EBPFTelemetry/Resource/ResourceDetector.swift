public import EBPFSystem
internal import EBPFTracers
public import OTLP

/// Finds out who this process is: its host, operating system, container, pod and service.
///
/// What cannot be found is left out. The environment has the last word: `OTEL_RESOURCE_ATTRIBUTES`,
/// then `OTEL_SERVICE_NAME`. Of Kubernetes it takes what a manifest passes on by the downward API, in
/// `K8S_POD_NAME` or `POD_NAME`, `K8S_POD_UID` or `POD_UID`, `K8S_NAMESPACE_NAME` or `POD_NAMESPACE`,
/// `K8S_NODE_NAME` or `NODE_NAME`, `K8S_CONTAINER_NAME` or `CONTAINER_NAME`, `K8S_CLUSTER_NAME`.
public enum ResourceDetector {
  /// What was found.
  public struct Detection: Sendable {
    /// This process.
    public var resource: Resource
    /// What in the environment could not be understood, a sentence each.
    public var problems: [String]
  }

  /// Looks.
  ///
  /// - Parameters:
  ///   - serviceName: what the service is called when the environment does not say.
  ///   - version: the version of the program.
  ///   - environment: the value of an environment variable.
  public static func detect(
    serviceName: String, version: String,
    environment: (String) -> String? = { ProcessEnvironment[$0] }
  ) -> Detection {
    var resource = Resource(schemaURL: SemanticConventions.schemaURL)
    resource["service.name"] = .string(serviceName)
    resource["service.version"] = .string(version)
    resource["service.instance.id"] = .string(instanceID())
    resource["telemetry.sdk.name"] = .string(SemanticConventions.scopeName)
    resource["telemetry.sdk.language"] = "swift"
    resource["telemetry.sdk.version"] = .string(version)
    addHost(&resource)
    addProcess(&resource)
    addContainer(&resource)
    addPod(&resource, environment)
    var problems: [String] = []
    if let text = set(environment(ResourceAttributesVariable.name)) {
      do throws(ResourceAttributesVariable.Malformed) {
        resource = resource.merging(try ResourceAttributesVariable.parse(text))
      } catch {
        problems.append(
          "\(ResourceAttributesVariable.name) is left out: \(error.message); "
            + "write key=value,key=value with %2C for a comma")
      }
    }
    if let name = set(environment("OTEL_SERVICE_NAME")) {
      resource["service.name"] = .string(name)
    }
    return Detection(resource: resource, problems: problems)
  }

  /// An empty variable is one that is not set (OpenTelemetry specification, environment variables).
  private static func set(_ value: String?) -> String? { value.flatMap { $0.isEmpty ? nil : $0 } }

  // MARK: - Host and operating system

  private static func addHost(_ resource: inout Resource) {
    resource["os.type"] = "linux"
    var kernel = "Linux"
    do throws(Errno) {
      let names = try MachineNames.current()
      resource["host.name"] = .string(names.node)
      resource["host.arch"] = .string(architecture(names.machine))
      kernel += " \(names.release)"
    } catch {
      // uname(2) does not fail but for a bad address; without a host it is a resource all the same.
    }
    if let id = text("/etc/machine-id") ?? text("/var/lib/dbus/machine-id") {
      resource["host.id"] = .string(id)
    }
    let release = osRelease(text("/etc/os-release") ?? text("/usr/lib/os-release") ?? "")
    for (key, name) in [("os.name", "NAME"), ("os.version", "VERSION_ID")] {
      if let value = release[name], !value.isEmpty { resource[key] = .string(value) }
    }
    let pretty = release["PRETTY_NAME"] ?? ""
    resource["os.description"] = .string(pretty.isEmpty ? kernel : "\(pretty), \(kernel)")
  }

  /// `host.arch` in the convention's words.
  private static func architecture(_ machine: String) -> String {
    switch machine {
    case "x86_64": "amd64"
    case "aarch64": "arm64"
    default: machine
    }
  }

  /// os-release(5): assignments as a shell has them, with or without quotes.
  static func osRelease(_ text: String) -> [String: String] {
    var values: [String: String] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      guard let equals = line.firstIndex(of: "=") else { continue }
      var value = line[line.index(after: equals)...]
      if let quote = value.first, quote == "\"" || quote == "'", value.count > 1,
        value.last == quote
      {
        value = value.dropFirst().dropLast()
      }
      values[String(line[..<equals])] = String(value.filter { $0 != "\\" })
    }
    return values
  }

  // MARK: - Process, container, pod

  private static func addProcess(_ resource: inout Resource) {
    resource["process.pid"] = .integer(Int64(CurrentProcess.id))
    do throws(Errno) {
      let path = try FileSystem.link("/proc/self/exe")
      resource["process.executable.path"] = .string(path)
      resource["process.executable.name"] = .string(
        String(path.split(separator: "/").last ?? path[...]))
    } catch {
      // Without /proc nobody tells.
    }
    resource["process.runtime.name"] = "swift"
  }

  private static func addContainer(_ resource: inout Resource) {
    let place = CgroupDirectory().place(ofProcess: CurrentProcess.id)
    let mounted = text("/proc/self/mountinfo").flatMap(container(mountInformation:))
    guard let id = place?.container?.id ?? mounted else { return }
    resource["container.id"] = .string(id)
    if let runtime = place?.container?.runtime, runtime != .unknown {
      resource["container.runtime.name"] = .string(runtime.rawValue)
    }
    if let uid = place?.container?.podUID { resource["k8s.pod.uid"] = .string(uid) }
  }

  /// In a cgroup namespace of its own a container does not see its place; but runtimes mount files into
  /// it from a folder named after it: `/…/containers/ID/hostname`, `…/ID/userdata/hostname`.
  static func container(mountInformation text: String) -> String? {
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      // ID, parent, device, root, mount point: mount_namespaces(7), proc_pid_mountinfo(5).
      let mounted = ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"]
      guard fields.count > 4, mounted.contains(String(fields[4])) else { continue }
      let id = fields[3].split(separator: "/").last { part in
        part.utf8.count == 64
          && part.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
              || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
          }
      }
      if let id { return String(id) }
    }
    return nil
  }

  private static func addPod(_ resource: inout Resource, _ environment: (String) -> String?) {
    let names = [
      ("k8s.pod.name", ["K8S_POD_NAME", "POD_NAME"]),
      ("k8s.pod.uid", ["K8S_POD_UID", "POD_UID"]),
      ("k8s.namespace.name", ["K8S_NAMESPACE_NAME", "POD_NAMESPACE"]),
      ("k8s.node.name", ["K8S_NODE_NAME", "NODE_NAME"]),
      ("k8s.container.name", ["K8S_CONTAINER_NAME", "CONTAINER_NAME"]),
      ("k8s.cluster.name", ["K8S_CLUSTER_NAME"]),
    ]
    for (key, variables) in names {
      if let value = variables.compactMap({ set(environment($0)) }).first {
        resource[key] = .string(value)
      }
    }
  }

  // MARK: -

  /// A random UUID (version 4), one for each life of a process.
  private static func instanceID() -> String {
    var generator = SystemRandomNumberGenerator()
    let high: UInt64 = generator.next() & 0xffff_ffff_ffff_0fff | 0x4000
    let low: UInt64 = generator.next() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
    let digits = Array((padded(high) + padded(low)))
    return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }
      .joined(separator: "-")
  }

  private static func padded(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// A small file's text without the end of its last line; nil when it cannot be read or is empty.
  private static func text(_ path: String) -> String? {
    do throws(Errno) {
      var text = try SystemFile.text(path)[...]
      while text.last?.isNewline ?? false { text.removeLast() }
      return text.isEmpty ? nil : String(text)
    } catch { return nil }
  }
}
