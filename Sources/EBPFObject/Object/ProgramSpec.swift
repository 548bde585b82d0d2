/// What a program will be, before it is loaded: instructions with everything still by name.
public struct ProgramSpec: Sendable, Hashable {
  /// The function's name.
  public var name: String
  /// The ELF section, with a leading `?` if the object has one.
  public var sectionName: String
  /// The program type (`BPF_PROG_TYPE_*`), from the section's name; `.unspecified` when unknown.
  public var type: ProgramType
  /// `expected_attach_type`; 0 where the type has none.
  public var attachType: AttachType
  /// Everything after the section name's first slash; empty for none. `sched/sched_switch`.
  public var attachTarget: String
  /// `BPF_F_*` load flags (sleepable, XDP fragments …).
  public var flags: UInt32
  /// False for sections with a leading `?`: loaded only when asked for.
  public var autoload: Bool
  /// The program's own instructions and, after them, every subprogram it reaches.
  public var instructions: [Instruction]
  /// The functions in ``instructions``: the program's own first, then its subprograms.
  public var functions: [Function]
  /// Line information, in order of instruction.
  public var lines: [Line]
  /// References still by name, in order of instruction.
  public var references: [Reference]
  /// CO-RE records, in order of instruction.
  public var relocations: [CORERecord]

  /// Creates a program specification.
  public init(
    name: String, sectionName: String = "", type: ProgramType,
    attachType: AttachType = AttachType(rawValue: 0), attachTarget: String = "",
    instructions: [Instruction] = []
  ) {
    self.name = name
    self.sectionName = sectionName
    self.type = type
    self.attachType = attachType
    self.attachTarget = attachTarget
    self.instructions = instructions
    flags = 0
    autoload = true
    functions = []
    lines = []
    references = []
    relocations = []
  }
}

extension ProgramSpec {
  /// One function inside ``ProgramSpec/instructions``.
  public struct Function: Sendable, Hashable {
    /// The index of its first instruction.
    public var start: Int
    /// How many instructions it has.
    public var count: Int
    /// The symbol's name.
    public var name: String
    /// The BTF `FUNC` type id in the object's BTF; 0 when the object has no function information.
    public var typeID: UInt32
    /// Creates a function.
    public init(start: Int, count: Int, name: String, typeID: UInt32) {
      self.start = start
      self.count = count
      self.name = name
      self.typeID = typeID
    }
  }

  /// One row of line information (`struct bpf_line_info`), offsets already within the program.
  public struct Line: Sendable, Hashable {
    /// The instruction it begins at.
    public var instruction: Int
    /// The source file: an offset into the object's BTF strings.
    public var fileNameOffset: UInt32
    /// The source text: an offset into the object's BTF strings.
    public var textOffset: UInt32
    /// Line in bits 10–31, column in bits 0–9.
    public var lineAndColumn: UInt32
    /// Creates a row.
    public init(
      instruction: Int, fileNameOffset: UInt32, textOffset: UInt32, lineAndColumn: UInt32
    ) {
      self.instruction = instruction
      self.fileNameOffset = fileNameOffset
      self.textOffset = textOffset
      self.lineAndColumn = lineAndColumn
    }
    /// The line number.
    public var line: Int { Int(lineAndColumn >> 10) }
    /// The column number.
    public var column: Int { Int(lineAndColumn & 0x3ff) }
  }

  /// A reference that only a loader can complete.
  public struct Reference: Sendable, Hashable {
    /// What an instruction refers to.
    public enum Target: Sendable, Hashable {
      /// The map itself: patched to its descriptor.
      case map(String)
      /// The value of a data section map, at a byte offset.
      case mapValue(String, offset: UInt32)
      /// A `.kconfig` variable, at its byte offset in the `.kconfig` map.
      case configuration(String, offset: UInt32)
      /// A kernel variable (`.ksyms`); `typeID` is its BTF `VAR`, 0 when untyped.
      case kernelVariable(String, typeID: UInt32, isWeak: Bool)
      /// A kernel function (kfunc), by its `FUNC` type in the object's BTF.
      case kernelFunction(String, typeID: UInt32, isWeak: Bool)
    }
    /// The instruction that refers (the first half of a wide load).
    public var instruction: Int
    /// What it refers to.
    public var target: Target
    /// Creates a reference.
    public init(instruction: Int, target: Target) {
      self.instruction = instruction
      self.target = target
    }
  }
}

/// One CO-RE record (`struct bpf_core_relo`), its access string resolved, its offset an index.
public struct CORERecord: Sendable, Hashable {
  /// What is asked of the target (`enum bpf_core_relo_kind`).
  public enum Kind: UInt32, Sendable, Hashable, CaseIterable {
    /// The field's byte offset.
    case fieldByteOffset = 0
    /// The field's size in bytes.
    case fieldByteSize
    /// 1 if the field exists.
    case fieldExists
    /// 1 if the field is signed.
    case fieldSigned
    /// Left shift that brings a bitfield to the top of 64 bits.
    case fieldLeftShift
    /// Right shift that follows it.
    case fieldRightShift
    /// The type's id in the object's BTF.
    case typeIDLocal
    /// The type's id in the target's BTF.
    case typeIDTarget
    /// 1 if the type exists.
    case typeExists
    /// The type's size in bytes.
    case typeSize
    /// 1 if the enumerator exists.
    case enumeratorExists
    /// The enumerator's value.
    case enumeratorValue
    /// 1 if the type matches in every member.
    case typeMatches
  }
  /// The instruction to patch, by index in its program.
  public var instruction: Int
  /// The root type in the object's BTF.
  public var typeID: UInt32
  /// The access string: `0:1:2`.
  public var access: String
  /// What is asked.
  public var kind: Kind
  /// Creates a record.
  public init(instruction: Int, typeID: UInt32, access: String, kind: Kind) {
    self.instruction = instruction
    self.typeID = typeID
    self.access = access
    self.kind = kind
  }
}
