internal import EBPF
internal import EBPFSystem

/// Writes a ``TracerFilter`` into the maps of bpf-objects/bpf/process_filter.h.
///
/// An event that the filters before and after a change both want is never left out: first comes what is
/// new, then the switch, then goes what is old.
struct ProcessFilterMaps: Sendable {
  /// What tracers may have in common.
  let lists: [String: RawMap]
  private let processes: Map<UInt32, ListedProcess>
  private let commands: Map<CommandName, UInt32>
  private let cgroups: Map<UInt64, UInt32>
  private let control: Map<UInt32, ProcessFilterControl>

  /// What names processes: of ``lists``.
  static let processList = "pid_filter"
  private static let commandList = "command_filter"
  private static let cgroupList = "cgroup_filter"

  /// The filter maps of a loaded object.
  init(_ object: LoadedObject) throws(EBPFError) {
    var lists: [String: RawMap] = [:]
    for name in [Self.processList, Self.commandList, Self.cgroupList] {
      lists[name] = try object.map(name)
    }
    self.lists = lists
    processes = try Map(try object.map(Self.processList))
    commands = try Map(try object.map(Self.commandList))
    cgroups = try Map(try object.map(Self.cgroupList))
    control = try Map(try object.map("filter_control"))
  }

  /// Adds what a filter lists. Process ids are those that BPF programs see.
  func add(_ filter: TracerFilter) throws(EBPFError) {
    for process in filter.processes {
      let process = UInt32(bitPattern: process)
      try processes.update(
        process, ListedProcess(named: process, isFollowed: filter.followsChildren))
    }
    for name in filter.commands { try commands.update(CommandName(name), 1) }
    for id in filter.cgroups { try cgroups.update(id, 1) }
  }

  /// Puts what was added in force. `excluded` is a process never recorded, 0 for none.
  func switchOver(to filter: TracerFilter, excluding excluded: UInt32) throws(EBPFError) {
    typealias Flags = ProcessFilterControl.Flags
    var flags: UInt32 = 0
    if !filter.processes.isEmpty { flags |= Flags.processes }
    if !filter.commands.isEmpty { flags |= Flags.commands }
    if !filter.cgroups.isEmpty { flags |= Flags.cgroups }
    try control.update(0, ProcessFilterControl(flags: flags, excludedProcess: excluded))
  }

  /// Removes what the filter does not list. What listed processes started stays, when they are followed.
  func removeOthers(than filter: TracerFilter) throws(EBPFError) {
    let wanted = Set(filter.processes.map { UInt32(bitPattern: $0) })
    let names = Set(filter.commands.map { CommandName($0) })
    for (key, process) in try processes.entries() where !wanted.contains(key) {
      guard !filter.followsChildren || !wanted.contains(process.named) else { continue }
      _ = try processes.delete(key)
    }
    for key in try commands.entries().map(\.key) where !names.contains(key) {
      _ = try commands.delete(key)
    }
    for key in try cgroups.entries().map(\.key) where !filter.cgroups.contains(key) {
      _ = try cgroups.delete(key)
    }
  }
}

/// Why a process is listed: `enum pid_filter_bits`, and above those the process that the filter names.
struct ListedProcess: BitwiseCopyable, Sendable {
  private let value: UInt32
  private static let process: UInt32 = 1 << 0
  private static let follow: UInt32 = 1 << 1
  private static let namedShift: UInt32 = 2

  /// Process ids have 22 bits at most (PID_MAX_LIMIT, include/linux/threads.h).
  init(named process: UInt32, isFollowed: Bool) {
    value = process << Self.namedShift | Self.process | (isFollowed ? Self.follow : 0)
  }

  /// The process that the filter names, of which this one comes.
  var named: UInt32 { value >> Self.namedShift }
}

/// `struct process_filter`.
struct ProcessFilterControl: BitwiseCopyable, Sendable {
  var flags: UInt32
  var excludedProcess: UInt32

  /// `enum process_filter_flags`.
  enum Flags {
    static let processes: UInt32 = 1 << 0
    static let commands: UInt32 = 1 << 1
    static let cgroups: UInt32 = 1 << 2
  }
}
