internal import EBPFTracers

extension AgentConfiguration {
  /// Reads a configuration.
  ///
  /// - Parameters:
  ///   - text: a YAML document, at most 256 KiB; an empty one says that everything is as usual.
  ///   - file: its name, for what is said about it.
  ///   - environment: what `${NAME}` in a value refers to.
  /// - Throws: ``ConfigurationError`` with everything that is wrong.
  public init(
    yaml text: [UInt8], file: String, environment: [String: String]
  ) throws(ConfigurationError) {
    self.init(file: file)
    let context = ReadingContext(file: file, environment: environment)
    if let interval = AgentConfiguration.interval(environment) { self.interval = interval }
    do throws(YAMLFailure) {
      read(SettingReader(try YAMLDocument.parse(text), path: "", context: context))
    } catch {
      context.report(error.message, key: "", at: error.place)
    }
    guard context.problems.isEmpty else {
      throw ConfigurationError(
        problems: context.problems.sorted { ($0.line, $0.column) < ($1.line, $1.column) })
    }
  }

  private mutating func read(_ settings: SettingReader) {
    settings.allow([
      "preset", "interval", "tracers", "filter", "max-overhead", "export", "otlp", "file",
      "prometheus", "queue", "resource", "health", "drop-privileges",
    ])
    preset = settings.choice("preset") ?? preset
    interval = AgentConfiguration.interval(settings) ?? interval
    if let tracers = settings.group("tracers") { readTracers(tracers) }
    if let filter = settings.group("filter") { self.filter = Filter(filter) }
    maxOverhead = settings.value("max-overhead", takes: "a share of one CPU such as 1%") {
      Quantity.share($0)
    }
    readExport(settings)
    if let queue = settings.group("queue") { readQueue(queue) }
    for (name, text, _) in settings.pairs("resource") { resource[name] = text }
    health = settings.optionalGroup("health").map { Address($0, port: 13133) }
    dropsPrivileges = settings.flag("drop-privileges") ?? true
  }

  /// The time between two exports: at least a second, so that exporting costs little.
  fileprivate static func interval(_ settings: SettingReader) -> UInt64? {
    settings.value("interval", takes: "\(Quantity.durationWords), at least 1s") { text in
      Quantity.nanoseconds(text).flatMap { $0 >= 1_000_000_000 ? $0 : nil }
    }
  }

  /// The time between two exports that OpenTelemetry's variable gives, in milliseconds there.
  private static func interval(_ environment: [String: String]) -> UInt64? {
    guard let text = environment["OTEL_METRIC_EXPORT_INTERVAL"],
      let milliseconds = UInt64(text), (1000...31_622_400_000).contains(milliseconds)
    else { return nil }
    return milliseconds * 1_000_000
  }

  /// Those that are named run; without the key all do but that of processes.
  private mutating func readTracers(_ tracers: SettingReader) {
    tracers.allow(["profile", "syscalls", "network", "memory", "processes"])
    profile = tracers.optionalGroup("profile").map { Profile($0) }
    syscalls = tracers.optionalGroup("syscalls").map { Syscalls($0) }
    network = tracers.optionalGroup("network").map { Network($0) }
    memory = tracers.optionalGroup("memory").map { Memory($0) }
    processes = tracers.optionalGroup("processes").map { Processes($0) }
  }

  private mutating func readQueue(_ queue: SettingReader) {
    queue.allow(["size", "spool"])
    queueBytes = queue.value("size", takes: "\(Quantity.sizeWords), at least 64KiB") { text in
      Quantity.bytes(text).flatMap { $0 >= 65_536 ? $0 : nil }
    }
    guard let folder = queue.group("spool") else { return }
    folder.allow(["path", "size"])
    guard let path = folder.text("path") else {
      return queue.report("needs a path, the folder to keep it in", about: "spool")
    }
    spool = Spool(path: path)
    if let bytes = folder.value("size", takes: Quantity.sizeWords, { Quantity.bytes($0) }) {
      spool?.bytes = bytes
    }
  }
}

