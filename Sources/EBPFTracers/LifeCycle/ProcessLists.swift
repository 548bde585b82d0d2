internal import EBPF
internal import EBPFSystem
internal import Synchronization

/// The lists of processes, commands and cgroups that one tracer records, or all tracers of a group, and
/// what keeps the one of processes true. Safe to share between threads.
final class ProcessLists: Sendable {
  /// True for those of a group, which says when its members are attached, and removes what no member
  /// asks for any more.
  let isShared: Bool
  private let kernel: any KernelInterface
  private let state = Mutex(State())

  private struct State {
    /// Of the first tracer.
    var maps: ProcessFilterMaps?
    var following: ProcessFollowing?
    /// Whoever asks the lists about a process that ends is attached.
    var isComplete = false
  }

  init(isShared: Bool, kernel: any KernelInterface) {
    self.isShared = isShared
    self.kernel = kernel
  }

  /// What a tracer loads its object with.
  func prepare(_ options: inout LoadOptions) {
    guard isShared else { return }
    options.maps.merge(state.withLock { $0.maps?.lists ?? [:] }) { _, shared in shared }
  }

  /// Takes over the lists of a tracer's object, if it has its own.
  func adopt(_ maps: ProcessFilterMaps) {
    state.withLock { state in
      guard !isShared || state.maps == nil else { return }
      state.maps = maps
      // Of an object that was loaded before.
      state.following = nil
    }
  }

  /// Follows the processes that a filter names, where it names any: what they start from now on, and
  /// their ends once all is attached.
  func follow(_ filter: TracerFilter) throws(EBPFError) {
    guard !filter.processes.isEmpty else { return }
    try state.withLock { (state) throws(EBPFError) in
      guard let list = state.maps?.lists[ProcessFilterMaps.processList] else {
        preconditionFailure("lists are adopted before")
      }
      let following: ProcessFollowing
      if let present = state.following {
        following = present
      } else {
        following = try ProcessFollowing(list, kernel: kernel)
        state.following = following
      }
      if filter.followsChildren { try following.attachToStarts() }
      if state.isComplete { try following.attachToEnds() }
    }
  }

  /// To be called when everything that asks about a process that ends is attached.
  func complete() throws(EBPFError) {
    try state.withLock { (state) throws(EBPFError) in
      state.isComplete = true
      try state.following?.attachToEnds()
    }
  }

  /// Removes what a filter does not list, which everybody goes by.
  func removeOthers(than filter: TracerFilter) throws(EBPFError) {
    guard let maps = state.withLock({ $0.maps }) else { return }
    try maps.removeOthers(than: try ProcessNumbers().outer(filter))
  }

  /// How processes are followed; empty where none are named.
  var hooks: [TracerHook] { state.withLock { $0.following }?.hooks ?? [] }

  /// Started processes that should have been followed and are not.
  func lost() throws(EBPFError) -> UInt64 {
    guard let following = state.withLock({ $0.following }) else { return 0 }
    return try following.lost()
  }

  /// What runs besides the tracers' own programs.
  var programs: [Program] { state.withLock { $0.following }?.programs ?? [] }

  /// The lists themselves.
  var maps: [RawMap] { state.withLock { $0.maps }.map { Array($0.lists.values) } ?? [] }
}
