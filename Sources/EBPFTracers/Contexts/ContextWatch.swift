internal import EBPF
internal import EBPFSystem
internal import Profiles
internal import PublishedContexts
internal import Symbolization
internal import Synchronization

/// Reads what processes publish of themselves, and tells a tracer's program where their threads keep
/// the span they are at work on (thread_context.h).
///
/// The profiler looks at a process when it is announced, at its 1st, 2nd, 4th … 64th sample, and again
/// for each profile at those that publish, so that changes are seen. The tracers of system calls and of
/// the network look at every process when they start, and later at a process's 1st, 2nd, 4th … event.
final class ContextWatch: Sendable {
  /// As many processes as the program's map has room for.
  private static let limit = 512

  private let symbolizer: Symbolizer
  private let places: Map<UInt32, ThreadContextRecord>
  private let count: Map<UInt32, UInt32>
  private let state = Mutex(State())

  private struct State {
    var known: [UInt32: Known] = [:]
    /// Known processes, the oldest first.
    var order: [UInt32] = []
    /// Processes that have an entry in the program's map.
    var placed: Set<UInt32> = []
    var statistics = ContextStatistics()
    var unreadable: Set<ProcessIdentity> = []
    var unplaced: Set<ProcessIdentity> = []
    /// How many events there were of a process, by what tells it from others.
    var met: [UInt64: UInt32] = [:]
  }

  private struct Known {
    var identity: ProcessIdentity
    var context: PublishedContext
  }

  /// The maps of an object that includes thread_context.h.
  init(_ object: LoadedObject, symbolizer: Symbolizer) throws(EBPFError) {
    self.symbolizer = symbolizer
    places = try Map(try object.map("thread_contexts"))
    count = try Map(try object.map("thread_context_count"))
  }

  /// Looks at the processes of a filter, so that their first samples already carry their span.
  func prepare(_ processes: some Sequence<Int32>) throws(EBPFError) {
    let numbers = try ProcessNumbers()
    look(at: processes.map(numbers.outer).compactMap(identity))
  }

  /// Looks at every process there is.
  func prepareAll() throws(EBPFError) {
    let names: [String]
    // Without /proc nobody can be looked at; tracing works all the same.
    do throws(Errno) { names = try FileSystem.entries("/proc") } catch { return }
    try prepare(names.compactMap { Int32($0) })
  }

  /// Takes note of a process's event, and looks at the process at its 1st, 2nd, 4th …: most fail a few
  /// calls before they publish, or before they execute the program that does.
  func meet(_ process: Int32, _ identity: UInt64) {
    let count = state.withLock { state in
      if state.met.count >= 4096 { state.met.removeAll(keepingCapacity: true) }
      state.met[identity, default: 0] &+= 1
      return state.met[identity, default: 0]
    }
    guard count.nonzeroBitCount == 1, let process = self.identity(of: process) else { return }
    look(at: [process])
  }

  /// Which program a process runs, if it publishes anything: the others are not looked into.
  private func identity(of pid: Int32) -> ProcessIdentity? {
    do throws(Errno) {
      guard let number = symbolizer.number(of: pid) else { return nil }
      let maps = try SystemFile.read("/proc/\(number)/maps", limit: 64 << 20)
      guard PublishedContextReader.mentionsContext(maps) else { return nil }
    } catch { return nil }  // It is gone, or we may not look.
    return symbolizer.program(of: pid).map {
      ProcessIdentity(start: $0.start, image: $0.image, processID: UInt32(pid))
    }
  }

  /// Looks whether these processes publish a context, and reads it.
  func look(at processes: [ProcessIdentity]) {
    state.withLock { state in
      for process in processes where process.image != 0 { look(at: process, &state) }
    }
  }

  /// Reads the contexts again that were found.
  func refresh() {
    state.withLock { state in
      for id in state.order {
        if let known = state.known[id] { look(at: known.identity, &state) }
      }
    }
  }

  /// What a process says of itself; nil when it says nothing.
  func resource(of process: ProcessIdentity) -> [Profile.Attribute]? {
    state.withLock { state in
      guard let known = state.known[process.processID],
        process.image == 0 || known.identity.image == process.image,
        known.identity.program.startTick == process.program.startTick
      else { return nil }
      return known.context.resource
    }
  }

