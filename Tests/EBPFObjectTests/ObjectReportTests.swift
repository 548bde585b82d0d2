import EBPFObject
import TestSupport
import Testing

/// Capability 5: what is wrong with an object is said, each with its reason, and nothing is loaded.
@Suite struct ObjectReportTests {
  static func report(_ bytes: [UInt8], limit: Int = ObjectFile.standardSizeLimit) -> ObjectReport {
    ObjectReport(Bytes(bytes), name: "x.bpf.o", sizeLimit: limit)
  }

  static func fixture(_ name: String, targets: [BTF] = []) throws -> ObjectReport {
    ObjectReport(try Fixtures.bytes(name), name: name, targets: targets)
  }

  /// A fixture with a text replaced by another of the same length.
  static func fixture(_ name: String, replacing old: String, by new: String) throws -> [UInt8] {
    var bytes = try contents(ofFile: Fixtures.path(name))
    let (old, new) = (Array(old.utf8), Array(new.utf8))
    precondition(old.count == new.count)
    var found = 0
    for start in 0...(bytes.count - old.count)
    where bytes[start..<start + old.count].elementsEqual(old) {
      bytes.replaceSubrange(start..<start + new.count, with: new)
      found += 1
    }
    #expect(found > 0)
    return bytes
  }

  // MARK: - Targets

  @Test func `a report can be resolved again, each time as if for the first`() throws {
    let kernel = try BTF(parsing: Bytes(try contents(ofFile: "/sys/kernel/btf/vmlinux")))
    let empty = try BTF(parsing: Bytes(BTFBuilder().build()))
    let open = try Self.fixture("core_2_types.bpf.o")
    var report = open
    for targets in [[empty], [kernel], []] {
      report.resolve(against: targets)
      let fresh = try Self.fixture("core_2_types.bpf.o", targets: targets)
      #expect(report.relocations == fresh.relocations)
      #expect(report.findings == fresh.findings)
    }
    #expect(report.relocations == open.relocations)
  }

  // MARK: - Refusals

