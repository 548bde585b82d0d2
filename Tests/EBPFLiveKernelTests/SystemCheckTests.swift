import EBPF
import EBPFSystem
import TestSupport
import Testing

/// Capabilities 2, 3 and 4.
@Suite struct SystemCheckTests {
  static let check = SystemCheck.run()

  @Test func `a probe agrees with bpftool on every program and map type`() throws {
    let text = try Command.output(["bpftool", "feature", "probe", "kernel"])
    var compared = 0
    for line in text.split(separator: "\n") where line.hasPrefix("eBPF ") {
      // `eBPF program_type xdp is available`, `eBPF map_type hash is NOT available`.
      let words = line.split(separator: " ")
      guard words.count >= 5, words[1] == "program_type" || words[1] == "map_type" else { continue }
      let group = words[1] == "program_type" ? "program types" : "map types"
      guard let row = Self.check.row(group, String(words[2])) else { continue }
      // bpftool's own probes of these need what this machine's old bpftool does not know.
      if ["tracing", "ext", "lsm", "struct_ops"].contains(row.name) { continue }
      compared += 1
      #expect((row.verdict == .yes) == !line.contains("NOT"), "\(line): \(row)")
    }
    #expect(compared > 50)
  }

  @Test func `Capability 2: the kernel's row has the version it found`() throws {
    let release = try MachineNames.current().release
    let row = try #require(Self.check.row("kernel", "Linux 5.8 or newer"))
    #expect(row.verdict == .yes)
    #expect(row.reason.contains(release))
    #expect(Self.check.isCompatible)
  }

  @Test func `a refusal has a reason`() {
    for row in Self.check.rows where row.verdict != .yes { #expect(!row.reason.isEmpty, "\(row)") }
    #expect(Self.check.tracers.map(\.name) == ["profile", "syscalls", "network", "memory"])
  }

  // MARK: BTF

  private func check(btf path: String) -> SystemCheck.Row? {
    let types = KernelTypes(path: path)
    return SystemCheck.run(features: KernelFeatures(types: types)).row("kernel", "BTF")
  }

  @Test func `Capability 3: missing BTF is told, and only CO-RE objects miss it`() throws {
    let path = "/no/such/btf"
    let row = try #require(check(btf: path))
    #expect(row.verdict == .no)
    #expect(row.reason == "missing: this kernel has no BTF")
    #expect(row.remedy?.contains("CONFIG_DEBUG_INFO_BTF") == true)
    let types = KernelTypes(path: path)
    let plain = try LoadedObject(LoadedObjectTests.object("count_raw_tp.bpf.o"), types: types)
    #expect(plain.programs.count == 2)
    let error = try #require(throws: EBPFError.self) {
      _ = try LoadedObject(LoadedObjectTests.object("core_fields.bpf.o"), types: types)
    }
    #expect(error.message == "this kernel has no BTF")
    #expect(error.context.contains(.other("needed for", "the object's CO-RE records")))
  }

  @Test(arguments: [0, 1, 23, 24, 1000, 1_000_000])
  func `Capability 3: a truncated file is unreadable, and no crash`(length: Int) throws {
    let directory = try TemporaryDirectory()
    let whole = try SystemFile.read("/sys/kernel/btf/vmlinux")
    let path = try directory.write(Array(whole[..<length]), to: "vmlinux")
    let row = try #require(check(btf: path))
    #expect(row.verdict == .no)
    #expect(row.reason.hasPrefix("unreadable: "))
  }
}
