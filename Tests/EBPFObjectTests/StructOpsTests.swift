import EBPFObject
import TestSupport
import Testing

/// Kernel structures of functions: what an object says, and how a kernel lays it out.
@Suite struct StructOpsTests {
  // MARK: What an object says

  @Test func `variables of struct_ops sections are maps, their functions by member`() throws {
    let object = try ObjectFileTests.object("congestion.bpf.o")
    let maps = object.maps.filter { $0.type == .structOps }
    #expect(maps.map(\.name) == ["by_update", "by_link", "on_request", "misfit"])
    #expect(maps.map(\.autocreate) == [true, true, false, false])
    #expect(maps.map(\.flags) == [0, MapSpec.linkFlag, 0, 0])
    // The missing member, name, undo_cwnd, cong_avoid, ssthresh, the number, init, release, flags.
    var slots: [UInt32: MapSpec.SlotTarget] = [
      2: .program("ours_undo"), 3: .program("ours_avoid"), 4: .program("ours_threshold"),
      6: .program("ours_init"), 7: .program("ours_release"),
    ]
    #expect(maps[0].slots == slots)
    #expect(maps[1].slots == slots)
    slots[7] = .program("other_release")
    #expect(maps[2].slots == slots)
    #expect(maps[3].slots[0] == .program("misplaced"))
    #expect(Array(maps[0].contents[8..<24]) == Array("ebpf_update".utf8) + [0, 0, 0, 0, 0])
    let names = object.programs.filter { $0.type == .structOps }.map(\.name)
    #expect(names.count == 7)
  }

