internal import EBPFSystem

/// What this system can do for BPF, decided by trying, and what would help where it cannot.
///
/// A value: nothing stays open or loaded. ``run(features:)`` takes well under 150 ms.
public struct SystemCheck: Sendable, Hashable {
  /// One answer.
  public struct Row: Sendable, Hashable {
    /// The heading it stands under: `kernel`, `privileges`, `program types` …
    public let group: String
    /// What was asked.
    public let name: String
    /// Yes, no, or not to be found out.
    public let verdict: KernelFeatures.Answer.Verdict
    /// What was found, or why not.
    public let reason: String
    /// What to do about a no; nil where nothing can be done, or need be.
    public let remedy: String?
  }

  /// One need of a tracer, and how this system meets it.
  public struct Hook: Sendable, Hashable {
    /// What is needed: `sampling`.
    public let need: String
    /// What will be used; nil when nothing can be.
    public let used: String?
    /// Whether the tracer can do without.
    public let isOptional: Bool
    /// Better ways that do not work here, and why.
    public let refused: [Refusal]
  }

  /// A way that does not work here.
  public struct Refusal: Sendable, Hashable {
    /// The way.
    public let hook: String
    /// Why not.
    public let why: String
  }

  /// Whether a tracer can run, and on which hooks.
  public struct Tracer: Sendable, Hashable {
    /// `profile`, `network`, `syscalls` or `memory`.
    public let name: String
    /// Its needs.
    public let hooks: [Hook]
    /// True when every need is met that the tracer cannot do without.
    public var canRun: Bool { hooks.allSatisfy { $0.used != nil || $0.isOptional } }
  }

  /// The release as uname(2) reports it; empty when it does not.
  public let release: String
  /// The machine: `x86_64`.
  public let machine: String
  /// The answers, in groups.
  public let rows: [Row]
  /// The tracers.
  public let tracers: [Tracer]

  /// The oldest kernel that is supported.
  public static let oldestKernel = KernelVersion(5, 8)

  /// True when the kernel is new enough and takes a program from this process.
  public var isCompatible: Bool {
    rows.allSatisfy {
      $0.group != "kernel" || $0.verdict != .no || !Self.essential.contains($0.name)
    }
      && row("privileges", "load programs")?.verdict == .yes
  }

  /// The kernel rows that nothing works without.
  private static let essential: Set<String> = [Self.versionRow]
  static let versionRow = "Linux \(oldestKernel) or newer"

  /// The row of that group and name.
  public func row(_ group: String, _ name: String) -> Row? {
    rows.first { $0.group == group && $0.name == name }
  }

  /// Asks everything.
  public static func run(features: KernelFeatures = .running) -> SystemCheck {
    var checker = SystemChecker(features: features)
    checker.checkKernel()
    checker.checkPrivileges()
    checker.checkLimits()
    checker.checkMounts()
    checker.checkConfiguration()
    checker.checkFeatures()
    return SystemCheck(
      release: checker.release, machine: checker.machine, rows: checker.rows,
      tracers: checker.tracers())
  }
}

/// Collects the rows.
struct SystemChecker {
  let features: KernelFeatures
  let status: ProcessStatus?
  var rows: [SystemCheck.Row] = []
  var release = ""
  var machine = ""

  init(features: KernelFeatures) {
    self.features = features
    do throws(Errno) { status = try ProcessStatus() } catch { status = nil }
  }

  mutating func add(
    _ group: String, _ name: String, _ verdict: KernelFeatures.Answer.Verdict, _ reason: String,
    remedy: String? = nil
  ) {
    rows.append(
      SystemCheck.Row(group: group, name: name, verdict: verdict, reason: reason, remedy: remedy))
  }

  mutating func add(
    _ group: String, _ name: String, _ answer: KernelFeatures.Answer, remedy: String? = nil
  ) {
    add(
      group, name, answer.verdict, answer.reason,
      remedy: answer.verdict == .yes ? nil : remedy)
  }
}
