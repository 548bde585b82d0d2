internal import EBPF
internal import EBPFSystem

/// Writes a ``TracerFilter`` into the maps of bpf-objects/bpf/process_filter.h.
struct ProcessFilterMaps: Sendable {
  private let processes: Map<UInt32, UInt32>
  private let commands: Map<CommandName, UInt32>
  private let cgroups: Map<UInt64, UInt32>
  private let control: Map<UInt32, ProcessFilterControl>

  /// The filter maps of a loaded object.
  init(_ object: LoadedObject) throws(EBPFError) {
    processes = try Map(try object.map("pid_filter"))
    commands = try Map(try object.map("command_filter"))
    cgroups = try Map(try object.map("cgroup_filter"))
    control = try Map(try object.map("filter_control"))
  }

  /// Puts a filter in force, before or after the programs are attached.
  ///
  /// New entries come first, then the switch, then old entries go: an event that both filters want
  /// is never left out. `excluded` is a process never recorded, 0 for none. Process ids are those of
  /// this process's own namespace.
  func apply(_ filter: TracerFilter, excluding excluded: UInt32) throws(EBPFError) {
    let numbers = try ProcessNumbers()
    let filter = numbers.outer(filter)
    let excluded = excluded == 0 ? 0 : UInt32(numbers.outer(Int32(truncatingIfNeeded: excluded)))
    typealias Flags = ProcessFilterControl.Flags
    var flags: UInt32 = 0
    var bits = ProcessFilterBits.process
    if filter.followsChildren { bits |= ProcessFilterBits.follow }
    let wanted = Set(filter.processes.map { UInt32(bitPattern: $0) })
    for process in wanted { try processes.update(process, bits) }
    if !wanted.isEmpty { flags |= Flags.processes }
    let names = Set(filter.commands.map { CommandName($0) })
    for name in names { try commands.update(name, 1) }
    if !names.isEmpty { flags |= Flags.commands }
    for id in filter.cgroups { try cgroups.update(id, 1) }
    if !filter.cgroups.isEmpty { flags |= Flags.cgroups }

    try control.update(0, ProcessFilterControl(flags: flags, excludedProcess: excluded))

    for key in try processes.entries().map(\.key) where !wanted.contains(key) {
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
