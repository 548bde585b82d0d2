import ArgumentParser
import EBPF
import EBPFSystem
import EBPFTracers

/// `ebpf network`: who talks to whom, how much, how well.
struct NetworkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "network",
    _superCommandName: "ebpf",
    abstract: "Follow TCP connections and UDP sockets: who, with whom, how much, how well.",
    usage: """
      ebpf network [-d SECONDS] [-p PID] [-L PORTS] [-D PORTS] [-4 | -6]
      ebpf network --events [-T] [-w]
      ebpf network --live | -i SECONDS
      ebpf network [--dns] [--drops] [--histogram] [--json]
      ebpf network [OPTION ...] -- COMMAND [ARGUMENT ...]
      """,
    discussion: """
      TCP connections are followed from connect or accept to close, with the process, the time the \
      handshake took, payload bytes both ways, round-trip time, retransmissions and what caused \
      them. Nothing runs for a segment: figures are the kernel's own, read when a connection \
      changes its state and at the end. Connections that are open at the start are included, with \
      what they transfer from then on. Connects that fail are shown with their error.

      Each socket is one end. A connection inside this machine has two, and is in the table twice: \
      its bytes are counted once as sent and once as received.

      UDP is counted by socket; a message is one call.

      With --otlp, connections and DNS queries are part of the spans that threads publish to be at \
      work on (OTEP 4947): "contexts" in --json says how many were, how many processes publish \
      one, and what could not be read; it is left out where no process does.

      The table is sorted by bytes. Without -d and without a command it records until Ctrl-C.

      EVENTS
        connect  a handshake that began here is complete
        accept   accept(2) returned a connection
        close    a connection ended: bytes sent and received, life time
        fail     a connect failed, with its error
        retrans  segments were sent again
        query    a DNS query was answered or given up (--dns)

      EXAMPLES
        ebpf network -d 10                 everything, for ten seconds
        ebpf network --events -D 443       connections to port 443, as they happen
        ebpf network -i 2                  what moves most, every two seconds
        ebpf network --live                connections with their rates, on the whole terminal
        ebpf network --dns -- curl -sI http://example.org
        ebpf network --json -p 4711 -d 60 | jq .totals

      Needs CAP_BPF and CAP_PERFMON. Which hook each need uses is in --json and in 'ebpf check'; \
      --dns and --drops look at every packet, everything else does not.
      """)

  @Flag(name: .long, help: "One line for each event, as it happens.")
  var events = false

  @Option(name: .shortAndLong, help: "Every so many seconds, show what moved since the last time.")
  var interval: Double?

  @Flag(name: .long, help: "Show how round-trip and connect times are distributed.")
  var histogram = false

  @Flag(name: .long, help: "Also record DNS queries over UDP: latency, name, type, answer.")
  var dns = false

  @Flag(name: .long, help: "Also count dropped packets by the kernel's reason.")
  var drops = false

  @Flag(name: [.customShort("4"), .customLong("ipv4")], help: "IPv4 only.")
  var version4 = false

  @Flag(name: [.customShort("6"), .customLong("ipv6")], help: "IPv6 only.")
  var version6 = false

  @Option(
    name: [.customShort("L"), .customLong("local-port")],
    help: "Only these local ports, separated by commas.")
  var localPorts: PortList?

  @Option(
    name: [.customShort("D"), .customLong("remote-port")],
    help: "Only these remote ports, separated by commas.")
  var remotePorts: PortList?

  @Option(
    name: .customLong("netns"),
    help: "Only the network namespace of this process, or of this file (/run/netns/NAME).")
  var networkNamespace: String?

  @Flag(name: [.customShort("T"), .long], help: "Begin each event with the time of day (UTC).")
  var timestamp = false

  @Flag(name: [.customShort("w"), .long], help: "Wide: never shorten an address.")
  var wide = false

  @Option(name: .long, help: "How many rows a table shows; 0: all.")
  var top = 20

  @Option(
    name: .customLong("max-listed"),
    help: "How many ended connections, sockets and DNS queries to keep, each; totals count all.")
  var listLimit = NetworkTracerConfiguration().listLimit

  @OptionGroup var tracing: TracerOptions

  mutating func validate() throws {
    if version4 && version6 { throw ValidationError("-4 and -6 exclude each other") }
    if top < 0 { throw ValidationError("--top takes a number of rows, not \(top)") }
    if listLimit < 0 { throw ValidationError("--max-listed takes a number, not \(listLimit)") }
    if let interval, !(interval >= 0.1 && interval <= 86_400) {
      throw ValidationError("-i takes seconds from 0.1 to 86400")
    }
    if interval != nil && events { throw ValidationError("-i and --events exclude each other") }
    if tracing.live && events { throw ValidationError("--live and --events exclude each other") }
    if interval != nil && tracing.json && !tracing.live {
      throw ValidationError("-i is for reading; with --json use --events")
    }
  }

  mutating func run() throws {
    do throws(EBPFError) {
      let configuration = try configuration()
      let view =
        tracing.live
        ? try LiveView(
          LiveNetwork(wide: wide), name: "network", subject: tracing.subject,
          interval: interval ?? 1) : nil
      let containers = tracing.containerNames
      let supervision = try TracerSupervision(tracing)
      let telemetry: TelemetryOutput? = try TelemetryOutput(tracing)
      let recording = TracerRecording<NetworkTracer>(
        seconds: tracing.duration, command: tracing.command, noun: "events",
        interval: view == nil ? interval : nil, containers: containers,
        showsProgress: view == nil)
      let lines = NetworkEventLines(
        json: tracing.json, timestamps: timestamp, wide: wide,
        wallOffset: Clock.monotonic.wallOffset, containers: containers)
      if events && !tracing.json { try Output.write(lines.heading) }
      var listener: (@Sendable ([NetworkEvent]) -> Void)?
      if events { listener = { lines.write($0) } }
      let told = listener
      let linksSpans = telemetry != nil
      var refresh = NetworkRefresh(
        top: top, wide: wide, containers: tracing.containers ? containers : nil)
      let result = try recording.run(
        { command in
          var configuration = configuration
          configuration.linksSpans = linksSpans
          if let command { configuration.filter.follow(command) }
          return NetworkTracer(configuration, listener: told)
        },
        onStart: { (tracer, loop) throws(EBPFError) in
          try view?.join(tracer, loop)
          try supervision.join([RunningTracer(tracer)], loop)
        },
        onInterval: { (tracer) throws(EBPFError) in try refresh.show(try tracer.activity()) })
      let report = NetworkReport(
        result, command: self, containers: containers, economy: supervision.economy)
      try report.write()
      telemetry?.add(result)
      try telemetry?.write(isQuiet: tracing.json)
      if tracing.failOnLoss && report.hasLoss { throw EBPFError(.dataLost, report.lossSentence) }
    } catch {
      let status = Output.failure(error, json: tracing.json)
      throw error.code == .dataLost ? ExitCode.no : status
    }
  }

  func configuration() throws(EBPFError) -> NetworkTracerConfiguration {
    var configuration = NetworkTracerConfiguration()
    configuration.filter = try tracing.filter()
    configuration.recordsDNS = dns
    configuration.listLimit = listLimit
    configuration.recordsDrops = drops
    configuration.addresses.version = version4 ? .four : version6 ? .six : nil
    configuration.addresses.localPorts = localPorts?.ports ?? []
    configuration.addresses.remotePorts = remotePorts?.ports ?? []
    if let networkNamespace {
      let isProcess = Int32(networkNamespace) != nil
      configuration.addresses.networkNamespace = try inode(
        of: isProcess ? "/proc/\(networkNamespace)/ns/net" : networkNamespace)
    }
    return configuration
  }

  private func inode(of path: String) throws(EBPFError) -> UInt32 {
    do throws(Errno) {
      return UInt32(truncatingIfNeeded: try FileStatus(path: path).inode)
    } catch {
      throw EBPFError(
        error == .noEntry ? .notFound : .system, "cannot look at network namespace '\(path)'",
        systemCall: .init(call: "stat", errno: error.rawValue, name: error.name),
        hint: "give a process id, or a file such as /proc/PID/ns/net or /run/netns/NAME")
    }
  }
}

/// `80,443`.
struct PortList: ExpressibleByArgument {
  let ports: Set<UInt16>

  init?(argument: String) {
    var ports: Set<UInt16> = []
    for word in argument.split(separator: ",", omittingEmptySubsequences: false) {
      guard let port = UInt16(word) else { return nil }
      ports.insert(port)
    }
    guard ports.count <= 1024 else { return nil }
    self.ports = ports
  }
}
