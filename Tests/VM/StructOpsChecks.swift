import EBPF
import EBPFSystem
import TestSupport

/// A congestion control of our own (`congestion.bpf.c`), by the kernel's `struct tcp_congestion_ops`.
enum StructOpsChecks {
  static let all = [
    Check("a congestion control that is registered by a link runs connections, and goes with it") {
      guard !Guest.isOld else { return try expectNoLinks() }
      let object = try load("by_link")
      try equal(object.structOps.map(\.name), ["by_link"], "the structures")
      let link = try object.structOps("by_link").attach()
      try equal(link.mechanism, .structOpsLink, "the way")
      try equal(link.place, "struct_ops tcp_congestion_ops", "the place")
      try require(available().contains("ebpf_link"), "it is not listed")
      try run("ebpf_link", connections: 3, object)
      try link.detach()
      try require(!available().contains("ebpf_link"), "it is still there")
      // Its map can be registered again, and ends with the object.
      let again = try object.structOps("by_link").attach()
      try run("ebpf_link", connections: 2, object)
      try equal(object.unload(), [], "what is left behind")
      try require(!again.isAttached, "the link says that it is attached")
      try require(!available().contains("ebpf_link"), "it is still there")
    },
    Check("a congestion control that is registered by its map runs connections, and goes with it") {
      let object = try load("by_update")
      let ops = try object.structOps("by_update")
      let link = try ops.attach()
      try equal(link.mechanism, .structOps, "the way")
      try require(available().contains("ebpf_update"), "it is not listed")
      try run("ebpf_update", connections: 3, object)
      try link.detach()
      try require(!available().contains("ebpf_update"), "it is still there")
      let error = try refusal {
        let link = try ops.attach()
        try link.detach()
      }
      try equal(
        error, .exists,
        "struct tcp_congestion_ops 'by_update' was registered before, and a map can be registered "
          + "once", errno: "EBUSY")
    },
    Check("unloading an object takes its congestion control back") {
      let object = try load("by_update")
      let link = try object.structOps("by_update").attach()
      try equal(object.unload(), [], "what is left behind")
      try require(!link.isAttached, "the link says that it is attached")
      try require(!available().contains("ebpf_update"), "it is still there")
      try link.detach()
    },
    Check("two congestion controls of one name are refused by the kernel, and the first one stays")
    {
      let link = try load("by_update").structOps("by_update").attach()
      let error = try refusal {
        let other = try load("by_update").structOps("by_update").attach()
        try other.detach()
      }
      try equal(
        error, .exists, "the kernel has another struct tcp_congestion_ops 'by_update' of this name",
        errno: "EEXIST")
      try require(available().contains("ebpf_update"), "it is gone")
      try link.detach()
    },
    Check("a congestion control without a function that it needs is refused when it is registered")
    {
      var fixture = try StructOpsChecks.fixture("by_update")
      // In the object's order: undo_cwnd, cong_avoid, ssthresh.
      fixture.maps[fixture.maps.count - 1].slots[4] = nil
      let object = try LoadedObject(fixture)
      try require(!object.programs.map(\.name).contains("ours_threshold"), "it is loaded")
      let error = try refusal {
        let link = try object.structOps("by_update").attach()
        try link.detach()
      }
      try equal(
        error, .rejected, "the kernel does not accept struct tcp_congestion_ops 'by_update'",
        errno: "EINVAL")
    },
    Check("a member that this kernel lacks is refused by name, unless it is zero") {
      var fixture = try StructOpsChecks.fixture("misfit")
      fixture.maps[fixture.maps.count - 1].autocreate = true
      let error = try refusal { _ = try LoadedObject(fixture) }
      try equal(
        error, .unsupported, "this kernel's struct tcp_congestion_ops has no such member")
      try require(
        error.context.contains(.other("member", "swift_ebpf_missing")), "\(error)")
      fixture.maps[fixture.maps.count - 1].slots[0] = nil
      let object = try LoadedObject(fixture)
      try equal(object.programs.map(\.name).contains("misplaced"), false, "misplaced is loaded")
      let link = try object.structOps("misfit").attach()
      try require(available().contains("ebpf_misfit"), "it is not listed")
      try link.detach()
    },
    Check("structures that are optional are made when they are asked for") {
      var fixture = try StructOpsChecks.fixture("on_request")
      try require(try LoadedObject(fixture).structOps.isEmpty, "it was made")
      fixture.maps[fixture.maps.count - 1].autocreate = true
      let object = try LoadedObject(fixture)
      try require(object.programs.map(\.name).contains("other_release"), "it is not loaded")
      let link = try object.structOps("on_request").attach()
      try require(available().contains("ebpf_request"), "it is not listed")
      try link.detach()
    },
    Check("a program that is a member of no structure is refused when it is asked for") {
      let error = try refusal {
        var options = LoadOptions()
        options.programs = ["ours_init"]
        _ = try LoadedObject(try fixture("by_update"), options: options)
      }
      try equal(
        error, .invalidArgument, "the program is a function of no kernel structure that is loaded")
    },
  ]

  /// `congestion`, with only one of its structures.
  private static func fixture(_ name: String) throws -> ObjectFile {
    var object = try Guest.object("congestion")
    object.maps.removeAll { $0.type == .structOps && $0.name != name }
    return object
  }

  private static func load(_ name: String) throws -> LoadedObject {
    let object = try LoadedObject(try fixture(name))
    try require(object.warnings.isEmpty, "\(object.warnings)")
    return object
  }

  /// The congestion controls that a socket can ask for.
  private static func available() throws -> [String] {
    try Guest.text("/proc/sys/net/ipv4/tcp_available_congestion_control")
      .split(whereSeparator: \.isWhitespace).map(String.init)
  }

  private static func run(_ name: String, connections: UInt64, _ object: LoadedObject) throws {
    func count(_ what: String) throws -> UInt64 { try object.variable(what, as: UInt64.self) }
    let before = (try count("inits"), try count("acknowledgements"))
    let command = try Command.run(["/bin/congestion", name, "\(connections)", "100000"])
    try equal(command.status, 0, "the status (\(command.error))")
    try equal(command.output, name + "\n", "the name that the socket has")
    try equal(try count("inits") - before.0, connections, "connections begun")
    let acknowledgements = try count("acknowledgements") - before.1
    try require(acknowledgements >= connections, "\(acknowledgements) acknowledgements")
    // A socket's end may be left to the kernel's next moment.
    try eventually("connections ended") { try count("releases") == count("inits") }
  }

  private static func expectNoLinks() throws {
    let error = try refusal { _ = try load("by_link") }
    try equal(
      error, .unsupported,
      "the kernel does not take a struct tcp_congestion_ops that is registered by a link",
      errno: "EINVAL",
      hint: "section .struct_ops.link takes Linux 6.4; .struct_ops does without a link")
  }
}