  @Test func `validate says what is implemented, by which programs, and since when`() throws {
    let report = ObjectReport(try Fixtures.bytes("congestion.bpf.o"), name: "congestion.bpf.o")
    #expect(report.isValid)
    #expect(report.findings.isEmpty, "\(report.findings)")
    #expect(
      report.structOps.map(\.structure) == [String](repeating: "tcp_congestion_ops", count: 4))
    #expect(report.structOps.map(\.hasLink) == [false, true, false, false])
    #expect(report.structOpsMembers["ours_init"] == ["tcp_congestion_ops.init"])
    #expect(report.structOpsMembers["misplaced"] == ["tcp_congestion_ops.swift_ebpf_missing"])
    #expect(report.minimumKernel?.version == KernelVersion(6, 4))
  }

  @Test func `validate against a kernel without the structure warns`() throws {
    var types = BTFBuilder()
    _ = types.int("int", size: 4, encoding: 1)
    let kernel = try BTF(parsing: Bytes(types.build()))
    let report = ObjectReport(try Fixtures.bytes("congestion.bpf.o"), targets: [kernel])
    #expect(report.isValid)
    #expect(report.lacksStructOps)
    let messages = report.findings.map(\.error.message)
    #expect(
      messages
        == [String](
          repeating: "this kernel has no struct tcp_congestion_ops that programs can implement",
          count: 2))
  }

  // MARK: How a kernel lays it out

  /// An object's types: `struct ops___mine` with a function, a number and an array of four bytes.
  private struct Local {
    var types = BTFBuilder()
    let number: UInt32
    let byte: UInt32
    let function: UInt32
    let data: UInt32

    init() {
      number = types.int("unsigned int", size: 4)
      byte = types.int("char", size: 1, encoding: 1)
      let prototype = types.prototype(returning: 0, parameters: [("x", number)])
      function = types.reference(.pointer, to: prototype)
      data = types.reference(.pointer, to: byte)
    }
  }

  private static func spec(
    _ contents: [UInt8], _ slots: [UInt32: MapSpec.SlotTarget], type: UInt32
  ) -> MapSpec {
    var map = MapSpec(name: "mine", type: .structOps, keySize: 4, maxEntries: 1)
    map.contents = contents
    map.slots = slots
    map.valueTypeID = type
    return map
  }

  /// The kernel's: `struct ops { char name[4]; …; unsigned number; void (*call)(unsigned); }` 16 bytes
  /// into the structure that wraps it.
  private static func kernel(
    _ members: (inout Local) -> [BTFBuilder.Member], size: UInt32 = 32
  ) throws -> (types: BTF, wrapper: UInt32, structure: UInt32) {
    var local = Local()
    let list = members(&local)
    let structure = local.types.structure("ops", size: size, members: list)
    let wrapper = local.types.structure(
      "bpf_struct_ops_ops", size: 16 + size,
      members: [
        .init("common", local.number, bitOffset: 0), .init("data", structure, bitOffset: 128),
      ])
    return (try BTF(parsing: Bytes(local.types.build())), wrapper, structure)
  }

  private static func usual(_ local: inout Local) -> [BTFBuilder.Member] {
    let name = local.types.array(of: local.byte, index: local.number, count: 4)
    return [
      .init("name", name, bitOffset: 0), .init("number", local.number, bitOffset: 32),
      .init("other", local.function, bitOffset: 64), .init("call", local.function, bitOffset: 128),
      .init("owner", local.data, bitOffset: 192),
    ]
  }

  /// The object's: other order, a flavour, and a member that the kernel lacks.
  private static func object(
    _ edit: (inout Local, inout [BTFBuilder.Member]) -> Void = { _, _ in }
  ) throws -> (types: BTF, structure: UInt32) {
    var local = Local()
    let name = local.types.array(of: local.byte, index: local.number, count: 4)
    var members: [BTFBuilder.Member] = [
      .init("call", local.function, bitOffset: 0), .init("missing", local.number, bitOffset: 64),
      .init("number", local.number, bitOffset: 96), .init("name", name, bitOffset: 128),
    ]
    edit(&local, &members)
    let structure = local.types.structure("ops___mine", size: 24, members: members)
    return (try BTF(parsing: Bytes(local.types.build())), structure)
  }

  private static let contents: [UInt8] =
    [0, 0, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 0] + [1, 2, 3, 4] + Array("abcd".utf8) + [0, 0, 0, 0]

  @Test func `members go where the kernel has them, by name`() throws {
    let kernel = try Self.kernel(Self.usual)
    let object = try Self.object()
    let image = try StructOpsImage(
      Self.spec(Self.contents, [0: .program("run")], type: object.structure), local: object.types,
      kernel: kernel.types, valueTypeID: kernel.wrapper)
    #expect(image.structure == "ops")
    #expect(image.structureID == kernel.structure)
    #expect(image.valueTypeID == kernel.wrapper)
    var value = [UInt8](repeating: 0, count: 48)
    value.replaceSubrange(16..<24, with: Array("abcd".utf8) + [1, 2, 3, 4])
    #expect(image.value == value)
    let function = try #require(image.functions.first)
    #expect(image.functions.count == 1)
    #expect((function.member, function.program) == ("call", "run"))
    #expect((function.index, function.offset) == (3, 16 + 16))
  }

  /// What is refused, and what the error says.
  private static func refusal(
    contents: [UInt8] = contents, slots: [UInt32: MapSpec.SlotTarget] = [0: .program("run")],
    kernel members: @escaping (inout Local) -> [BTFBuilder.Member] = usual,
    object edit: (inout Local, inout [BTFBuilder.Member]) -> Void = { _, _ in }
  ) throws -> EBPFError {
    let kernel = try kernel(members)
    let object = try object(edit)
    return try #require(throws: EBPFError.self) {
      _ = try StructOpsImage(
        spec(contents, slots, type: object.structure), local: object.types, kernel: kernel.types,
        valueTypeID: kernel.wrapper)
    }
  }

  @Test func `a member that the kernel lacks has to be zero`() throws {
    var contents = Self.contents
    contents[8] = 1
    let error = try Self.refusal(contents: contents)
    #expect(error.code == .unsupported)
    #expect(error.message == "this kernel's struct ops has no such member")
    #expect(error.context == [.map("mine"), .other("member", "missing")])
  }

  @Test func `a member of another size, kind or width is refused`() throws {
    let size = try Self.refusal(object: { local, members in
      let name = local.types.array(of: local.byte, index: local.number, count: 8)
      members[3] = .init("name", name, bitOffset: 128)
    })
    #expect(size.message == "the member has 8 bytes in the object, and 4 in the kernel")
    #expect(size.hint == "declare it as the kernel does: char name[4]")
    let kind = try Self.refusal(object: { local, members in
      members[2] = .init("owner", local.number, bitOffset: 96)
    })
    #expect(
      kind.message == "the member is unsigned int in the object, and char * in the kernel")
    let width = try Self.refusal(object: { local, members in
      members[2] = .init("number", local.number, bitOffset: 96, bitFieldSize: 3)
    })
    #expect(width.message == "the member is a bit field, which cannot be converted")
  }

  @Test func `programs go into functions only`() throws {
    let number = try Self.refusal(slots: [2: .program("run")])
    #expect(number.message == "the member is given a program, and is no function")
    let pointer = try Self.refusal(object: { local, members in
      members[0] = .init("owner", local.function, bitOffset: 0)
    })
    #expect(pointer.message == "the member is given a program, and is char * in the kernel")
    let map = try Self.refusal(slots: [0: .map("other")])
    #expect(map.code == .unsupported)
    let beyond = try Self.refusal(slots: [9: .program("run")])
    #expect(beyond.message == "the structure has no member 9")
    var contents = Self.contents
    contents[0] = 1
    let address = try Self.refusal(contents: contents, slots: [:])
    #expect(address.message == "the member is an address that is no program")
  }

  @Test func `contents and structures that are too short are refused`() throws {
    let short = try Self.refusal(contents: Array(Self.contents.prefix(10)))
    #expect(short.message == "the member is outside of the map's contents")
    let far = try Self.refusal(kernel: { local in
      [.init("call", local.function, bitOffset: 0xff_fff8)]
    })
    #expect(far.code == .malformed)
    #expect(far.message == "the member is outside of the kernel's structure")
  }

  @Test func `a structure without a name, or without its wrapper, is refused`() throws {
    let kernel = try Self.kernel(Self.usual)
    let object = try Self.object()
    let plain = try #require(throws: EBPFError.self) {
      _ = try StructOpsImage(
        Self.spec(Self.contents, [:], type: 1), local: object.types, kernel: kernel.types,
        valueTypeID: kernel.wrapper)
    }
    #expect(plain.message == "the variable is no structure with a name")
    let other = try #require(throws: EBPFError.self) {
      _ = try StructOpsImage(
        Self.spec(Self.contents, [:], type: object.structure), local: object.types,
        kernel: kernel.types, valueTypeID: kernel.structure)
    }
    #expect(other.message == "the kernel's struct bpf_struct_ops_ops holds no struct ops")
  }
}
