import Testing

@testable import EBPFTracers

/// Paths as runtimes make them, collected from their sources and from machines that run them.
@Suite struct ContainerIdentityTests {
  private static let id = "3f1c9b0a7de24f5588a1c3b6e0d9f7421a6b8c3d5e7f90123456789abcdef012"
  private static let other = "aa1c9b0a7de24f5588a1c3b6e0d9f7421a6b8c3d5e7f90123456789abcdef0bb"
  private static let pod = "2b5e1f7e-8c3d-4a6b-9f01-23456789abcd"
  private static let systemdPod = "2b5e1f7e_8c3d_4a6b_9f01_23456789abcd"
  private static let user = "/user.slice/user-1000.slice/user@1000.service"

  struct Row: Sendable, CustomTestStringConvertible {
    let path: String
    let runtime: ContainerIdentity.Runtime
    var id = ContainerIdentityTests.id
    var pod: String?
    var testDescription: String { path }
  }

  static let containers: [Row] = [
    // Docker with the cgroupfs and the systemd driver, rootless, and Docker in Docker.
    Row(path: "/docker/\(id)", runtime: .docker),
    Row(path: "/system.slice/docker-\(id).scope", runtime: .docker),
    Row(path: "\(user)/user.slice/docker-\(id).scope", runtime: .docker),
    Row(path: "/docker/\(other)/docker/\(id)", runtime: .docker),
    Row(path: "/docker/\(id)/init", runtime: .docker),
    // Seen from another cgroup namespace.
    Row(path: "/../\(id)", runtime: .unknown),
    Row(path: "/../../system.slice/docker-\(id).scope", runtime: .docker),
    // Kubernetes through containerd, CRI-O, Docker, with both drivers.
    Row(
      path: "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod\(systemdPod).slice/"
        + "cri-containerd-\(id).scope", runtime: .containerd, pod: pod),
    Row(
      path: "/kubepods.slice/kubepods-pod\(systemdPod).slice/crio-\(id).scope", runtime: .crio,
      pod: pod),
    Row(
      path: "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod\(systemdPod).slice/"
        + "crio-\(id).scope/container", runtime: .crio, pod: pod),
    Row(
      path: "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod\(systemdPod).slice/"
        + "docker-\(id).scope", runtime: .docker, pod: pod),
    Row(path: "/kubepods/burstable/pod\(pod)/\(id)", runtime: .kubernetes, pod: pod),
    Row(path: "/kubepods/pod\(pod)/\(id)", runtime: .kubernetes, pod: pod),
    Row(path: "/kubepods/besteffort/pod\(pod)/crio-\(id)", runtime: .crio, pod: pod),
    Row(
      path: "/system.slice/containerd.service/kubepods-burstable-pod\(systemdPod).slice:"
        + "cri-containerd:\(id)", runtime: .containerd, pod: pod),
    // A static pod's uid is a hash without dashes.
    Row(
      path: "/kubepods/burstable/pod0123456789abcdef0123456789abcdef/\(id)", runtime: .kubernetes,
      pod: "0123456789abcdef0123456789abcdef"),
    // Kubernetes in Docker (kind, minikube).
    Row(
      path: "/docker/\(other)/kubelet/kubepods/burstable/pod\(pod)/\(id)", runtime: .kubernetes,
      pod: pod),
    Row(
      path: "/system.slice/docker-\(other).scope/kubelet.slice/kubelet-kubepods.slice/"
        + "kubelet-kubepods-pod\(systemdPod).slice/cri-containerd-\(id).scope",
      runtime: .containerd, pod: pod),
    // containerd without Kubernetes: ctr, nerdctl.
    Row(path: "/default/\(id)", runtime: .containerd),
    Row(path: "/system.slice/nerdctl-\(id).scope", runtime: .containerd),
    // Podman as root, rootless, in a pod, with the cgroupfs driver.
    Row(path: "/machine.slice/libpod-\(id).scope", runtime: .podman),
    Row(path: "/machine.slice/libpod-\(id).scope/container", runtime: .podman),
    Row(path: "\(user)/user.slice/libpod-\(id).scope", runtime: .podman),
    Row(path: "\(user)/app.slice/libpod-\(id).scope/container", runtime: .podman),
    Row(
      path: "/machine.slice/machine-libpod_pod_\(other).slice/libpod-\(id).scope", runtime: .podman),
    Row(path: "/libpod_parent/libpod-\(id)", runtime: .podman),
    // LXC, LXD and Incus: names.
    Row(path: "/lxc/web", runtime: .lxc, id: "web"),
    Row(path: "/lxc.payload/web/init.scope", runtime: .lxc, id: "web"),
    Row(path: "/lxc.payload.web-1/system.slice/nginx.service", runtime: .lxc, id: "web-1"),
    Row(path: "/lxc.payload.web/docker/\(id)", runtime: .docker),
    // Amazon ECS on machines and on Fargate.
    Row(path: "/ecs/0123456789abcdef0123456789abcdef/\(id)", runtime: .ecs),
    Row(
      path: "/ecs/0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef-2574487294",
      runtime: .ecs, id: "0123456789abcdef0123456789abcdef-2574487294"),
    // systemd-nspawn.
    Row(
      path: "/machine.slice/systemd-nspawn@deb\\x2dbuild.service/payload", runtime: .nspawn,
      id: "deb-build"),
    // A runtime that is not in the list.
    Row(path: "/system.slice/newcomer-\(id).scope", runtime: .unknown),
  ]

