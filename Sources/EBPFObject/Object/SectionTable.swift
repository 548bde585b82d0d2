/// What each program section name means: the one table behind loading, attaching and documentation.
///
/// Names and matching rules are those of libbpf 1.8's `SEC()` table.
public enum SectionTable {
  /// Whether a name may, or has to, be followed by `/target`.
  public enum Target: Sendable, Hashable {
    /// The name stands alone.
    case none
    /// Without a target the program loads, and is attached by an explicit attach point.
    case optional
    /// Without a target the kernel cannot load the program: it is part of the load request.
    case required
  }

  /// How a program is attached.
  public enum AttachKind: Sendable, Hashable {
    /// By a socket option of the program's user.
    case socket
    /// To a kernel function's entry or return.
    case kprobe, kretprobe
    /// To many kernel functions through one link.
    case kprobeMulti, kretprobeMulti, kprobeSession
    /// To a user function's entry or return.
    case uprobe, uretprobe
    /// To many user functions through one link.
    case uprobeMulti, uretprobeMulti, uprobeSession
    /// To a system call's implementation, whatever its name is on this architecture.
    case systemCall, systemCallReturn
    /// To a USDT probe of a user binary.
    case usdt
    /// To an interface, by traffic control: a clsact filter, a tcx link, a netkit link.
    case trafficControl, tcx, netkit
    /// To a tracepoint through a perf event.
    case tracepoint
    /// To a tracepoint directly.
    case rawTracepoint
    /// To a BTF-typed tracepoint or function, by the id given at load.
    case tracing
    /// To many functions through one link, by BTF id.
    case tracingMulti
    /// In place of another program's function.
    case replacement
    /// To a security hook; of one control group.
    case lsm, lsmCgroup
    /// To an iterator.
    case iterator
    /// Not attached: run by BPF_PROG_TEST_RUN.
    case testRun
    /// To an interface's receive path.
    case xdp
    /// Not attached: the target of a redirect through a map.
    case mapEntry
    /// To a perf event.
    case perfEvent
    /// To a route, by netlink.
    case lightweightTunnel
    /// To a sockmap or sockhash.
    case socketMap
    /// To an infrared device.
    case infrared
    /// To a network namespace.
    case networkNamespace
    /// To a control group.
    case cgroup
    /// As a member of a struct_ops map.
    case structOps
    /// To a netfilter hook.
    case netfilter
  }

  /// Properties of a row.
  public struct Flags: OptionSet, Sendable, Hashable {
    /// The bits.
    public let rawValue: UInt8
    /// Wraps bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// A kernel without the attach type still loads the program: retry with 0.
    public static let attachTypeOptional = Flags(rawValue: 1)
    /// The target is a BTF type id, of the kernel or of another program, given at load.
    public static let attachBTF = Flags(rawValue: 2)
    /// `BPF_F_SLEEPABLE`.
    public static let sleepable = Flags(rawValue: 4)
    /// `BPF_F_XDP_HAS_FRAGS`.
    public static let xdpFragments = Flags(rawValue: 8)
    /// `BPF_TRACE_UPROBE_MULTI` where the kernel has it.
    public static let usdt = Flags(rawValue: 16)

    /// The `BPF_F_*` flags of BPF_PROG_LOAD (`linux/bpf.h`).
    public var loadFlags: UInt32 {
      (contains(.sleepable) ? 1 << 4 : 0) | (contains(.xdpFragments) ? 1 << 5 : 0)
    }
  }

  /// One name and its meaning.
  public struct Row: Sendable, Hashable {
    /// The name, without a target.
    public let name: String
    /// The program type.
    public let programType: ProgramType
    /// The expected attach type; nil where the type has none.
    public let attachType: AttachType?
    /// Properties.
    public let flags: Flags
    /// Whether a target follows.
    public let target: Target
    /// What a target looks like: `FUNCTION[+OFFSET]`; empty for none.
    public let targetForm: String
    /// How the program is attached.
    public let attachKind: AttachKind
    /// The first kernel that takes such a program; nil when that is not known.
    public let firstKernel: KernelVersion?
    /// When the program runs, in a few words.
    public let documentation: String

    /// The name as documentation shows it: `kprobe[/FUNCTION[+OFFSET]]`.
    public var form: String {
      switch target {
      case .none: name
      case .optional: "\(name)[/\(targetForm)]"
      case .required: "\(name)/\(targetForm)"
      }
    }
  }

  /// The row with exactly this name.
  public static func row(named name: String) -> Row? { entry(named: name)?.row.map { rows[$0] } }

  /// What a name, or the part of it before a slash, stands for.
  struct Entry {
    /// Where in ``rows`` the one with exactly this name is.
    var row: Int?
    /// True when a row's name is this one, a slash, and more.
    var hasSlash = false
  }

  /// The entry of a row's name, or of what is before a slash in one.
  static func entry(named name: String) -> Entry? { entries[name] }

  private static let entries: [String: Entry] = {
    var entries: [String: Entry] = [:]
    for (position, row) in rows.enumerated() {
      if entries[row.name]?.row == nil { entries[row.name, default: Entry()].row = position }
      guard let slash = row.name.utf8.firstIndex(of: UInt8(ascii: "/")) else { continue }
      entries[String(row.name[..<slash]), default: Entry()].hasSlash = true
    }
    return entries
  }()
}
