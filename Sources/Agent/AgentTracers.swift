#if OTLPExporter
  internal import AgentConfiguration
  internal import EBPF
  internal import EBPFSystem
  internal import EBPFTelemetry
  internal import EBPFTracers
  internal import OTLP

  /// The tracers of one configuration: they start together, tell what they see at their intervals, and
  /// cost no more than they may. One thread at a time uses it.
  final class AgentTracers {
    private struct Entry {
      let source: any TelemetrySource
      /// Nanoseconds between two collections.
      let interval: UInt64
      /// The monotonic time of the next one.
      var due: UInt64
      /// Why telemetry is missing; nil since a collection that had everything.
      var failure: EBPFError?
      /// It is to begin anew: the last attempt failed.
      var isStopped = false
      /// When it last began anew, in nanoseconds since 1970; nil when it never did.
      var start: UInt64?
    }

    /// Nanoseconds until what was collected is sent.
    private static let settling: UInt64 = 2_000_000_000
    /// Giving memory back takes some milliseconds, and what is needed again as many.
    private static let betweenTrims: UInt64 = 10_000_000_000

    private var entries: [Entry]
    private var governor: AgentGovernor?
    private var own: AgentTelemetry
    private let interval: UInt64
    private var ownDue: UInt64 = 0
    /// When memory is given back that starting or collecting needed, and sending no longer does.
    private var trimDue: UInt64?
    private var lastTrim: UInt64 = 0
    private var programsAreHidden = false
    private var pagesAreHidden = false
    private var isUngoverned = false

    private var notices: [String] = []

    /// Prepares tracers; nothing is loaded before ``start()``.
    init(_ configuration: AgentConfiguration, _ options: TelemetryOptions) throws(EBPFError) {
      let filter = try TracerFilter(configuration.filter)
      let sharing = TracerSharing()
      let isGoverned = configuration.maxOverhead != nil
      var sources: [(any TelemetrySource, UInt64)] = []
      if let memory = configuration.memory {
        let source = MemorySource(memory, filter: filter, sharing: sharing, options)
        sources.append((source, configuration.interval))
      }
      if let network = configuration.network {
        sources.append((NetworkSource(network, filter: filter, options), configuration.interval))
      }
      if let processes = configuration.processes {
        let source = ProcessSource(processes, filter: filter, isGoverned: isGoverned, options)
        sources.append((source, configuration.interval))
      }
      if let profile = configuration.profile {
        let source = ProfileSource(
          profile, frequency: configuration.frequency, filter: filter, sharing: sharing, options)
        sources.append((source, profile.interval ?? configuration.interval))
      }
      if let syscalls = configuration.syscalls {
        let source = SyscallSource(syscalls, filter: filter, isGoverned: isGoverned, options)
        sources.append((source, configuration.interval))
      }
      entries = sources.map { Entry(source: $0.0, interval: $0.1, due: 0) }
      interval = configuration.interval
      own = AgentTelemetry(options)
      governor = configuration.maxOverhead.map {
        AgentGovernor(limit: $0, over: configuration.interval, sources.map(\.0))
      }
    }

    /// The names of the tracers.
    var names: [String] { entries.map(\.source.name) }

    /// Starts all; when one fails those before it are stopped again.
    func start() throws(EBPFError) {
      try KernelTypes.running.keeping { () throws(EBPFError) in
        for index in entries.indices {
          do throws(EBPFError) { try entries[index].source.start() } catch {
            for before in entries[..<index].reversed() {
              // The error that led here says more than one that follows from it.
              do throws(EBPFError) { _ = try before.source.finish() } catch { continue }
            }
            throw error
          }
        }
      }
      let now = Clock.monotonic.now
      for index in entries.indices { entries[index].due = now + entries[index].interval }
      ownDue = now + interval
      trimDue = now + Self.settling
      try governor?.begin()
    }

    /// What is due at this moment. To be called about once a second.
    func tick(exporters: [ExporterFigures]) -> [(source: String, exports: [TelemetryExport])] {
      let now = Clock.monotonic.now
      var results: [(source: String, exports: [TelemetryExport])] = []
      for index in entries.indices {
        guard now >= entries[index].due else {
          attempt(index) { (source) throws(EBPFError) in
            if !entries[index].isStopped { try source.takeEvents() }
          }
          continue
        }
        // Missed moments are not made up for.
        entries[index].due = max(entries[index].due + entries[index].interval, now)
        attempt(index, isComplete: true) { (source) throws(EBPFError) in
          try collect(index, source, into: &results)
        }
        // Before the next one begins: what each takes for a moment would add up.
        if now >= lastTrim + Self.betweenTrims { giveBack() }
      }
      if now >= ownDue {
        ownDue = max(ownDue + interval, now)
        results.append(("agent", figures(exporters)))
        trimDue = trimDue ?? max(now + Self.settling, lastTrim + Self.betweenTrims)
      }
      if let due = trimDue, now >= due {
        trim()
        trimDue = nil
        lastTrim = now
      }
      govern()
      return results
    }

    /// Ends all tracers and returns what they saw last.
    func finish(exporters: [ExporterFigures]) -> [(source: String, exports: [TelemetryExport])] {
      var results: [(source: String, exports: [TelemetryExport])] = []
      // Before the tracers end: nothing can be asked of them afterwards.
      let last = figures(exporters)
      for index in entries.indices where !entries[index].isStopped {
        attempt(index) { (source) throws(EBPFError) in
          results.append((source.name, try source.finish()))
        }
      }
      return results + [("agent", last)]
    }

    /// The tracers that failed at the last attempt, and why.
    var failures: [(name: String, reason: String)] {
      entries.compactMap { entry in
        entry.failure.map { (entry.source.name, $0.message) }
      }
    }

    /// What went wrong, or right again, since this was asked last: a sentence for each change.
    func takeNotices() -> [String] {
      defer { notices = [] }
      return notices
    }

    // MARK: -

    /// The telemetry of one source, which begins anew when it is worn or did not get up before.
    private func collect(
      _ index: Int, _ source: any TelemetrySource,
      into results: inout [(source: String, exports: [TelemetryExport])]
    ) throws(EBPFError) {
      if !entries[index].isStopped {
        results.append((source.name, try source.collect()))
        guard source.isWorn else { return }
        results.append((source.name, try source.finish()))
        entries[index].isStopped = true
      }
      try source.start()
      entries[index].isStopped = false
      entries[index].start = Clock.wall.now
      if let governor { try source.economize(governor.economy) }
    }

    /// Keeps what fails for those who ask, and tells of it when it changes. Only a collection that is
    /// complete shows that all is well again.
    private func attempt(
      _ index: Int, isComplete: Bool = false,
      _ body: (any TelemetrySource) throws(EBPFError) -> Void
    ) {
      let source = entries[index].source
      do throws(EBPFError) {
        try body(source)
        guard isComplete else { return }
        if entries[index].failure != nil { notices.append("\(source.name) works again") }
        entries[index].failure = nil
      } catch {
        if entries[index].failure != error { notices.append("\(source.name): \(error.message)") }
        entries[index].failure = error
      }
    }

    private func figures(_ exporters: [ExporterFigures]) -> [TelemetryExport] {
      var tracers: [AgentTelemetry.TracerFigures] = []
      for index in entries.indices where !entries[index].isStopped {
        attempt(index) { (source) throws(EBPFError) in
          tracers.append(try source.figures(since: entries[index].start))
        }
      }
      var programs: [BPFProgramFigures] = []
      do throws(EBPFError) { programs = try BPFProgramFigures.all() } catch {
        if !programsAreHidden {
          notices.append("metrics of BPF programs are those of this agent's: \(error.message)")
        }
        programsAreHidden = true
        programs = tracers.compactMap(\.overhead).flatMap(BPFProgramFigures.own)
      }
      return own.collect(tracers: tracers, programs: programs, exporters: exporters)
    }

    /// Forgets what can be found again, and gives memory back.
    private func trim() {
      for entry in entries { entry.source.releaseMemory() }
      giveBack()
    }

    /// Gives memory back that is free, and takes the code and constants out of it that were needed for once.
    private func giveBack() {
      ProcessUsage.returnFreeMemory()
      do throws(EBPFError) {
        try FilePages.release()
        pagesAreHidden = false
      } catch {
        if !pagesAreHidden { notices.append("code stays in memory: \(error.message)") }
        pagesAreHidden = true
      }
    }

    private func govern() {
      do throws(EBPFError) {
        if let sentence = try governor?.observe() { notices.append(sentence) }
        isUngoverned = false
      } catch {
        if !isUngoverned {
          notices.append("the cost of recording is not limited: \(error.message)")
        }
        isUngoverned = true
      }
    }
  }

  extension TracerFilter {
    /// What a configuration names, looked up on this machine.
    init(_ filter: AgentConfiguration.Filter) throws(EBPFError) {
      self.init()
      processes = Set(filter.processes)
      followsChildren = filter.followsChildren
      commands = Set(filter.commands)
      for path in filter.cgroups { cgroups.insert(try ControlGroup.id(of: path)) }
      for container in filter.containers { try addContainer(container) }
    }
  }
#endif
