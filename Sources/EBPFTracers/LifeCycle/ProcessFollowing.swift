internal import EBPF
internal import EBPFSystem

/// The programs of process_following.bpf.c, which keep a list of processes true while others start and
/// end. Everything is given back when the last reference goes.
final class ProcessFollowing: Sendable {
  private let object: LoadedObject
  private let links = Links()
  private static let starts = "follow_fork"
  private static let ends = "follow_exit"

  /// Loads them for a list; nothing is attached.
  init(_ list: RawMap, kernel: any KernelInterface) throws(EBPFError) {
    var options = LoadOptions()
    options.maps[ProcessFilterMaps.processList] = list
    object = try LoadedObject(
      try ObjectFile(parsing: EmbeddedObject.processFollowing, name: "process_following"),
      options: options, kernel: kernel)
  }

  deinit {
    links.detachAll()
    object.unload()
  }

  /// From here on what listed processes start is listed, too, where they are to be followed.
  func attachToStarts() throws(EBPFError) { try attach(Self.starts) }

  /// From here on processes that end are not listed any more. Programs that were attached to the same
  /// tracepoint before still find them.
  func attachToEnds() throws(EBPFError) { try attach(Self.ends) }

  private func attach(_ name: String) throws(EBPFError) {
    guard !links.names.contains(name) else { return }
    try links.insert(try object.program(name).attachBySection(), as: name)
  }

  var programs: [Program] { object.programs }

  /// Started processes that are not listed: the list was full, or the kernel left the program out.
  func lost() throws(EBPFError) -> UInt64 {
    let full = try Map<UInt32, UInt64>(try object.map("follow_lost")).value(for: 0) ?? 0
    return full &+ (try object.program(Self.starts).information().recursionMisses)
  }

  /// How this is done.
  var hooks: [TracerHook] {
    var hooks = [TracerHook(need: "ended processes listed", used: "raw_tp/sched_process_exit")]
    if links.names.contains(Self.starts) {
      hooks.insert(
        TracerHook(need: "started processes", used: "raw_tp/sched_process_fork"), at: 0)
    }
    return hooks
  }
}
