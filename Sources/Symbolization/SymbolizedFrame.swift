/// One address of a stack with everything that is known about it.
public struct SymbolizedFrame: Sendable, Hashable {
  /// Which world the address belongs to.
  public enum Kind: Sendable, Hashable {
    /// The kernel, a module or a BPF program.
    case kernel
    /// Compiled code from a file, or the vdso.
    case native
    /// Code made at run time.
    case jit
  }

  /// A mapped file, or the kernel.
  public struct Module: Sendable, Hashable {
    /// The first address of the mapping.
    public var start: UInt64
    /// The first address after it.
    public var end: UInt64
    /// The offset in the file of `start`.
    public var fileOffset: UInt64
    /// The path as the process sees it, or `[kernel]`, `[ext4]`, `[bpf]`, `[vdso]`, `[anon]`.
    public var path: String
    /// The GNU build id in lower-case hexadecimal; empty when there is none.
    public var buildID: String
    /// What the Go linker tells builds apart by; empty for code that it did not link.
    public var goBuildID = ""
    /// A hash of the file, which knows it among others without a build id; empty when it could not be
    /// read. It is that of
    /// OpenTelemetry's profiles: head, tail and length.
    public var fileHash = ""

    /// Creates a module.
    public init(
      start: UInt64, end: UInt64, fileOffset: UInt64, path: String, buildID: String = ""
    ) {
      self.start = start
      self.end = end
      self.fileOffset = fileOffset
      self.path = path
      self.buildID = buildID
    }
  }

  /// Which world the address belongs to.
  public var kind: Kind
  /// The address as it was sampled: for a caller, that of the instruction after the call.
  public var address: UInt64
  /// The function's name for people; nil when it could not be found.
  public var function: String?
  /// The linker's name when it differs from `function`.
  public var systemName: String?
  /// The function's first address, in the process; 0 when it could not be found.
  public var functionAddress: UInt64 = 0
  /// The function's code stands in that of its caller, the next frame of the stack, which has the same
  /// address.
  public var isInlined = false
  /// The path of the source file, as the compiler saw it; nil without debug information.
  public var sourceFile: String?
  /// The line that the address comes from, or that the next inner function was inlined at; 0 when it
  /// is not known.
  public var line = 0
  /// There is debug information about the address that could not be read: inlined functions or the line
  /// may be missing.
  public var isPartial = false
  /// What the address was mapped from.
  public var module: Module?
  /// Why there is no function name; nil when there is one.
  public var unresolved: UnresolvedReason?

  /// The distance from the function's first byte; nil when the function could not be found.
  public var offset: UInt64? { function == nil ? nil : address &- functionAddress }

  init(_ kind: Kind, _ address: UInt64) {
    self.kind = kind
    self.address = address
  }

  mutating func set(_ source: SourceLine?) {
    sourceFile = source?.file
    line = source?.line ?? 0
  }
}

/// How many addresses were named, and why the others were not.
public struct SymbolizerStatistics: Sendable, Hashable {
  /// Distinct addresses of each call that got a name.
  public var resolved: UInt64 = 0
  /// Those that got none, by reason.
  public var unresolved: [UnresolvedReason: UInt64] = [:]
  /// Files open now.
  public var files = 0
  /// Programs in processes remembered now.
  public var processes = 0
  /// How often the kernel's list was read; again when a module or BPF program was new to it.
  public var kernelReads = 0

  /// All zero.
  public init() {}
}
