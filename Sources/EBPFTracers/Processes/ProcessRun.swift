/// One program of one process, from its beginning to its end.
///
/// A process that executes several programs one after the other is a run for each. A process that
/// executes none, because it ends as a copy of the one that made it, is one run.
public struct ProcessRun: Sendable, Hashable {
  /// How the program came to run.
  public enum Origin: String, Sendable, Hashable, CaseIterable {
    /// The process executed it while it was recorded.
    case executed
    /// The process is a copy of its parent, and executed nothing.
    case forked
    /// The process was there before recording began; path and arguments are not known.
    case existing
    /// Its beginning was not recorded although the process is newer: it was lost, or left out by a
    /// pause or a filter.
    case unknown
  }

  /// How the program ended.
  public enum Ending: Sendable, Hashable {
    /// With a status, 0 to 255.
    case exited(Int32)
    /// By a signal.
    case killed(signal: Int32, dumpsCore: Bool)
    /// The process executed another program, and goes on.
    case replaced

    /// What wait(2) says.
    init(status: UInt32) {
      let signal = Int32(status & 0x7f)
      self =
        signal == 0
        ? .exited(Int32(status >> 8 & 0xff))
        : .killed(signal: signal, dumpsCore: status & 0x80 != 0)
    }
  }

  /// How the program came to run.
  public var origin: Origin
  /// The process, by its number in the initial pid namespace, as all numbers are.
  public var process: Int32
  /// Its parent.
  public var parent: Int32
  /// The real user, by the initial user namespace.
  public var user: UInt32
  /// The cgroup (v2), by its id.
  public var cgroup: UInt64
  /// The process's name: at most 15 bytes.
  public var command: String
  /// What was executed, as execve(2) was given it: absolute, unless somebody asked for a relative
  /// path. Empty unless ``origin`` is ``Origin/executed``.
  public var path = ""
  /// The arguments, as many as an event has room for.
  public var arguments: [String] = []
  /// How many arguments there are; nil when not known.
  public var argumentCount: Int?
  /// The path goes on.
  public var pathIsCut = false
  /// There are more arguments, or the last one goes on.
  public var argumentsAreCut = false
  /// When the process began, in nanoseconds of the monotonic clock.
  public var processStart: UInt64
  /// When the program began: with execve(2), or with the process.
  public var start: UInt64
  /// When it ended; nil while it runs.
  public var end: UInt64?
  /// How it ended; nil while it runs.
  public var ending: Ending?
  /// For how many runs it stands: more than 1 while ``TracerEconomy/sampling`` is.
  public var weight: UInt32

  /// How long it ran, in nanoseconds; nil while it runs.
  public var nanoseconds: UInt64? { end.map { $0 - min($0, start) } }

  /// The file's name: the last part of ``path``, or ``command`` where there is none.
  public var name: String {
    path.split(separator: "/").last.map(String.init) ?? command
  }
}

extension ProcessRun.Ending {
  /// The signal's name: `SIGKILL`, or `SIGRT` and a number for one without a name; nil for no signal.
  public var signalName: String? {
    guard case .killed(let signal, _) = self else { return nil }
    return FlagNames.signal.name(UInt64(signal)) ?? "SIGRT\(signal)"
  }

  /// True unless it is a status of 0, or another program.
  public var isFailure: Bool {
    switch self {
    case .exited(let status): status != 0
    case .killed: true
    case .replaced: false
    }
  }
}

/// Something in the life of a process.
public enum ProcessEvent: Sendable, Hashable {
  /// A program was executed.
  case began(ProcessRun)
  /// A program ended; what is known of its beginning is in it.
  case ended(ProcessRun)
}
