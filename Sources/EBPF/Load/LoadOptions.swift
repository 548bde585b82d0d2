/// How an object is loaded, where its own wishes are not enough.
public struct LoadOptions: Sendable {
  /// Only these programs, by name, whatever their sections say; nil loads all but the `?` ones.
  ///
  /// Of struct_ops maps, those are made of which every function is among them.
  public var programs: Set<String>?
  /// Where maps that are pinned by name are, and go: a directory of a BPF file system.
  public var pinDirectory = "/sys/fs/bpf"
  /// The types CO-RE adapts to; nil for the running kernel's.
  public var targetTypes: BTF?
  /// Capacities of maps, by name, in place of the object's.
  public var maxEntries: [String: UInt32] = [:]
  /// Maps that are there already, by the object's names for them, used in place of new ones: libbpf's
  /// `bpf_map__reuse_fd`. Type, sizes of key and value must be what the object says; capacity, flags and
  /// contents stay what they are.
  public var maps: [String: RawMap] = [:]
  /// Programs that attach to functions of other programs, by name; see
  /// ``setAttachTarget(of:to:function:)``.
  public var attachTargets: [String: AttachTarget] = [:]
  /// What delegates the rights to load, in a user namespace.
  public var token = TokenSource.automatic
  /// How much the verifier says about programs that it accepts: 0 nothing, 1 the path, 2 every path,
  /// 4 statistics; ``LoadedObject/verifierLogs`` has it.
  public var logLevel: UInt32 = 0
  /// The longest log that is fetched for a program that is rejected.
  public var logLimit = 64 << 20

  /// What the object says.
  public init() {}
}

extension LoadOptions {
  /// A function of another program.
  public struct AttachTarget: Sendable, Hashable {
    /// The program.
    public var program: TargetProgram
    /// The function; nil for the one that the section's name says.
    public var function: String?
  }

  /// Says of which program in the kernel a program of section `freplace`, `fentry` or `fexit` replaces
  /// or traces a function: libbpf's `bpf_program__set_attach_target`. `freplace` takes Linux 5.6.
  ///
  /// - Parameters:
  ///   - program: the program of the object that is loaded.
  ///   - target: the program that is in the kernel.
  ///   - function: the function; nil for the one that the section's name says.
  public mutating func setAttachTarget(
    of program: String, to target: TargetProgram, function: String? = nil
  ) {
    attachTargets[program] = AttachTarget(program: target, function: function)
  }

  /// Where a BPF token comes from (Linux 6.9): a BPF file system that was mounted, for a user namespace,
  /// with options `delegate_cmds`, `delegate_maps`, `delegate_progs` and `delegate_attachs`.
  public enum TokenSource: Sendable, Hashable {
    /// The file system that `LIBBPF_BPF_TOKEN_PATH` names; without that variable the one at
    /// `/sys/fs/bpf`, if it delegates anything.
    case automatic
    /// No token.
    case none
    /// The file system at this path.
    case path(String)
  }
}