  /// What was found, with what the program counted.
  func statistics(linked: UInt64, lost: UInt64, unreadable: UInt64) -> ContextStatistics {
    var statistics = state.withLock { state in
      var statistics = state.statistics
      statistics.unreadable = state.unreadable.count
      statistics.unplaced = state.unplaced.count
      return statistics
    }
    statistics.linkedSamples = linked
    statistics.lostLinks = lost
    statistics.unreadableLinks = unreadable
    return statistics
  }

  // MARK: -

  private func look(at process: ProcessIdentity, _ state: inout State) {
    let pid = Int32(truncatingIfNeeded: process.processID)
    guard let number = symbolizer.number(of: pid) else { return }
    do throws(EBPFError) {
      guard let found = try ContextWatch.read(number, isProgram: { isRunning(process, as: pid) })
      else { return }
      guard keep(found.context, of: process, &state) else { return }
      if found.context.hasThreadContexts {
        try place(found.place, of: process, &state)
      }
    } catch {
      ContextWatch.insert(process, &state.unreadable)
    }
  }

  private static func insert(_ process: ProcessIdentity, _ set: inout Set<ProcessIdentity>) {
    if set.count < limit { set.insert(process) }
  }

  /// True while the process runs the program that was sampled.
  private func isRunning(_ process: ProcessIdentity, as pid: Int32) -> Bool {
    guard let program = symbolizer.program(of: pid) else { return false }
    return program.image == process.image && program.startTick == process.program.startTick
  }

  /// What a process publishes now; nil when that is nothing, or when it is gone or runs another program.
  static func read(
    _ number: Int32, wantsPlace: Bool = true, isProgram: () -> Bool
  ) throws(EBPFError) -> (context: PublishedContext, place: ThreadContextPlace?)? {
    let text: [UInt8]
    let memory: ProcessMemory
    do throws(Errno) {
      text = try SystemFile.read("/proc/\(number)/maps", limit: 64 << 20)
      guard PublishedContextReader.mentionsContext(text) else { return nil }
      memory = try ProcessMemory(of: number)
    } catch { return nil }  // It is gone, or we may not look: its frames tell that, too.
    // The memory stays that of the program which runs now.
    guard isProgram() else { return nil }
    let maps = try ProcessMaps(parsing: text, executableOnly: false)
    guard let context = try PublishedContextReader.read(maps, memory) else { return nil }
    let wantsPlace = wantsPlace && context.hasThreadContexts
    return (context, wantsPlace ? ThreadContextPlace.find(in: number, maps, memory) : nil)
  }

  /// False where there is no room.
  private func keep(
    _ context: PublishedContext, of process: ProcessIdentity, _ state: inout State
  ) -> Bool {
    let id = process.processID
    if state.known[id] == nil {
      if state.order.count >= ContextWatch.limit { makeRoom(&state) }
      guard state.order.count < ContextWatch.limit else {
        state.statistics.withoutRoom += 1
        return false
      }
      state.order.append(id)
    }
    // What a filter names is known by the tick of its start, what is sampled by the nanosecond.
    let before = state.known[id]?.identity
    if before?.image != process.image || before?.program.startTick != process.program.startTick {
      state.statistics.processes += 1
    }
    state.known[id] = Known(identity: process, context: context)
    return true
  }

  private func makeRoom(_ state: inout State) {
    for id in state.order where !symbolizer.isThere(pid: Int32(truncatingIfNeeded: id)) {
      state.known[id] = nil
      do throws(EBPFError) {
        if state.placed.remove(id) != nil { _ = try places.delete(id) }
      } catch { continue }  // It stays in the map, where nobody asks for it.
    }
    state.order.removeAll { state.known[$0] == nil }
  }

  private func place(
    _ place: ThreadContextPlace?, of process: ProcessIdentity, _ state: inout State
  ) throws(EBPFError) {
    guard let place else {
      ContextWatch.insert(process, &state.unplaced)
      return
    }
    state.unplaced.remove(process)
    try places.update(
      process.processID,
      ThreadContextRecord(
        start: process.program.startTick, image: process.image, offset: place.offset,
        module: place.module, stride: place.stride))
    state.placed.insert(process.processID)
    try count.update(0, UInt32(state.placed.count))
  }
}

extension Symbolizer.Program {
  /// When the process was created, as `/proc` tells it.
  fileprivate var startTick: UInt64 { start / Symbolizer.Program.startUnit }
}
