import EBPF
import EBPFTracers

/// The JSON summary of a memory recording.
struct MemoryDocument: Encodable {
  let totals: Totals
  /// `allocator`: its functions; `otel_memory`: what processes tell by static probes. Null without
  /// allocations.
  @Nullable var source: String?
  /// The mean distance between picked bytes; null when the figures are exact.
  @Nullable var sampleBytes: UInt64?
  let leaks: [Block]
  let sites: [Site]
  let processes: [Growth]
  let otherProcesses: Others
  /// 32-bit programs that ran before their mappings were watched.
  let unwatchedPrograms: UInt64
  let victims: [Victim]
  /// Absent where no stack was walked by unwind table.
  let walks: WalkEndsDocument?
  let loss: LossDocument
  let overhead: OverheadDocument
  let hooks: [HookDocument]
  let durationNs: UInt64
  @Nullable var file: String?
  let economy: EconomyDocument?

  struct Totals: Encodable {
    let allocations: UInt64
    let frees: UInt64
    let totalAllocated: UInt64
    let totalFreed: UInt64
    let activeAllocations: UInt64
    let currentBytes: UInt64
    let released: UInt64
    let replaced: UInt64
    let untracked: UInt64
    let untrackedBytes: UInt64
    let unknownFrees: UInt64
    let nullFrees: UInt64
    let failures: UInt64
    let nested: UInt64
    let abandoned: UInt64

    init(_ counts: MemoryTotals) {
      allocations = counts.allocations
      frees = counts.frees
      totalAllocated = counts.allocatedBytes
      totalFreed = counts.freedBytes
      activeAllocations = counts.activeAllocations
      currentBytes = counts.currentBytes
      released = counts.released
      replaced = counts.replaced
      untracked = counts.untracked
      untrackedBytes = counts.untrackedBytes
      unknownFrees = counts.unknownFrees
      nullFrees = counts.nullFrees
      failures = counts.failures
      nested = counts.nested
      abandoned = counts.abandoned
    }
  }

  struct Block: Encodable {
    let address: String
    let size: UInt64
    let ageNs: UInt64
    let pid: Int32
    let tid: Int32
    let command: String
    let processEnded: Bool
    let stack: [String]
  }

  struct Site: Encodable {
    let kind: String
    let pid: Int32
    let command: String
    let count: UInt64
    let bytes: UInt64
    let activeCount: UInt64
    let activeBytes: UInt64
    let stack: [String]
  }

  struct Growth: Encodable {
    let pid: Int32
    let command: String
    @Nullable var cgroup: String?
    @Nullable var container: ContainerDocument?
    let existing: Bool
    let ended: Bool
    let residentBefore: UInt64
    let residentAfter: UInt64
    let residentPeak: UInt64
    let growth: Int64
    let faults: UInt64
    let maps: UInt64
    let mappedBytes: UInt64
    let unmaps: UInt64
    let unmappedBytes: UInt64
    let breakBytes: Int64
  }

  /// Processes that ended and are not listed, summed.
  struct Others: Encodable {
    let processes: UInt64
    let faults: UInt64
    let maps: UInt64
    let mappedBytes: UInt64
    let unmaps: UInt64
    let unmappedBytes: UInt64
    let breakBytes: Int64

    init(_ totals: EndedProcessTotals) {
      processes = totals.processes
      faults = totals.faults
      maps = totals.maps
      mappedBytes = totals.mappedBytes
      unmaps = totals.unmaps
      unmappedBytes = totals.unmappedBytes
      breakBytes = totals.breakBytes
    }
  }

  struct Victim: Encodable {
    let pid: Int32
    let command: String
    let timeUnixNs: UInt64
    let anonymousBytes: UInt64
    let fileBytes: UInt64
    let sharedBytes: UInt64
    let history: [Point]
  }

  struct Point: Encodable {
    let beforeNs: UInt64
    let residentBytes: UInt64
  }

  init(
    _ result: MemoryRecording, recordsAllocations: Bool, leaks: [MemoryBlock], file: String?,
    top: Int, containers: ContainerNames?, economy: GovernorState?
  ) {
    let stacks = StackNames(result.profile)
    totals = Totals(result.totals)
    self.economy = economy.map(EconomyDocument.init)
    source = recordsAllocations ? (result.usesStaticProbes ? "otel_memory" : "allocator") : nil
    sampleBytes = result.sampleBytes
    self.leaks = leaks.map { block in
      Block(
        address: "0x" + String(block.address, radix: 16), size: block.size, ageNs: block.age,
        pid: block.process, tid: block.thread, command: block.command,
        processEnded: block.isOfEndedProcess, stack: stacks.names(block.stack))
    }
    sites = result.sites.prefix(top).map { site in
      Site(
        kind: site.kind.rawValue, pid: site.process, command: site.command, count: site.count,
        bytes: site.bytes, activeCount: site.activeCount, activeBytes: site.activeBytes,
        stack: stacks.names(site.stack))
    }
    processes = result.processes.map { process in
      let place = PlaceDocument(containers, cgroup: process.cgroup, process: process.process)
      return Growth(
        pid: process.process, command: process.command, cgroup: place.cgroup,
        container: place.container, existing: process.isExisting,
        ended: process.hasEnded, residentBefore: process.residentBefore,
        residentAfter: process.residentAfter, residentPeak: process.residentPeak,
        growth: process.growth, faults: process.faults, maps: process.maps,
        mappedBytes: process.mappedBytes, unmaps: process.unmaps,
        unmappedBytes: process.unmappedBytes, breakBytes: process.breakBytes)
    }
    otherProcesses = Others(result.otherProcesses)
    unwatchedPrograms = result.unwatchedPrograms
    victims = result.victims.map { victim in
      Victim(
        pid: victim.process, command: victim.command, timeUnixNs: victim.time,
        anonymousBytes: victim.anonymousBytes, fileBytes: victim.fileBytes,
        sharedBytes: victim.sharedBytes,
        history: victim.history.map {
          Point(beforeNs: $0.before, residentBytes: $0.residentBytes)
        })
    }
    walks = result.walks.map(WalkEndsDocument.init)
    let statistics = result.statistics
    loss = LossDocument(statistics, unresolved: result.unresolvedFrames)
    overhead = OverheadDocument(result.overhead)
    hooks = result.hooks.map(HookDocument.init)
    durationNs = statistics.recordedNanoseconds
    self.file = file
  }
}
