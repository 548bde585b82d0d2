import EBPFObject
import Testing

@Suite struct COREPatchTests {
  private typealias Types = CORERelocatorTests.Types

  /// `struct s { member; }` on both sides, the member at 4 here and at `offset` there; patches one
  /// instruction (or two) that reads it.
  private static func patch(
    _ instructions: [Instruction], kind: CORERecord.Kind = .fieldByteOffset,
    local member: (Types) -> UInt32 = { $0.int }, target other: (Types) -> UInt32 = { $0.int },
    offset: UInt32 = 8, missing: Bool = false
  ) throws -> ([Instruction], [COREOutcome]) {
    var (local, target) = (Types(), Types())
    let id = local.structure("s", [("a", member(local), 4)])
    if !missing { target.structure("s", [("a", other(target), offset)]) }
    var relocator = CORERelocator(local: try local.btf(), targets: [try target.btf()])
    var patched = instructions
    let outcomes = try relocator.apply(
      to: &patched,
      records: [CORERecord(instruction: 0, typeID: id, access: "0:0", kind: kind)])
    return (patched, outcomes)
  }

  private static let load = Instruction(opcode: 0x61, destination: 1, source: 2, offset: 4)
  private static let poison = Instruction(opcode: 0x85, immediate: 0xbad2310)

  @Test func `loads and stores get the new offset`() throws {
    for opcode: UInt8 in [0x61, 0x62, 0x63] {
      var wanted = Instruction(opcode: opcode, destination: 1, source: 2, offset: 4)
      let (patched, outcomes) = try Self.patch([wanted])
      wanted.offset = 8
      #expect(patched == [wanted])
      #expect(outcomes.map(\.isPoisoned) == [false])
    }
  }

  @Test func `arithmetic and wide loads get the new immediate`() throws {
    let add = Instruction(opcode: 0x07, destination: 1, immediate: 4)
    #expect(try Self.patch([add]).0[0].immediate == 8)
    let wide = [
      Instruction(opcode: 0x18, destination: 1, immediate: 4), Instruction(opcode: 0),
    ]
    #expect(try Self.patch(wide).0.map(\.immediate) == [8, 0])
  }

  @Test func `a missing field poisons its instruction, both halves of a wide load`() throws {
    let wide = [
      Instruction(opcode: 0x18, destination: 1, immediate: 4), Instruction(opcode: 0),
    ]
    let (patched, outcomes) = try Self.patch(wide, missing: true)
    #expect(patched == [Self.poison, Self.poison])
    #expect(outcomes[0].isPoisoned)
    #expect(outcomes[0].reason == "struct s.a: the kernel has no type struct s")
    #expect(try Self.patch([Self.load], missing: true).0 == [Self.poison])
  }

  @Test func `a load of an unsigned integer is resized`() throws {
    let (patched, _) = try Self.patch(
      [Self.load], local: { $0.unsigned }, target: { $0.short })
    #expect(patched[0].opcode == 0x69)
    #expect(patched[0].offset == 8)
  }

  @Test func `a load of a signed integer of another size is poisoned, arithmetic is not`() throws {
    func short(_ types: Types) -> UInt32 { types.short }
    let (patched, outcomes) = try Self.patch([Self.load], target: short)
    #expect(patched == [Self.poison])
    #expect(
      outcomes[0].reason == """
        struct s.a: 4 bytes here, 2 in the kernel, and only pointers and unsigned integers can be \
        read at another size
        """)
    let add = Instruction(opcode: 0x07, destination: 1, immediate: 4)
    #expect(try Self.patch([add], target: short).0[0].immediate == 8)
  }

  @Test func `an offset past 32767 does not fit a load`() throws {
    let error = #expect(throws: EBPFError.self) { try Self.patch([Self.load], offset: 32768) }
    #expect(
      error?.description == """
        unsupported: the field is at 32768, but a load reaches only 32767 bytes
          instruction  0
          hint         read it with bpf_probe_read_kernel or bpf_core_read
        """)
    #expect(try Self.patch([Self.load], offset: 32767).0[0].offset == 32767)
  }

  @Test(arguments: [
    Instruction(opcode: 0x61, destination: 1, source: 2, offset: 5),
    Instruction(opcode: 0x07, destination: 1, immediate: 5),
    Instruction(opcode: 0x0f, destination: 1, source: 2, immediate: 4),
    Instruction(opcode: 0x95), Instruction(opcode: 0x18, destination: 1, immediate: 4),
    Instruction(opcode: 0x20, immediate: 4),
  ])
  func `an instruction that is not what the record says is an error`(
    instruction: Instruction
  ) throws {
    #expect(throws: EBPFError.self) { try Self.patch([instruction]) }
  }

  @Test func `a record past the end is an error`() throws {
    #expect(throws: EBPFError.self) { try Self.patch([]) }
  }
}
