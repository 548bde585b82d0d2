import ArgumentParser
import EBPFSystem

#if OTLPExporter
  import OTLP
#endif

@main
struct EBPFCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ebpf",
    abstract: "See what a Linux machine is doing, through eBPF.",
    discussion: """
      Results go to standard output, everything else to standard error. With --json a result is \
      one JSON document.

      Exit status: 0 done; 1 the answer is no (an invalid object, a system that cannot run what \
      was asked for, data lost under --fail-on-loss); 2 refused or failed; 64 wrong usage; 130 \
      interrupted twice.
      """,
    version: Version.line,
    subcommands: tracing + [
      UnwindCommand.self, CheckCommand.self, ValidateCommand.self, LoadCommand.self,
      ProgCommand.self, MapCommand.self, LinkCommand.self, BTFCommand.self,
    ])

  private static var tracing: [any ParsableCommand.Type] {
    let commands: [any ParsableCommand.Type] = [
      ProfileCommand.self, NetworkCommand.self, SyscallsCommand.self, MemoryCommand.self,
      ProcessesCommand.self, TraceCommand.self, ControlCommand.self,
    ]
    #if OTLPExporter
      return commands + [AgentCommand.self]
    #else
      return commands
    #endif
  }

  static func main() {
    InterruptSignals.ignoreBrokenPipes()
    let arguments = Array(ProcessEnvironment.arguments.dropFirst())
    // Alone, a command takes milliseconds less to parse than as one of all below this. What is wrong
    // with it is said from here, and so are its help and the version.
    if let name = arguments.first,
      !arguments.contains(where: { ["--version", "--help", "-h"].contains($0) }),
      let type = configuration.subcommands.first(where: { $0.configuration.commandName == name }),
      var command = try? type.parseAsRoot(Array(arguments.dropFirst()))
    {
      do { try command.run() } catch { exit(withError: error) }
    } else {
      main(arguments)
    }
  }
}

/// The version of the command and of the package.
enum Version {
  static let text = "0.1.0"

  /// What `--version` prints.
  static var line: String {
    #if OTLPExporter
      "ebpf \(text) (OpenTelemetry protocol \(otlpSchemaVersion))"
    #else
      "ebpf \(text) (built quickly, without OpenTelemetry)"
    #endif
  }
}
