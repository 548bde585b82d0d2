/// Where in the tree of control groups something runs.
public struct CgroupPlace: Sendable, Hashable {
  /// The group's path below the mount point: `/system.slice/ssh.service`.
  public var path: String
  /// The container it belongs to; nil for what runs on the host.
  public var container: ContainerIdentity?

  /// Reads a path.
  public init(path: String) {
    self.path = path
    container = ContainerIdentity(cgroupPath: path)
  }

  /// The systemd unit nearest to it: `ssh.service`, `session-3.scope`, or else a slice; nil where
  /// systemd does not manage groups.
  public var unit: String? {
    let names = path.split(separator: "/")
    return
      (names.last { $0.hasSuffix(".service") || $0.hasSuffix(".scope") }
      ?? names.last { $0.hasSuffix(".slice") }).map(String.init)
  }
}
