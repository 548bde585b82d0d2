internal import EBPF

/// `struct memory_counters`, one for each CPU: what the programs did with each event.
struct MemoryCounters: BitwiseCopyable, Sendable, Hashable {
  var firstEvent: UInt64 = 0
  var allocations: UInt64 = 0
  var allocatedBytes: UInt64 = 0
  var frees: UInt64 = 0
  var freedBytes: UInt64 = 0
  var released: UInt64 = 0
  var releasedBytes: UInt64 = 0
  var replaced: UInt64 = 0
  var replacedBytes: UInt64 = 0
  var untracked: UInt64 = 0
  var untrackedBytes: UInt64 = 0
  var unknownFrees: UInt64 = 0
  var nullFrees: UInt64 = 0
  var failures: UInt64 = 0
  var nested: UInt64 = 0
  var abandoned: UInt64 = 0
  var sampledOut: UInt64 = 0
  var filtered: UInt64 = 0
  var paused: UInt64 = 0
  var threadsLost: UInt64 = 0
  var processesLost: UInt64 = 0
  var sitesOverflowed: UInt64 = 0
  var sitesLost: UInt64 = 0
  var faults: UInt64 = 0
  var faultStacks: UInt64 = 0
  var mappings: UInt64 = 0
  var mappingFailures: UInt64 = 0
  var rssEvents: UInt64 = 0
  var rssUpdates: UInt64 = 0
  var unowned: UInt64 = 0
  var victims: UInt64 = 0
  var eventsLost: UInt64 = 0
  var faultsAdded: UInt64 = 0
  var allocationsAdded: UInt64 = 0
  var freesAdded: UInt64 = 0
  var releasedAdded: UInt64 = 0
  var unreadable: UInt64 = 0
  var unwatched: UInt64 = 0
  var stacksSent: UInt64 = 0
  var stacksLost: UInt64 = 0
  var stacksCut: UInt64 = 0
  var stacksNone: UInt64 = 0
  var walks = StackWalks()
  var guessedFrames: UInt64 = 0

  /// The sum over CPUs; `firstEvent` is the earliest one.
  init(summing counters: [MemoryCounters]) {
    for cpu in counters {
      if cpu.firstEvent != 0, firstEvent == 0 || cpu.firstEvent < firstEvent {
        firstEvent = cpu.firstEvent
      }
      for field in Self.sums { self[keyPath: field] &+= cpu[keyPath: field] }
      walks.add(cpu.walks)
    }
  }

  // Events, without what picked ones stand for.
  var faultEvents: UInt64 { faults &- faultsAdded }
  var allocationEvents: UInt64 { allocations &- allocationsAdded }
  var freeEvents: UInt64 { frees &- freesAdded }
  var releaseEvents: UInt64 { released &- releasedAdded }

  /// Every field but the time of the first event and the walks.
  private static var sums: [WritableKeyPath<MemoryCounters, UInt64>] {
    [
      \.allocations, \.allocatedBytes, \.frees, \.freedBytes, \.released, \.releasedBytes,
      \.replaced, \.replacedBytes, \.untracked, \.untrackedBytes, \.unknownFrees, \.nullFrees,
      \.failures, \.nested, \.abandoned, \.sampledOut, \.filtered, \.paused, \.threadsLost,
      \.processesLost, \.sitesOverflowed, \.sitesLost, \.faults, \.faultStacks, \.mappings,
      \.mappingFailures, \.rssEvents, \.rssUpdates, \.unowned, \.victims, \.eventsLost,
      \.faultsAdded, \.allocationsAdded, \.freesAdded, \.releasedAdded, \.unreadable,
      \.unwatched, \.stacksSent, \.stacksLost, \.stacksCut, \.stacksNone,
      \.guessedFrames,
    ]
  }
}
