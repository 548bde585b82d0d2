@testable import EBPF
import EBPFSystem
import Glibc
import TestSupport
import Testing

/// Networking's places, counted exactly, and one program that takes another's place there
/// (`network_places.bpf.c`). Each in a process of its own, whose control group and descriptors no other test
/// shares.
@Suite struct LinkUpdateTests {
  @Test func `sockets of a control group`() async {
    await #expect(processExitsWith: .success) {
      let root = try ControlGroup.mountPoint()
      let group = root + "/ebpf-places-\(getpid())"
      try #require(mkdir(group, 0o755) == 0)
      defer { rmdir(group) }
      try SystemFile.write(group + "/cgroup.procs", "0")
      defer { try? SystemFile.write(root + "/cgroup.procs", "0") }
      try LinkUpdateTests.replace("sockets", at: .cgroup(group)) { count in
        for _ in 0..<count { close(socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)) }
      }
    }
  }

  @Test(arguments: ["packets", "ingress"])
  func `datagrams that enter an interface`(programs: String) async {
    await #expect(processExitsWith: .success) { [programs] in
      let index = try #require(Int32(exactly: if_nametoindex("lo")))
      let datagrams = try Datagrams()
      try LinkUpdateTests.replace(
        programs, at: .interface(index), port: datagrams.port, datagrams.send)
    }
  }

  @Test func `look-ups of sockets in a network namespace`() async {
    await #expect(processExitsWith: .success) {
      let datagrams = try Datagrams()
      try LinkUpdateTests.replace(
        "lookups", at: .networkNamespace("/proc/self/ns/net"), port: datagrams.port, datagrams.send)
    }
  }

  private static func replace(
    _ programs: String, at point: AttachPoint, port: UInt16 = 0, _ work: (Int) -> Void
  ) throws {
    func load() throws -> LoadedObject {
      var file = try LoadedObjectTests.object("network_places.bpf.o")
      file.programs.removeAll { !$0.name.hasPrefix(programs) }
      let object = try LoadedObject(file)
      try object.setVariable("port", to: port)
      return object
    }
    let (one, other) = (try load(), try load())
    func counts(_ object: LoadedObject) throws -> [UInt64] {
      let counts = try object.variable("counts", as: Counts.self)
      return [counts.first, counts.second]
    }
    var link = try one.program(programs + "_first").attach(point)
    let id = try #require(try link.id())
    work(1_000)
    #expect(try counts(one) == [1_000, 0])
    try link.update(to: one.program(programs + "_second"))
    #expect(try link.id() == id)
    let name = link.programName
    #expect(name == programs + "_second")
    work(300)
    #expect(try counts(one) == [1_000, 300])
    // bpftool names what runs there.
    let shown = try Command.output(["bpftool", "-j", "link", "show", "id", "\(id)"])
    #expect(shown.contains("\"prog_id\":\(try one.program(programs + "_second").id)"), "\(shown)")
    // Not when another one runs there than is believed.
    let (first, second) = (try one.program(programs + "_first"), try one.program(name))
    let error = try #require(throws: EBPFError.self) {
      try link.update(to: first, replacing: first)
    }
    #expect(error.code == .invalidState, "\(error)")
    try link.update(to: other.program(programs + "_first"), replacing: second)
    work(20)
    #expect(try counts(one) == [1_000, 300])
    #expect(try counts(other) == [20, 0])
    // It is the other object's now.
    #expect(one.unload().isEmpty)
    work(1)
    #expect(try counts(other) == [21, 0])
    let isAttached = link.isAttached
    #expect(isAttached)
    #expect(other.unload().isEmpty)
    let isStillAttached = link.isAttached
    #expect(!isStillAttached)
  }

  @Test func `a place whose link cannot be updated is named`() throws {
    let counts = try SyscallCounts("count_raw_tp.bpf.o")
    let (enter, exit) = (
      try counts.object.program("count_enter"), try counts.object.program("count_exit")
    )
    var link = try enter.attachBySection()
    let error = try #require(throws: EBPFError.self) { try link.update(to: exit) }
    #expect(error.code == .unsupported)
    #expect(error.systemCall?.call == "bpf(BPF_LINK_UPDATE)")
    #expect(error.hint?.hasSuffix("otherwise detach and attach") == true)
    let name = link.programName
    #expect(name == "count_enter")
    try link.detach()
  }
}

private struct Counts: BitwiseCopyable {
  var first, second: UInt64
}

/// A UDP socket on the loopback interface, and datagrams to it.
private struct Datagrams {
  let port: UInt16
  private let descriptor: Int32

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    let status = unsafe withUnsafeMutablePointer(to: &address) { address in
      unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe bind(descriptor, address, size) == 0 ? getsockname(descriptor, address, &size) : -1
      }
    }
    try #require(status == 0)
    port = UInt16(bigEndian: address.sin_port)
  }

  /// Each is received before the next one is sent.
  func send(_ count: Int) {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    address.sin_port = port.bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    unsafe withUnsafePointer(to: &address) { address in
      unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        for _ in 0..<count {
          var byte: UInt8 = 1
          unsafe #expect(sendto(descriptor, &byte, 1, 0, address, size) == 1)
          unsafe #expect(recv(descriptor, &byte, 1, 0) == 1)
        }
      }
    }
  }
}
