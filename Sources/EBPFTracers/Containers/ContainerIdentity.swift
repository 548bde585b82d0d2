/// A container, as the path of a control group tells: its id, its runtime, and its pod.
///
/// Runtimes name the groups they make in a handful of ways, with systemd's help or without. Nothing
/// else is asked: no socket of a runtime, no file of it.
public struct ContainerIdentity: Sendable, Hashable {
  /// Who runs a container.
  public enum Runtime: String, Sendable, Hashable, CaseIterable {
    /// Docker.
    case docker
    /// containerd, also as Kubernetes' runtime and under nerdctl.
    case containerd
    /// CRI-O.
    case crio = "cri-o"
    /// Podman.
    case podman
    /// Kubernetes, where the path does not say through which runtime.
    case kubernetes
    /// LXC, LXD and Incus.
    case lxc
    /// Amazon ECS, also on Fargate.
    case ecs
    /// systemd-nspawn.
    case nspawn = "systemd-nspawn"
    /// One that the path does not name.
    case unknown
  }

  /// The container's id: 64 hexadecimal digits, or a name for runtimes that have names only.
  public var id: String
  /// Who runs it.
  public var runtime: Runtime
  /// The Kubernetes pod it belongs to.
  public var podUID: String?

  /// Creates an identity.
  public init(id: String, runtime: Runtime, podUID: String? = nil) {
    self.id = id
    self.runtime = runtime
    self.podUID = podUID
  }

  /// The innermost container whose group, or a group in it, has this path; nil when there is none.
  ///
  /// The path is one below the mount point, or a line's last field in `/proc/PID/cgroup`.
  public init?(cgroupPath: String) {
    // The cgroupfs driver of some versions leaves systemd's way of naming in one component:
    // "kubepods-burstable-podUID.slice:cri-containerd:ID".
    let parts = cgroupPath.split { $0 == "/" || $0 == ":" }.map { CgroupComponent($0) }
    var found: ContainerIdentity?
    var podUID: String?
    for (index, part) in parts.enumerated() {
      if let uid = part.podUID {
        podUID = uid
        continue
      }
      guard let container = ContainerIdentity.container(part, below: parts[..<index]) else {
        continue
      }
      found = ContainerIdentity(id: container.id, runtime: container.runtime, podUID: podUID)
    }
    guard let found else { return nil }
    self = found
  }

  /// What one component says, given those above it.
  private static func container(
    _ part: CgroupComponent, below parents: ArraySlice<CgroupComponent>
  ) -> (id: String, runtime: Runtime)? {
    let above = parents.last?.name ?? ""
    if above == "lxc" || above == "lxc.payload" { return (String(part.full), .lxc) }
    if part.full.hasPrefix("lxc.payload.") { return (String(part.full.dropFirst(12)), .lxc) }
    if part.full.hasPrefix("systemd-nspawn@"), part.full.hasSuffix(".service") {
      return (part.name.dropFirst(15).unescaped, .nspawn)
    }
    if part.name.isContainerID {
      return (String(part.name), runtime(above: parents))
    }
    if parents.contains(where: { $0.name == "ecs" }), part.name.isFargateID {
      return (String(part.name), .ecs)
    }
    // PREFIX-ID; "crio-conmon-ID" is who watches the container, and not in it.
    guard part.name.count > 65, part.name.suffix(64).isContainerID else { return nil }
    let prefix = part.name.dropLast(64)
    guard prefix.last == "-" else { return nil }
    switch prefix.dropLast() {
    case "docker": return (String(part.name.suffix(64)), .docker)
    case "cri-containerd", "containerd", "nerdctl":
      return (String(part.name.suffix(64)), .containerd)
    case "crio": return (String(part.name.suffix(64)), .crio)
    case "libpod": return (String(part.name.suffix(64)), .podman)
    case let other where other.hasSuffix("conmon") || other.hasSuffix("_pod"): return nil
    default: return (String(part.name.suffix(64)), .unknown)
    }
  }

  /// Whose container a bare id is: the nearest group above it that says so.
  private static func runtime(above parents: ArraySlice<CgroupComponent>) -> Runtime {
    for parent in parents.reversed() {
      switch parent.name {
      case "docker", "moby": return .docker
      case "cri-containerd", "containerd", "k8s.io", "default": return .containerd
      case "crio": return .crio
      case "libpod_parent", "libpod": return .podman
      case "ecs": return .ecs
      case let name where parent.podUID != nil || name.hasKubepods: return .kubernetes
      default: continue
      }
    }
    return .unknown
  }
}

/// One component of a control group's path.
struct CgroupComponent {
  /// All of it.
  let full: Substring
  /// It without systemd's `.scope`, `.slice` or `.service`.
  let name: Substring

  init(_ text: Substring) {
    full = text
    let suffix = [".scope", ".slice", ".service"].first { text.hasSuffix($0) }
    name = text.dropLast(suffix?.count ?? 0)
  }

  /// The pod whose group this is: `podUID`, or `kubepods-burstable-podUID` with `_` for `-`.
  var podUID: String? {
    guard let start = name.lastRange(of: "pod") else { return nil }
    let prefix = name[..<start.lowerBound]
    guard prefix.isEmpty || prefix.last == "-" && prefix.hasKubepods else { return nil }
    let uid = name[start.upperBound...]
    let digits = uid.utf8.count { $0.isHexDigit }
    let dashes = uid.utf8.count { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    guard digits == 32, digits + dashes == uid.utf8.count, dashes == 4 || dashes == 0 else {
      return nil
    }
    return String(uid.map { $0 == "_" ? "-" : $0 })
  }
}

extension Substring {
  /// `kubepods`, also below another kubelet: `kubelet-kubepods`.
  fileprivate var hasKubepods: Bool {
    split(separator: "-").contains("kubepods")
  }

  /// 64 hexadecimal digits in lower case.
  fileprivate var isContainerID: Bool { utf8.count == 64 && utf8.allSatisfy(\.isHexDigit) }

  /// A container of a task on Fargate: 32 hexadecimal digits, a dash, and a decimal number.
  fileprivate var isFargateID: Bool {
    guard utf8.count > 33, utf8.prefix(32).allSatisfy(\.isHexDigit) else { return false }
    let rest = utf8.dropFirst(32)
    return rest.first == UInt8(ascii: "-")
      && rest.dropFirst().allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  fileprivate func lastRange(of word: String) -> Range<Index>? {
    var end = endIndex
    while end > startIndex {
      let head = self[..<end]
      if head.hasSuffix(word) { return index(end, offsetBy: -word.count)..<end }
      end = index(before: end)
    }
    return nil
  }

  /// systemd writes bytes that a unit's name cannot have as `\x2d` (systemd-escape(1)).
  fileprivate var unescaped: String {
    var bytes: [UInt8] = []
    var rest = utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), rest.first == UInt8(ascii: "x"),
        let value = UInt8(String(Substring(rest.dropFirst().prefix(2))), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension UInt8 {
  fileprivate var isHexDigit: Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
      || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
  }
}
