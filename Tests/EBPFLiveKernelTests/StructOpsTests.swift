import EBPF
import EBPFSystem
import Glibc
import TestSupport
import Testing

/// A congestion control of our own on the running kernel (`congestion.bpf.c`). The names are the whole
/// machine's, so one test at a time.
@Suite(.serialized) struct StructOpsTests {
  fileprivate static func fixture(_ name: String) throws -> ObjectFile {
    var object = try LoadedObjectTests.object("congestion.bpf.o")
    object.maps.removeAll { $0.type == .structOps && $0.name != name }
    return object
  }

  fileprivate static func available() throws -> [String] {
    try SystemFile.text("/proc/sys/net/ipv4/tcp_available_congestion_control", limit: 4096)
      .split(whereSeparator: \.isWhitespace).map(String.init)
  }

  @Test(arguments: [("by_link", "ebpf_link"), ("by_update", "ebpf_update")])
  func `each connection that asks for our congestion control is counted, until it is detached`(
    variable: String, name: String
  ) throws {
    let object = try LoadedObject(Self.fixture(variable))
    #expect(object.warnings.isEmpty)
    let ops = try object.structOps(variable)
    #expect(ops.structure == "tcp_congestion_ops")
    #expect(
      ops.functions.map(\.member) == ["undo_cwnd", "cong_avoid", "ssthresh", "init", "release"])
    #expect(ops.hasLink == (variable == "by_link"))
    #expect(try !Self.available().contains(name))
    let link = try ops.attach()
    #expect(try Self.available().contains(name))
    // bpftool, which knows nothing of ours, sees it registered.
    let listed = try Command.output(["bpftool", "struct_ops", "list"])
    #expect(listed.contains("\(variable)"), "\(listed)")
    let command = try Command.run([
      StoppedProcess.workload("congestion"), name, "5", "100000",
    ])
    #expect(command.status == 0, "\(command.error)")
    #expect(command.output == name + "\n")
    #expect(try object.variable("inits", as: UInt64.self) == 5)
    #expect(try object.variable("acknowledgements", as: UInt64.self) >= 5)
    try Kernel.eventually { try object.variable("releases", as: UInt64.self) == 5 }
    try link.detach()
    #expect(try !Self.available().contains(name))
  }

  @Test func `a map that was registered without a link is not registered twice`() throws {
    let ops = try LoadedObject(Self.fixture("by_update")).structOps("by_update")
    try ops.attach().detach()
    let error = try #require(throws: EBPFError.self) { try ops.attach().detach() }
    #expect(error.code == .exists)
    #expect(error.systemCall?.name == "EBUSY")
    #expect(
      error.message == "struct tcp_congestion_ops 'by_update' was registered before, and a map can "
        + "be registered once")
  }

  @Test func `what lacks a function that the kernel needs is refused when it is registered`() throws
  {
    var fixture = try Self.fixture("by_link")
    let index = try #require(fixture.maps.firstIndex { $0.name == "by_link" })
    // ssthresh
    fixture.maps[index].slots[4] = nil
    let object = try LoadedObject(fixture)
    #expect(!object.programs.map(\.name).contains("ours_threshold"))
    let error = try #require(throws: EBPFError.self) {
      try object.structOps("by_link").attach().detach()
    }
    #expect(error.code == .rejected)
    #expect(error.message == "the kernel does not accept struct tcp_congestion_ops 'by_link'")
  }

  @Test func `unloading takes a structure back, and its link is a bpf_link`() throws {
    let object = try LoadedObject(Self.fixture("by_link"))
    let link = try object.structOps("by_link").attach()
    let id = try #require(try link.id())
    let shown = try Command.output(["bpftool", "link", "show", "id", "\(id)"])
    #expect(shown.contains("struct_ops"), "\(shown)")
    #expect(object.unload().isEmpty)
    let isAttached = link.isAttached
    #expect(!isAttached)
    #expect(try !Self.available().contains("ebpf_link"))
  }

  @Test func `another structure of the same name takes the place of the first`() throws {
    let (one, other) = (
      try LoadedObject(Self.fixture("by_link")), try LoadedObject(Self.fixture("by_link"))
    )
    var link = try one.structOps("by_link").attach()
    func connect(_ count: Int) throws {
      let command = try Command.run([
        StoppedProcess.workload("congestion"), "ebpf_link", "\(count)", "1000",
      ])
      #expect(command.status == 0, "\(command.error)")
    }
    try connect(3)
    try link.update(to: other.structOps("by_link"))
    try connect(4)
    #expect(try one.variable("inits", as: UInt64.self) == 3)
    #expect(try other.variable("inits", as: UInt64.self) == 4)
    #expect(one.unload().isEmpty)
    #expect(try Self.available().contains("ebpf_link"))
    try link.detach()
    #expect(try !Self.available().contains("ebpf_link"))
  }

  @Test func `a killed process leaves no structure registered`() async throws {
    await #expect(processExitsWith: .signal(SIGKILL)) {
      let object = try LoadedObject(StructOpsTests.fixture("by_link"))
      let link = try object.structOps("by_link").attach()
      guard try StructOpsTests.available().contains("ebpf_link") else { exit(1) }
      kill(getpid(), SIGKILL)
      try link.detach()
    }
    try Kernel.eventually { try !Self.available().contains("ebpf_link") }
  }

  @Test func `a structure that the kernel has not got is refused with near names`() throws {
    let kernel = KernelTypes.running
    let error = try #require(throws: EBPFError.self) {
      var fixture = try Self.fixture("by_link")
      let index = try #require(fixture.maps.firstIndex { $0.name == "by_link" })
      let btf = try #require(fixture.btf)
      fixture.maps[index].valueTypeID = try #require(
        try btf.firstID(named: "tcp_sock", kind: .structure))
      _ = try LoadedObject(fixture, types: kernel)
    }
    #expect(error.code == .notFound)
    #expect(error.message == "the kernel has no struct tcp_sock that programs can implement")
    #expect(error.hint?.contains("tcp_congestion_ops") == true, "\(error)")
  }
}