  @Test func `an empty file is refused`() {
    let report = Self.report([])
    #expect(!report.isValid)
    #expect(
      report.findings.map(\.error.description) == [
        """
        malformed: the file is empty
          file         x.bpf.o
          hint         the compiler or the copy may have failed
        """
      ])
  }

  @Test func `63 bytes are no ELF header`() throws {
    let bytes = try contents(ofFile: Fixtures.path("globals.bpf.o")).prefix(63)
    #expect(
      Self.report(Array(bytes)).findings.map(\.error.description) == [
        """
        malformed: the ELF header is 64 bytes, the file 63
          file         x.bpf.o
          offset       0x0
          hint         the file may have been copied only in part
        """
      ])
  }

  @Test func `an x86 executable is refused`() throws {
    #expect(
      Self.report(try contents(ofFile: "/bin/true")).findings.map(\.error.description) == [
        """
        unsupported: the file holds x86_64 code, not BPF
          file         x.bpf.o
          offset       0x12
          hint         compile with clang -target bpf -g -O2 -c
        """
      ])
  }

  @Test func `the ELF magic and 100 zeros are refused`() {
    #expect(
      Self.report([0x7f, 0x45, 0x4c, 0x46] + [UInt8](repeating: 0, count: 100)).findings
        .map(\.error.description) == [
          """
          malformed: unknown kind of ELF file: class 0, byte order 0, version 0
            file         x.bpf.o
            offset       0x4
            hint         class and byte order are 1 or 2, the version is 1; the file is damaged
          """
        ])
  }

  @Test func `a file without its section headers is refused`() throws {
    let bytes = try contents(ofFile: Fixtures.path("globals.bpf.o"))
    let report = Self.report(Array(bytes.dropLast(100)))
    let (count, table) = (bytes.count - 100, try Bytes(bytes).load(at: 40, as: UInt64.self))
    let entries = try Bytes(bytes).load(at: 60, as: UInt16.self)
    #expect(
      report.findings.map(\.error.description) == [
        """
        malformed: the section header table (\(entries) entries of 64 bytes) ends after the file's \
        \(count) bytes
          file         x.bpf.o
          offset       0x\(String(table, radix: 16))
          hint         the file may have been copied only in part
        """
      ])
  }

  @Test func `a file over the limit is refused unread`() {
    let report = Self.report([UInt8](repeating: 1, count: 101), limit: 100)
    #expect(
      report.findings.map(\.error.description) == [
        """
        too_large: the file has 101 bytes, the limit is 100
          file         x.bpf.o
          hint         strip the object's debug sections (llvm-strip -g), or raise the limit
        """
      ])
    #expect(report.object == nil)
    #expect(ObjectFile.standardSizeLimit == 1_000_000)
  }

  @Test func `an object of the other byte order is read, and refused`() throws {
    let report = try Self.fixture("big_endian.bpf.o")
    #expect(
      report.findings.filter { $0.severity == .error }.map(\.error.description) == [
        """
        unsupported: the object is big-endian, and this machine is little-endian
          file         big_endian.bpf.o
          offset       0x5
          hint         compile with clang -target bpfel
        """
      ])
    #expect(report.programs.count == 1)
    #expect(report.programs.first?.helpers.isEmpty == false)
  }

  @Test func `an object without programs is refused`() throws {
    let report = try Self.fixture("no_programs.bpf.o")
    #expect(
      report.findings.filter { $0.severity == .error }.map(\.error.description) == [
        """
        not_found: the object has no programs
          file         no_programs.bpf.o
          hint         put a function into a section of its own with SEC("kprobe/…")
        """
      ])
    #expect(report.maps.map(\.name) == ["lonely"])
  }

  @Test func `an unknown section name is refused, though the object can be read`() throws {
    let bytes = try Self.fixture("no_license.bpf.o", replacing: "raw_tp/sys", by: "row_tp/sys")
    let report = Self.report(bytes)
    #expect(
      report.findings.filter { $0.severity == .error }.map(\.error.description) == [
        """
        unsupported: the section name 'row_tp/sys_enter' says no program type
          file         x.bpf.o
          section      row_tp/sys_enter
          program      count
          hint         the nearest known name is 'raw_tp'; a loader has to be told the type
        """
      ])
    let object = try ObjectFile(parsing: Bytes(bytes))
    #expect(object.programs.map(\.type) == [.unspecified])
  }

  @Test func `an unknown section name after a question mark is a warning`() throws {
    // The two names share their end in the string table: both change.
    let bytes = try Self.fixture(
      "optional_programs.bpf.o", replacing: "raw_tp/sys", by: "row_tp/sys")
    #expect(
      Self.report(bytes).findings.map { "\($0.severity): \($0.error.message)" } == [
        "error: the section name 'row_tp/sys_enter' says no program type",
        "warning: the section name '?row_tp/sys_enter' says no program type",
      ])
  }

  @Test func `an unknown map type is refused`() throws {
    var bytes = try contents(ofFile: Fixtures.path("legacy_maps.bpf.o"))
    // The first word of the definition of legacy_hash.
    let section = try #require(try ELFFile(Bytes(bytes)).section(named: "maps"))
    bytes[Int(section.offset)] = 0xee
    #expect(
      Self.report(bytes).findings.filter { $0.severity == .error }.map(\.error.description) == [
        """
        unsupported: no known map type has number 238
          file         x.bpf.o
          section      maps
          map          legacy_hash
          hint         the known types are 1 to 35
        """
      ])
  }

  @Test func `sections that overlap are refused`() throws {
    var bytes = try contents(ofFile: Fixtures.path("globals.bpf.o"))
    let elf = try ELFFile(Bytes(bytes))
    let text = try #require(elf.section(named: ".BTF"))
    let other = try #require(elf.section(named: ".BTF.ext"))
    let headers = Int(try Bytes(bytes).load(at: 40, as: UInt64.self))
    for (index, byte) in withUnsafeBytes(of: (text.offset + 8).littleEndian, Array.init)
      .enumerated()
    {
      bytes[headers + other.index * 64 + 24 + index] = byte
    }
    let messages = Self.report(bytes).findings.map(\.error.message)
    #expect(messages.contains("the section shares bytes with section '.BTF'"))
  }

  // MARK: - Licenses

  @Test func `a missing license is a warning`() throws {
    let report = try Self.fixture("no_license.bpf.o")
    #expect(report.isValid)
    #expect(report.license == "")
    #expect(
      report.findings.map(\.error.description) == [
        """
        not_found: the object names no license, so the kernel takes it for proprietary
          file         no_license.bpf.o
          section      license
          hint         add: char LICENSE[] SEC("license") = "GPL";
        """
      ])
  }

  @Test func `a helper that needs the GPL is refused without it`() throws {
    let report = try Self.fixture("no_license_gpl_helper.bpf.o")
    #expect(!report.isValid)
    #expect(
      report.findings.first?.error.message
        == "the license '' is not compatible with the GPL, which is needed for "
        + "helper bpf_probe_read_kernel")
  }

  @Test func `the kernel agrees which helpers need the GPL`() throws {
    let source = try contents(ofFile: Fixtures.directory + "/../Oracles/gpl_helpers.c")
    let oracle = try Oracle.build(
      name: "gpl_helpers", source: String(decoding: source, as: UTF8.self))
    var compared = 0
    for line in try Command.output([oracle]).split(separator: "\n") {
      let parts = line.split(separator: " ")
      guard let id = Int32(parts[0]), parts[1] != "unknown" else { continue }
      #expect(LicenseRules.requiresGPL(helper: id) == (parts[1] == "restricted"), "helper \(id)")
      compared += 1
    }
    #expect(compared > 190)
  }

  @Test(arguments: [
    ("GPL", true), ("GPL v2", true), ("Dual BSD/GPL", true), ("Dual MPL/GPL", true),
    ("Dual MIT/GPL", true), ("GPL and additional rights", true), ("", false), ("MIT", false),
    ("gpl", false), ("GPL-2.0", false), ("Apache-2.0", false),
  ])
  func `licenses are compared as the kernel compares them`(license: String, isCompatible: Bool) {
    #expect(LicenseRules.isGPLCompatible(license) == isCompatible)
  }

  // MARK: - What it says of good objects

  @Test func `programs are described with what they call and use`() throws {
    let report = try Self.fixture("callbacks.bpf.o")
    #expect(report.isValid && report.findings.isEmpty)
    let walk = try #require(report.programs.first { $0.spec.name == "walk" })
    #expect(walk.helpers == ["for_each_map_elem", "loop"])
    #expect(walk.subprograms == ["on_element", "on_step"])
    #expect(walk.maps == ["callback.bss", "numbers"])
    #expect(walk.attachKind == .rawTracepoint)
    let nest = try #require(report.programs.first { $0.spec.name == "nest" })
    #expect(nest.subprograms.first == "on_outer_step")
    #expect(Set(nest.subprograms) == ["on_outer_step", "on_step", "twice"])
    #expect(report.minimumKernel?.version == KernelVersion(5, 17))
    #expect(report.minimumKernel?.because == ["helper bpf_loop is called"])
    #expect(
      report.requirements.contains {
        $0.version == KernelVersion(5, 13) && $0.reason.contains("callbacks")
      })
  }

  @Test func `kernel functions are named`() throws {
    let report = try Self.fixture("kfunc.bpf.o")
    #expect(
      report.programs.first?.kernelFunctions == [
        "bpf_task_from_pid", "bpf_task_release", "swift_ebpf_missing_kfunc",
      ])
  }

  @Test func `relocations are tried against a kernel's types`() throws {
    let kernel = try BTF(parsing: Bytes(try contents(ofFile: "/sys/kernel/btf/vmlinux")))
    let good = try Self.fixture("core_20_types.bpf.o", targets: [kernel])
    #expect(good.relocations.count == 40)
    #expect(good.relocations.resolvedCount == 40)
    #expect(good.relocations.unresolved.isEmpty)
    #expect(try Self.fixture("core_20_types.bpf.o").relocations.resolvedCount == nil)

    let poisoned = try Self.fixture("core_poison.bpf.o", targets: [kernel])
    let unresolved = try #require(poisoned.relocations.unresolved.first)
    #expect(poisoned.relocations.resolvedCount == 0)
    #expect(unresolved.kind == .fieldByteOffset)
    #expect(unresolved.reason.contains("swift_ebpf"))
    #expect(poisoned.isValid)
  }

  @Test func `variables have names, places and C types`() throws {
    let report = try Self.fixture("optional_programs.bpf.o")
    let runs = try #require(report.globals.first { $0.variable.name == "runs" })
    #expect(runs.variable.sectionName == ".bss")
    #expect(runs.variable.mapName == "optional.bss")
    #expect(runs.variable.size == 8)
    #expect(runs.typeName == "u64")
  }

  @Test func `an optional program does not raise the minimum kernel`() throws {
    let report = try Self.fixture("optional_programs.bpf.o")
    #expect(report.programs.map(\.spec.autoload) == [true, false])
    #expect(!report.requirements.contains { $0.reason.contains("on_request") })
  }

  @Test func `every fixture but the refusals is valid`() throws {
    let refused: Set<String> = [
      "all_sections.bpf.o", "big_endian.bpf.o", "core_differential.bpf.o",
      "no_license_gpl_helper.bpf.o", "no_programs.bpf.o",
    ]
    var count = 0
    for name in Fixtures.names(endingWith: ".bpf.o") {
      let report = try Self.fixture(name)
      #expect(report.isValid == !refused.contains(name), "\(name): \(report.findings)")
      count += 1
    }
    #expect(count > 40)
  }
}
