import EBPFObject
import TestSupport
import Testing

/// Map, program and attach types against the running kernel's own enumerations and bpftool's names.
@Suite struct KernelTypeTests {
  /// The enumerators of one kernel enumeration, as `bpftool btf dump` prints them.
  static func enumerators(of name: String) throws -> [(name: String, value: UInt32)] {
    let dump = try Command.output([
      "sh", "-c",
      "bpftool btf dump file /sys/kernel/btf/vmlinux format raw"
        + " | awk \"/ENUM '\(name)'/{p=1;next} p&&/^\\t/{print;next} p{exit}\"",
    ])
    return dump.split(separator: "\n").compactMap { line in
      let parts = line.split(separator: "'")
      guard parts.count == 3, let value = UInt32(parts[2].dropFirst(" val=".count)) else {
        return nil
      }
      return (String(parts[1]), value)
    }
  }

  static func isSentinel(_ name: String) -> Bool {
    name.hasPrefix("__MAX") || name.hasSuffix("_DEPRECATED")
  }

  @Test func `map types have the running kernel's numbers`() throws {
    let members = try Self.enumerators(of: "bpf_map_type")
    #expect(members.count > 30)
    for (name, value) in members where !Self.isSentinel(name) {
      #expect(MapType(rawValue: value).kernelName == name)
      #expect(MapType(name: name)?.rawValue == value)
    }
  }

  @Test func `program types have the running kernel's numbers`() throws {
    let members = try Self.enumerators(of: "bpf_prog_type")
    #expect(members.count > 30)
    for (name, value) in members where !Self.isSentinel(name) {
      #expect(ProgramType(rawValue: value).kernelName == name)
    }
  }

  @Test func `attach types have the running kernel's numbers`() throws {
    let members = try Self.enumerators(of: "bpf_attach_type")
    #expect(members.count > 50)
    for (name, value) in members where !Self.isSentinel(name) {
      #expect(AttachType(rawValue: value).kernelName == name)
    }
  }

  @Test func `names are those that bpftool prints`() throws {
    func builtins(_ group: String) throws -> [String] {
      try Command.output(["bpftool", "feature", "list_builtins", group])
        .split(separator: "\n").map(String.init)
    }
    let maps = try builtins("map_types")
    #expect(MapType.all.prefix(maps.count).map(\.name).sorted() == maps.sorted())
    #expect(try builtins("prog_types") == ProgramType.all.prefix(32).map(\.name))
    let attach = try builtins("attach_types")
    #expect(attach == AttachType.all.prefix(attach.count).map(\.name))
  }

  @Test func `a number of the future is shown as a number`() {
    #expect(MapType(rawValue: 4711).name == "type 4711")
    #expect(MapType(rawValue: 4711).kernelName == "4711")
    #expect(MapType(rawValue: 4711).firstKernel == nil)
    #expect(MapType.ringBuffer.firstKernel == KernelVersion(5, 8))
    #expect(MapType.all.count == 36)
    #expect(ProgramType.all.count == 33)
  }
}

/// Capability 2: the kernel's version is read from its release, or refused.
@Suite struct KernelVersionTests {
  @Test(arguments: [
    ("5.7.19", 5, 7, 19), ("5.8.0", 5, 8, 0), ("5.10.0-28-amd64", 5, 10, 0),
    ("6.18.44-fc-v595", 6, 18, 44), ("5.8-rc1", 5, 8, 0), ("2.6.78", 2, 6, 78), ("6.1.0+", 6, 1, 0),
  ])
  func `a release is read to its numbers`(
    release: String, major: Int, minor: Int, patch: Int
  ) throws {
    #expect(try KernelVersion(release: release) == KernelVersion(major, minor, patch))
  }

  @Test(arguments: ["", "garbage", "5", "5.", ".5", "-1.2", "99999999999999999999.1"])
  func `what is not a release is refused`(release: String) {
    #expect(throws: EBPFError.self) { try KernelVersion(release: release) }
  }

  @Test func `versions compare by number, not by text`() {
    #expect(KernelVersion(5, 9) < KernelVersion(5, 10))
    #expect(KernelVersion(5, 10, 1) > KernelVersion(5, 10))
    #expect(KernelVersion(4, 20) < KernelVersion(5, 0))
    #expect(KernelVersion(5, 8).description == "5.8")
    #expect(KernelVersion(5, 8, 1).description == "5.8.1")
  }
}