  @Test(arguments: containers)
  func `a container's group says its id, its runtime and its pod`(row: Row) throws {
    let container = try #require(ContainerIdentity(cgroupPath: row.path))
    #expect(container == ContainerIdentity(id: row.id, runtime: row.runtime, podUID: row.pod))
  }

  @Test(arguments: [
    "", "/", "/init.scope", "/user.slice/user-1000.slice/session-3.scope",
    "/system.slice/ssh.service", "/system.slice/docker.service", "/docker", "/kubepods.slice",
    "/kubepods/burstable/pod\(pod)", "/machine.slice/libpod-conmon-\(id).scope",
    "/kubepods.slice/crio-conmon-\(id).scope", "/lxc.monitor.web", "/lxc",
    "/machine.slice/machine-libpod_pod_\(id).slice", "/docker/\(id.dropLast())",
    "/docker/\(id.uppercased())", "/docker/\(id)0", "/ecs/0123456789abcdef0123456789abcdef",
    "/a/0123456789abcdef0123456789abcdef-12", "/system.slice/docker\(id).scope", "::::", "////",
  ])
  func `other groups are no containers`(path: String) {
    #expect(ContainerIdentity(cgroupPath: path) == nil)
  }

  @Test func `what systemd runs has a unit`() {
    let units: [(String, String?)] = [
      ("/system.slice/ssh.service", "ssh.service"),
      ("/user.slice/user-1000.slice/session-3.scope", "session-3.scope"),
      ("/user.slice/user-1000.slice/user@1000.service/app.slice/term.scope/x", "term.scope"),
      ("/user.slice", "user.slice"), ("/docker/\(Self.id)", nil), ("/", nil),
    ]
    for (path, unit) in units { #expect(CgroupPlace(path: path).unit == unit, "\(path)") }
  }

  @Test func `of a process's groups the one that tells the container counts`() {
    let hybrid = """
      9:name=systemd:/docker/\(Self.id)
      8:pids:/docker/\(Self.id)
      0::/system.slice/containerd.service
      """
    #expect(
      CgroupDirectory.place(processCgroups: hybrid)?.path == "/docker/\(Self.id)")
    let unified = "0::/machine.slice/libpod-\(Self.id).scope/container\n"
    #expect(
      CgroupDirectory.place(processCgroups: unified)?.container?.runtime == .podman)
    let both = "4:cpu:/a\n0::/b\n"
    #expect(CgroupDirectory.place(processCgroups: both)?.path == "/b")
    // A path may have colons, and be gone.
    let odd = "0::/a:b/docker-\(Self.id).scope (deleted)\n"
    let place = CgroupDirectory.place(processCgroups: odd)
    #expect(place?.path == "/a:b/docker-\(Self.id).scope")
    #expect(place?.container?.id == Self.id)
    #expect(CgroupDirectory.place(processCgroups: "") == nil)
    #expect(CgroupDirectory.place(processCgroups: "nonsense\n:::\n\0") != nil)
  }
}
