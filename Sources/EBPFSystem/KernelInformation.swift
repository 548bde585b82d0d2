/// What the kernel says about a map.
public struct MapInformation: Sendable, Hashable {
  /// `BPF_MAP_TYPE_*`.
  public var type: UInt32 = 0
  /// The id that `bpftool map show` lists.
  public var id: UInt32 = 0
  /// Key size in bytes.
  public var keySize: UInt32 = 0
  /// Value size in bytes; for per-CPU maps, of one CPU's value.
  public var valueSize: UInt32 = 0
  /// Capacity.
  public var maxEntries: UInt32 = 0
  /// `BPF_F_*`.
  public var flags: UInt32 = 0
  /// At most 15 bytes.
  public var name: String = ""
  /// The BTF object of ``keyTypeID`` and ``valueTypeID``; 0 for none.
  public var btfID: UInt32 = 0
  /// BTF type of the key.
  public var keyTypeID: UInt32 = 0
  /// BTF type of the value.
  public var valueTypeID: UInt32 = 0
  /// `map_extra`.
  public var extra: UInt64 = 0

  /// All zero.
  public init() {}
}

/// Which arrays to fetch with a program's information.
public struct ProgramDetails: OptionSet, Sendable, Hashable {
  /// The bits.
  public let rawValue: Int
  /// Wraps bits.
  public init(rawValue: Int) { self.rawValue = rawValue }
  /// The ids of its maps.
  public static let maps = ProgramDetails(rawValue: 1)
  /// The verifier's output instructions; needs `CAP_SYS_ADMIN` or `CAP_BPF` + `CAP_PERFMON`.
  public static let translated = ProgramDetails(rawValue: 2)
  /// The machine code.
  public static let machineCode = ProgramDetails(rawValue: 4)
  /// Where the machine code of each function is: `kallsyms` addresses and lengths.
  public static let symbols = ProgramDetails(rawValue: 8)
  /// Which function of its BTF begins where.
  public static let functions = ProgramDetails(rawValue: 16)
  /// Which source line begins where.
  public static let lines = ProgramDetails(rawValue: 32)
}

/// What the kernel says about a program.
public struct ProgramInformation: Sendable, Hashable {
  /// `BPF_PROG_TYPE_*`.
  public var type: UInt32 = 0
  /// The id that `bpftool prog show` lists.
  public var id: UInt32 = 0
  /// The hash of its instructions, 16 hexadecimal digits.
  public var tag: String = ""
  /// At most 15 bytes.
  public var name: String = ""
  /// Bytes of machine code; 0 when not compiled or not to be seen.
  public var machineCodeSize: UInt32 = 0
  /// Bytes of translated instructions.
  public var translatedSize: UInt32 = 0
  /// When it was loaded, in nanoseconds since boot.
  public var loadTime: UInt64 = 0
  /// Who loaded it.
  public var user: UInt32 = 0
  /// Whether its licence opens GPL-only helpers.
  public var isGPLCompatible = false
  /// The ids of its maps, with ``ProgramDetails/maps``.
  public var mapIDs: [UInt32] = []
  /// Its BTF; 0 for none.
  public var btfID: UInt32 = 0
  /// Nanoseconds spent in it, while statistics were on.
  public var runTime: UInt64 = 0
  /// How often it ran, while statistics were on.
  public var runCount: UInt64 = 0
  /// How often it did not run because it was running already.
  public var recursionMisses: UInt64 = 0
  /// Instructions the verifier looked at.
  public var verifiedInstructions: UInt32 = 0
  /// The BTF object it attaches to.
  public var attachObjectID: UInt32 = 0
  /// The type there.
  public var attachTypeID: UInt32 = 0
  /// Translated instructions, with ``ProgramDetails/translated``.
  public var translated: [UInt8] = []
  /// Machine code, with ``ProgramDetails/machineCode``.
  public var machineCode: [UInt8] = []
  /// The address of each function, with ``ProgramDetails/symbols``.
  public var symbols: [UInt64] = []
  /// The length of each function's machine code, with ``ProgramDetails/symbols``.
  public var functionSizes: [UInt32] = []
  /// Where functions begin, with ``ProgramDetails/functions``.
  public var functions: [ProgramFunction] = []
  /// Where source lines begin, with ``ProgramDetails/lines``.
  public var lines: [ProgramLine] = []

  /// All zero.
  public init() {}
}

/// A function's start (`struct bpf_func_info`).
public struct ProgramFunction: BitwiseCopyable, Sendable, Hashable {
  /// The index of its first translated instruction.
  public var instruction: UInt32 = 0
  /// Its type in the program's BTF.
  public var typeID: UInt32 = 0

  /// All zero.
  public init() {}
}

/// A source line's start (`struct bpf_line_info`).
public struct ProgramLine: BitwiseCopyable, Sendable, Hashable {
  /// The index of its first translated instruction.
  public var instruction: UInt32 = 0
  /// The file's name, as an offset into the strings of the program's BTF.
  public var fileNameOffset: UInt32 = 0
  /// The line's text, as an offset into the strings.
  public var textOffset: UInt32 = 0
  /// Line in bits 10–31, column in bits 0–9.
  public var lineAndColumn: UInt32 = 0

  /// All zero.
  public init() {}
}

/// What the kernel says about a BTF object.
public struct BTFInformation: Sendable, Hashable {
  /// The id that `bpftool btf show` lists.
  public var id: UInt32 = 0
  /// `vmlinux`, a module's name, or empty for a program's.
  public var name: String = ""
  /// Whether the kernel or a module brought it.
  public var isKernel = false
  /// The bytes of type data.
  public var size: UInt32 = 0
  /// The type data, when asked for.
  public var data: [UInt8] = []

  /// All zero.
  public init() {}
}

/// What the kernel says about a link.
public struct LinkInformation: Sendable, Hashable {
  /// `BPF_LINK_TYPE_*`.
  public var type: UInt32 = 0
  /// The id that `bpftool link show` lists.
  public var id: UInt32 = 0
  /// The program it runs.
  public var programID: UInt32 = 0
  /// The union of `struct bpf_link_info` as 64-bit words; what they mean depends on the type.
  public var detail: [UInt64] = []
  /// The name the kernel keeps: of a raw tracepoint or an iterator's target.
  public var name: String = ""

  /// All zero.
  public init() {}
}

/// What BPF a descriptor of a process carries.
public struct DescriptorInformation: Sendable, Hashable {
  /// The program's id.
  public var programID: UInt32 = 0
  /// `BPF_FD_TYPE_*`: 0 raw tracepoint, 1 tracepoint, 2 kprobe, 3 kretprobe, 4 uprobe, 5 uretprobe.
  public var kind: UInt32 = 0
  /// The tracepoint, function or file.
  public var name: String = ""
  /// The probe's offset.
  public var offset: UInt64 = 0
  /// The probe's address.
  public var address: UInt64 = 0

  /// All zero.
  public init() {}
}
