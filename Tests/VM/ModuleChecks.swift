import EBPF
import EBPFSystem
import Glibc
import TestSupport

/// Functions and types of a kernel module, whose BTF continues the kernel's.
enum ModuleChecks {
  static let all = [
    Check("the BTF of a loaded module is read, and continues the kernel's") {
      let base = try KernelTypes.running.vmlinux()
      let veth = try require(
        KernelTypes.running.modules().first { $0.name == "veth" }, "veth is not listed")
      try require(veth.types.typeCount > base.typeCount, "veth adds no types")
      let id = try require(
        veth.types.firstID(named: "veth_xmit", kind: .function), "veth has no veth_xmit")
      try require(id >= base.typeCount, "\(id) is one of the kernel's own types")
      try require(
        base.firstID(named: "veth_xmit", kind: .function) == nil, "the kernel has veth_xmit")
      // A type of the kernel that a type of the module refers to.
      let structure = try require(
        veth.types.firstID(named: "veth_priv", kind: .structure), "veth has no veth_priv")
      try require(veth.types.size(of: structure) > 0, "veth_priv has no size")
    },
    Check("fentry and kprobe in a module count each of 1,000 packets") {
      let object = try Guest.load("count_module")
      try object.setVariable("target_tgid", to: getpid())
      let links = Links()
      for name in ["on_transmit", "on_named_transmit", "on_probed_transmit"] {
        let program = try object.program(name)
        try links.insert(try program.attachBySection(), as: name)
      }
      let device = try VirtualDevice()
      try device.send(1_000)
      try require(links.detachAll().isEmpty, "not everything was detached")
      try device.send(10)
      for name in ["by_trampoline", "by_named_module", "by_kprobe"] {
        try equal(try object.variable(name, as: UInt64.self), 1_000, name)
      }
    },
    Check("CO-RE answers with a type that only a module has") {
      let object = try Guest.load("count_module")
      _ = try object.program("ask").testRun()
      try equal(try object.variable("type_exists", as: UInt32.self), 1, "exists")
      let veth = try require(
        KernelTypes.running.modules().first { $0.name == "veth" }, "veth is not listed")
      let id = try require(
        veth.types.firstID(named: "veth_priv", kind: .structure), "veth has no veth_priv")
      try equal(
        UInt64(try object.variable("type_size", as: UInt32.self)), try veth.types.size(of: id),
        "size")
    },
    Check("a function of a module that is not loaded is refused") {
      var object = try Guest.object("count_module")
      object.programs.removeAll { $0.name != "on_transmit" }
      object.programs[0].attachTarget = "dummy:dummy_xmit"
      let error = try refusal { _ = try LoadedObject(object) }
      try equal(
        error, .notFound, "the kernel's BTF has no function 'dummy:dummy_xmit'",
        hint: "is module 'dummy' loaded? lsmod shows it")
    },
  ]
}

/// One end of a `veth` pair (the kernel names the other one `veth0`), and a socket that sends through it.
struct VirtualDevice {
  private let near = "near"
  private let index: UInt32

  init() throws {
    if if_nametoindex(near) == 0 {
      _ = try Command.output(["ip", "link", "add", near, "type", "veth"])
      for name in [near, "veth0"] {
        _ = try Command.output(["ip", "link", "set", name, "up"])
      }
    }
    // Until the kernel's own thread has seen that both ends are up, packets are dropped above them.
    while try Guest.text("/sys/class/net/\(near)/operstate") != "up\n" { sched_yield() }
    index = if_nametoindex(near)
    try require(index != 0, "there is no \(near)")
  }

  /// Sends that many frames of 60 bytes.
  func send(_ count: Int) throws {
    let packetFamily: Int32 = 17
    let descriptor = socket(packetFamily, Int32(SOCK_RAW.rawValue), 0)
    try require(descriptor >= 0, "no packet socket: \(errno)")
    defer { close(descriptor) }
    // struct sockaddr_ll: family, protocol, interface, then 12 bytes that a sent frame does not need.
    var address = [UInt8](repeating: 0, count: 20)
    address.withUnsafeMutableBytes { bytes in
      bytes.storeBytes(of: UInt16(packetFamily), as: UInt16.self)
      bytes.storeBytes(of: UInt16(0x0800).bigEndian, toByteOffset: 2, as: UInt16.self)
      bytes.storeBytes(of: index, toByteOffset: 4, as: UInt32.self)
    }
    let frame = [UInt8](repeating: 0xff, count: 12) + [8, 0] + [UInt8](repeating: 0, count: 46)
    for _ in 0..<count {
      let sent = address.withUnsafeBytes { bytes in
        sendto(
          descriptor, frame, frame.count, 0,
          bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
          socklen_t(bytes.count))
      }
      try equal(sent, frame.count, "sent bytes (\(errno))")
    }
  }
}
