import EBPFObject
import Testing

@Suite struct CORERelocatorTests {
  /// Types every test needs, under fixed ids, so that both sides can differ in what follows.
  struct Types {
    var builder = BTFBuilder()
    let int: UInt32
    let unsigned: UInt32
    let short: UInt32
    let pointer: UInt32

    init() {
      int = builder.int("int", size: 4, encoding: 1)
      unsigned = builder.int("unsigned int", size: 4)
      short = builder.int("unsigned short", size: 2)
      pointer = builder.reference(.pointer, to: 0)
    }

    func btf() throws -> BTF { try BTF(parsing: Bytes(builder.build())) }

    @discardableResult
    mutating func structure(_ name: String, _ members: [(String, UInt32, UInt32)]) -> UInt32 {
      builder.structure(
        name, size: 64, members: members.map { .init($0.0, $0.1, bitOffset: $0.2 * 8) })
    }
  }

  private static func resolve(
    _ local: Types, _ id: UInt32, _ access: String, _ kind: CORERecord.Kind, in targets: Types...
  ) throws -> COREResult {
    var relocator = CORERelocator(local: try local.btf(), targets: try targets.map { try $0.btf() })
    return try relocator.resolve(
      CORERecord(instruction: 0, typeID: id, access: access, kind: kind))
  }

  @Test func `a field that moved gets its new offset`() throws {
    var (local, target) = (Types(), Types())
    let id = local.structure("s", [("a", local.int, 0), ("b", local.int, 4)])
    target.structure("s", [("x", target.int, 0), ("a", target.int, 8), ("b", target.int, 20)])
    let result = try Self.resolve(local, id, "0:1", .fieldByteOffset, in: target)
    #expect((result.localValue, result.targetValue) == (4, 20))
    #expect(!result.isPoisoned)
    #expect(result.candidates.map(\.typeID) == [5])
    #expect(result.reason == nil)
  }

