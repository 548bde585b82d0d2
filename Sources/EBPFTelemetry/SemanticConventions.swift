/// Names that OpenTelemetry's semantic conventions give, and those that we give where they have none.
public enum SemanticConventions {
  /// The conventions' version.
  public static let version = "1.44.0"
  /// Where they are published.
  public static let schemaURL = "https://opentelemetry.io/schemas/\(version)"
  /// The scope of everything that is made here.
  public static let scopeName = "swift-ebpf"
}

/// Attributes.
enum Key {
  static let errorType = "error.type"
  static let overflow = "otel.metric.overflow"
  static let serviceName = "service.name"
  static let processID = "process.pid"
  static let processName = "process.executable.name"
  static let threadID = "thread.id"
  static let threadName = "thread.name"
  static let containerID = "container.id"
  static let containerRuntime = "container.runtime.name"
  static let podUID = "k8s.pod.uid"
  static let cgroup = "process.linux.cgroup"
  static let transport = "network.transport"
  static let networkType = "network.type"
  static let localAddress = "network.local.address"
  static let localPort = "network.local.port"
  static let peerAddress = "network.peer.address"
  static let peerPort = "network.peer.port"
  static let direction = "network.io.direction"
  static let serverAddress = "server.address"
  static let serverPort = "server.port"
  static let questionName = "dns.question.name"
  static let frameType = "profile.frame.type"
  static let buildIDGNU = "process.executable.build_id.gnu"
  static let buildIDGo = "process.executable.build_id.go"
  static let buildIDHash = "process.executable.build_id.htlhash"
  static let componentName = "otel.component.name"
  static let componentType = "otel.component.type"

  // Ours: the conventions know no system calls and nothing of TCP's inside.
  static let syscall = "linux.syscall.name"
  static let syscallIsCompat = "linux.syscall.compat"
  static let weight = "ebpf.sample.weight"
  static let handshakeRole = "network.tcp.handshake.role"
  static let transmitSize = "network.tcp.transmit.size"
  static let receiveSize = "network.tcp.receive.size"
  static let retransmits = "network.tcp.retransmits"
  static let questionType = "dns.question.type"
  static let dropReason = "linux.packet.drop.reason"
  static let dropFunction = "linux.packet.drop.function"
  static let programID = "bpf.program.id"
  static let programName = "bpf.program.name"
  static let programType = "bpf.program.type"
  static let tracer = "ebpf.tracer.name"
  static let outcome = "ebpf.outcome"
  static let signal = "ebpf.signal"
}
