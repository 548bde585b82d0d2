public import EBPFTracers
public import OTLP

/// What telemetry is made of events, and how much of it at most.
public struct TelemetryOptions: Sendable {
  /// This process, see ``ResourceDetector``.
  public var resource: Resource
  /// The version of the program that makes telemetry.
  public var version: String
  /// True where only this process is traced, which is then what telemetry is about. Otherwise it is
  /// about the machine, and what ``resource`` says of this process and its container is left out.
  public var isAboutThisProcess = false
  /// The most combinations of attributes that a metric has, the one for all others included.
  public var cardinalityLimit = 2000
  /// The most bytes of an attribute's text; longer ones are cut and counted.
  public var attributeLengthLimit = 4096
  /// The most spans or log records that wait for the next collection; more are dropped and counted.
  public var pendingLimit = 100_000
  /// Which system calls become spans: as usual those that fail, and those that take 10 ms.
  public var syscallSpans = SyscallEventRule(failed: true, minimumNanoseconds: 10_000_000)
  /// True when TCP connections become spans, from connect or accept to close.
  public var connectionSpans = true
  /// Which programs become spans, from execve(2) to their end.
  public var processSpans = ProcessSpanRule()
  /// True when DNS queries become spans.
  public var querySpans = true
  /// What knows the container of a control group; nil leaves containers out.
  public var containers: CgroupDirectory? = CgroupDirectory()
  /// What knows how processes describe themselves; nil leaves that out of spans.
  public var processes: PublishedResources? = PublishedResources()

  /// What in the environment could not be understood, a sentence each.
  public internal(set) var problems: [String] = []

  /// Everything, within limits that suit a long life.
  public init(resource: Resource, version: String) {
    self.resource = resource
    self.version = version
  }

  /// For a service that traces itself alone; ``ResourceDetector`` finds out who it is.
  ///
  /// - Parameter name: what the service is called when the environment does not say.
  public static func thisProcess(name: String, version: String) -> TelemetryOptions {
    let detection = ResourceDetector.detect(serviceName: name, version: version)
    var options = TelemetryOptions(resource: detection.resource, version: version)
    options.isAboutThisProcess = true
    options.problems = detection.problems
    return options
  }

  var scope: Scope {
    Scope(
      name: SemanticConventions.scopeName, version: version,
      schemaURL: SemanticConventions.schemaURL)
  }

  /// What is observed: the machine, unless it is this process.
  var observed: Resource {
    guard !isAboutThisProcess else { return resource }
    var observed = resource
    let own = ["process.", "container.", "k8s.pod.", "k8s.container.", "k8s.namespace."]
    for attribute in resource.attributes where own.contains(where: attribute.key.hasPrefix) {
      observed[attribute.key] = nil
    }
    return observed
  }
}

/// Which programs become spans, and what is told of them.
public struct ProcessSpanRule: Sendable, Hashable {
  /// Also processes that end without having executed anything: copies of the ones that made them.
  public var forks = false
  /// Tells all arguments. Off, as the conventions ask for, because they may be secrets; the first,
  /// which is the program's name, is told anyway.
  public var arguments = false

  /// What was executed, and what was there before, without arguments.
  public init() {}

  func wants(_ run: ProcessRun) -> Bool { forks || run.origin != .forked }
}