  @Test func `a field is found inside anonymous structs and unions`() throws {
    var (local, target) = (Types(), Types())
    let id = local.structure("s", [("deep", local.int, 4)])
    let inner = target.structure("", [("deep", target.int, 8)])
    let union = target.builder.structure(
      "", size: 64, members: [.init("", inner, bitOffset: 32)], kind: .union)
    target.structure("s", [("a", target.int, 0), ("", union, 16)])
    #expect(
      try Self.resolve(local, id, "0:0", .fieldByteOffset, in: target).targetValue == 28)
  }

  @Test func `a missing field names the kernel type that lacks it`() throws {
    var (local, target) = (Types(), Types())
    let common = local.structure("sock_common", [("skc_num", local.short, 12)])
    let id = local.structure("sock", [("__sk_common", common, 0)])
    let targetCommon = target.structure("sock_common", [("skc_hash", target.short, 12)])
    target.structure("sock", [("__sk_common", targetCommon, 0)])
    let offset = try Self.resolve(local, id, "0:0:0", .fieldByteOffset, in: target)
    #expect(offset.isPoisoned)
    #expect(
      offset.reason
        == "struct sock.__sk_common.skc_num: no such field in struct sock (kernel type id 6)")
    let exists = try Self.resolve(local, id, "0:0:0", .fieldExists, in: target)
    #expect(!exists.isPoisoned)
    #expect((exists.localValue, exists.targetValue) == (1, 0))
  }

  @Test(arguments: CORERecord.Kind.allCases)
  func `what a missing type gives depends on the question`(kind: CORERecord.Kind) throws {
    var local = Types()
    let enumeration = local.builder.enumeration("e", values: [("A", 1)])
    let id = local.structure("gone", [("a", local.int, 0)])
    let root = kind.isEnumeratorBased ? enumeration : id
    let access = kind.isTypeBased || kind.isEnumeratorBased ? "0" : "0:0"
    let result = try Self.resolve(local, root, access, kind, in: Types())
    let poisons: Set<CORERecord.Kind> = [
      .fieldByteOffset, .fieldByteSize, .fieldSigned, .fieldLeftShift, .fieldRightShift,
      .enumeratorValue,
    ]
    #expect(result.isPoisoned == poisons.contains(kind))
    #expect(result.targetValue == (kind == .typeIDLocal ? UInt64(id) : 0))
    if kind != .typeIDLocal, !kind.isTypeBased, !kind.isEnumeratorBased {
      #expect(result.reason == "struct gone.a: the kernel has no type struct gone")
    }
  }

  @Test(arguments: [
    ("s___x", true), ("s___a___b", false), ("s__x", false), ("s____x", false), ("s___", false),
    ("___s", false), ("s", true),
  ])
  func `a flavour follows the last separator of exactly three`(
    name: String, isFlavourOfS: Bool
  ) throws {
    var (local, target) = (Types(), Types())
    let id = local.structure(name, [("a", local.int, 0)])
    target.structure("s", [("a", target.int, 4)])
    let result = try Self.resolve(local, id, "0:0", .fieldByteOffset, in: target)
    #expect(result.isPoisoned == !isFlavourOfS)
  }

  @Test func `a flavour's last separator counts, not its first`() throws {
    var (local, target) = (Types(), Types())
    let id = local.structure("s___a___b", [("a", local.int, 0)])
    target.structure("s___a", [("a", target.int, 4)])
    // `s___a` is itself a flavour, of `s`; its essential name is not `s___a`.
    #expect(try Self.resolve(local, id, "0:0", .fieldByteOffset, in: target).isPoisoned)
  }

  @Test func `a field of another sort is no match`() throws {
    var (local, target) = (Types(), Types())
    let id = local.structure("s", [("a", local.int, 0)])
    target.structure("s", [("a", target.pointer, 8)])
    let result = try Self.resolve(local, id, "0:0", .fieldByteOffset, in: target)
    #expect(
      result.reason
        == "struct s.a: a field of this name in struct s (kernel type id 5) is a void *")
  }

  @Test func `candidates that disagree are an error, those that agree are not`() throws {
    var (local, target) = (Types(), Types())
    let id = local.structure("s", [("a", local.int, 0), ("b", local.int, 4)])
    target.structure("s", [("a", target.int, 8), ("b", target.int, 12)])
    target.structure("s___2", [("a", target.int, 8), ("b", target.int, 16)])
    #expect(try Self.resolve(local, id, "0:0", .fieldByteOffset, in: target).targetValue == 8)
    let error = #expect(throws: EBPFError.self) {
      try Self.resolve(local, id, "0:1", .fieldByteOffset, in: target)
    }
    #expect(
      error?.description == """
        unresolved: the kernel has several types of this name, which disagree: 12 and 16 (kernel \
        type ids 5, 6)
          type         5
          hint         tell them apart by a member that only one of them has
        """)
  }

  @Test func `a type that does not fit one record is no candidate for the next`() throws {
    var (local, target) = (Types(), Types())
    let id = local.structure("s", [("only", local.int, 0), ("both", local.int, 4)])
    target.structure("s", [("only", target.int, 8), ("both", target.int, 12)])
    target.structure("s___2", [("both", target.int, 16)])
    var relocator = CORERelocator(local: try local.btf(), targets: [try target.btf()])
    _ = try relocator.resolve(
      CORERecord(instruction: 0, typeID: id, access: "0:0", kind: .fieldByteOffset))
    let both = try relocator.resolve(
      CORERecord(instruction: 1, typeID: id, access: "0:1", kind: .fieldByteOffset))
    #expect(both.targetValue == 12)
  }

  @Test func `modules count only where the kernel itself has no such type`() throws {
    var (local, kernel, module) = (Types(), Types(), Types())
    let id = local.structure("s", [("a", local.int, 0)])
    kernel.structure("s", [("a", kernel.int, 4)])
    module.structure("s", [("a", module.int, 8)])
    #expect(
      try Self.resolve(local, id, "0:0", .fieldByteOffset, in: kernel, module).targetValue == 4)
    #expect(
      try Self.resolve(local, id, "0:0", .fieldByteOffset, in: Types(), module).targetValue == 8)
  }

  @Test func `indexes are checked, except of a flexible array at the end`() throws {
    var (local, target) = (Types(), Types())
    let (short, flexible) = (
      local.builder.array(of: local.int, index: local.int, count: 9),
      local.builder.array(of: local.int, index: local.int, count: 0)
    )
    let fixed = local.structure("fixed", [("a", short, 0)])
    let open = local.structure("open", [("n", local.int, 0), ("a", flexible, 4)])
    let targetShort = target.builder.array(of: target.int, index: target.int, count: 3)
    let targetFlexible = target.builder.array(of: target.int, index: target.int, count: 0)
    target.structure("fixed", [("a", targetShort, 8)])
    target.structure("open", [("n", target.int, 0), ("a", targetFlexible, 8)])
    #expect(
      try Self.resolve(local, fixed, "0:0:2", .fieldByteOffset, in: target).targetValue == 16)
    #expect(
      try Self.resolve(local, fixed, "0:0:3", .fieldByteOffset, in: target).reason == """
        struct fixed.a[3]: index 3 is past the array's 3 elements in struct fixed (kernel type id 7)
        """)
    #expect(
      try Self.resolve(local, open, "0:1:100", .fieldByteOffset, in: target).targetValue == 408)
    #expect(throws: EBPFError.self) {
      try Self.resolve(local, fixed, "0:0:9", .fieldByteOffset, in: target)
    }
  }

  @Test func `a bitfield is read through the smallest aligned word that holds it`() throws {
    func with(_ bitOffset: UInt32, _ bits: UInt32) -> (Types, UInt32) {
      var types = Types()
      let id = types.builder.structure(
        "s", size: 16,
        members: [.init("b", types.int, bitOffset: bitOffset, bitFieldSize: bits)])
      return (types, id)
    }
    let (local, id) = with(0, 3)
    func value(_ kind: CORERecord.Kind, _ offset: UInt32, _ bits: UInt32) throws -> UInt64 {
      try Self.resolve(local, id, "0:0", kind, in: with(offset, bits).0).targetValue
    }
    // Bits 37–41 are in the second word; bits 30–36 span two, so that 8 bytes are read.
    #expect(try value(.fieldByteOffset, 37, 5) == 4)
    #expect(try value(.fieldByteSize, 37, 5) == 4)
    #expect(try value(.fieldLeftShift, 37, 5) == 64 - (5 + 5))
    #expect(try value(.fieldRightShift, 37, 5) == 59)
    #expect(try value(.fieldByteOffset, 30, 7) == 0)
    #expect(try value(.fieldByteSize, 30, 7) == 8)
    #expect(try value(.fieldLeftShift, 30, 7) == 64 - 37)
    #expect(try value(.fieldSigned, 30, 7) == 1)
    #expect(throws: EBPFError.self) { try value(.fieldByteOffset, 62, 7) }
  }

  @Test func `enumerators match by name, in enumerations of either width`() throws {
    var (local, target) = (Types(), Types())
    let id = local.builder.enumeration("e", values: [("A", 1), ("B", 2), ("C___new", 3)])
    _ = target.builder.enumeration(
      "e", size: 8, wide: true, values: [("A", 10), ("C", 0x1_0000_0001)])
    func value(_ access: String, _ kind: CORERecord.Kind) throws -> COREResult {
      try Self.resolve(local, id, access, kind, in: target)
    }
    #expect(try value("0", .enumeratorValue).targetValue == 10)
    #expect(try value("2", .enumeratorValue).targetValue == 0x1_0000_0001)
    #expect(try value("1", .enumeratorExists).targetValue == 0)
    #expect(try value("1", .enumeratorValue).isPoisoned)
    #expect(
      try value("1", .enumeratorValue).reason
        == "enum e::B: no such enumerator in enum e (kernel type id 5)")
    #expect(throws: EBPFError.self) { try value("3", .enumeratorValue) }
  }

  @Test func `matching compares every part, existence only the kind`() throws {
    var (local, target) = (Types(), Types())
    let id = local.structure("s", [("a", local.int, 0)])
    target.structure("s", [("a", target.unsigned, 0), ("b", target.int, 4)])
    #expect(try Self.resolve(local, id, "0", .typeExists, in: target).targetValue == 1)
    #expect(try Self.resolve(local, id, "0", .typeMatches, in: target).targetValue == 0)
    #expect(try Self.resolve(local, id, "0", .typeSize, in: target).targetValue == 64)
    #expect(try Self.resolve(local, id, "0", .typeIDTarget, in: target).targetValue == 5)
  }

  @Test(arguments: ["", ":", "0:", "0::1", "a", "-1", "+0", "0:99999999999", "0:5", "0:0:0"])
  func `an access string that does not fit is an error`(access: String) throws {
    var local = Types()
    let id = local.structure("s", [("a", local.int, 0)])
    #expect(throws: EBPFError.self) {
      try Self.resolve(local, id, access, .fieldByteOffset, in: local)
    }
  }

  @Test func `an anonymous root type is an error that says what to do`() throws {
    var local = Types()
    let id = local.structure("", [("a", local.int, 0)])
    let error = #expect(throws: EBPFError.self) {
      try Self.resolve(local, id, "0:0", .fieldByteOffset, in: local)
    }
    #expect(
      error?.description == """
        unsupported: a CO-RE relocation of an anonymous STRUCT
          type         5
          hint         give the type a name, or a typedef
        """)
  }

  @Test func `types made to explode end in an error`() throws {
    var local = Types()
    let id = local.structure("s", [("wanted", local.int, 0)])
    var target = Types()
    // Each of 40 structs has the next one twice, anonymously: 2⁴⁰ places to look in.
    let first = target.builder.nextID
    for level in 0..<40 {
      let next = first + UInt32(level) + 1
      target.structure("", [("", next, 0), ("", next, 0)])
    }
    target.structure("", [])
    target.structure("s", [("", first, 0)])
    var relocator = CORERelocator(
      local: try local.btf(), targets: [try target.btf()], comparisonLimit: 20_000)
    let error = #expect(throws: EBPFError.self) {
      try relocator.resolve(
        CORERecord(instruction: 0, typeID: id, access: "0:0", kind: .fieldByteOffset))
    }
    #expect(error?.code == .tooLarge)
  }
}