extension AgentConfiguration.Profile {
  fileprivate init(_ settings: SettingReader) {
    settings.allow(["frequency", "interval", "stacks", "unwind-memory", "threads"])
    frequency = settings.number("frequency", in: CPUProfilerConfiguration.frequencies)
    interval = AgentConfiguration.interval(settings)
    stacks =
      settings.value("stacks", takes: "one of both, user, kernel") { text in
        switch text {
        case "both": .both
        case "user": .user
        case "kernel": .kernel
        default: nil
        }
      } ?? stacks
    let room = settings.value("unwind-memory", takes: "\(Quantity.sizeWords), at most 1GiB") {
      text in
      Quantity.bytes(text).flatMap { $0 <= 1 << 30 ? $0 : nil }
    }
    if let room { unwindBytes = Int(room) }
    separatesThreads = settings.flag("threads") ?? false
  }
}

extension AgentConfiguration.Syscalls {
  fileprivate init(_ settings: SettingReader) {
    settings.allow(["by", "spans"])
    grouping =
      settings.value("by", takes: "one of process, cgroup, machine") { text in
        switch text {
        case "process": .process
        case "cgroup": .cgroup
        case "machine": SyscallTracerConfiguration.Grouping.none
        default: nil
        }
      } ?? grouping
    guard let spans = settings.group("spans") else { return }
    spans.allow(["min-latency", "failed"])
    self.spans.minimumNanoseconds = spans.value("min-latency", takes: Quantity.durationWords) {
      Quantity.nanoseconds($0)
    }
    self.spans.failed = spans.flag("failed") ?? false
  }
}

extension AgentConfiguration.Network {
  fileprivate init(_ settings: SettingReader) {
    settings.allow(["spans", "dns", "drops"])
    spans = settings.flag("spans") ?? spans
    dns = settings.flag("dns") ?? dns
    drops = settings.flag("drops") ?? drops
  }
}

extension AgentConfiguration.Processes {
  fileprivate init(_ settings: SettingReader) {
    settings.allow(["arguments", "forks"])
    arguments = settings.flag("arguments") ?? arguments
    forks = settings.flag("forks") ?? forks
  }
}

extension AgentConfiguration.Memory {
  fileprivate init(_ settings: SettingReader) {
    settings.allow(["allocations", "sample-bytes"])
    let isSampled = settings.flag("allocations") ?? false
    let range = MemoryTracerConfiguration.sampleBytes
    let mean = settings.value("sample-bytes", takes: "\(Quantity.sizeWords), at most 8GiB") {
      text in
      Quantity.bytes(text).flatMap { range.contains($0) ? $0 : nil }
    }
    if isSampled {
      sampleBytes = mean ?? MemoryTracerConfiguration.usualSampleBytes
    } else if settings.place("sample-bytes") != nil {
      settings.report("says nothing without 'allocations: true'", about: "sample-bytes")
    }
  }
}

extension AgentConfiguration.Filter {
  fileprivate init(_ settings: SettingReader) {
    self.init()
    settings.allow(["processes", "children", "commands", "cgroups", "containers"])
    for item in settings.list("processes") {
      guard let process = Int32(item.text), process > 0 else {
        settings.report("takes process ids, not '\(item.text)'", about: "processes")
        continue
      }
      processes.append(process)
    }
    followsChildren = settings.flag("children") ?? false
    commands = settings.list("commands").map(\.text)
    cgroups = settings.list("cgroups").map(\.text)
    containers = settings.list("containers").map(\.text)
  }
}

extension AgentConfiguration.Address {
  fileprivate init(_ settings: SettingReader, port usual: UInt16) {
    settings.allow(["host", "port"])
    port = settings.number("port", in: UInt16.min...UInt16.max) ?? usual
    host = settings.text("host") ?? host
  }
}
