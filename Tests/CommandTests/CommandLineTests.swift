import Glibc
import TestSupport
import Testing

@Suite struct CommandLineTests {
  static let commands = ["validate", "check", "load", "profile", "syscalls"]

  @Test(arguments: [
    [], ["validate"], ["validate", "--no-such-option", "x"], ["validate", "--max-size", "0", "x"],
    ["load"], ["load", "a", "b"], ["load", "--map", "events", "x"],
    ["load", "--map", "events:max_entries=many", "x"], ["check", "--for", "everything"],
    ["no-such-command"],
  ])
  func `wrong usage is 64, and said on standard error`(arguments: [String]) throws {
    let command = try EBPF.run(arguments)
    // Without a subcommand there is nothing to be wrong about: the help is the answer.
    #expect(command.status == (arguments.isEmpty ? 0 : 64))
    #expect(command.output.isEmpty == !arguments.isEmpty)
    #expect(command.error.isEmpty == arguments.isEmpty)
  }

  @Test(arguments: commands)
  func `each command has a help`(command: String) throws {
    for arguments in [[command, "--help"], [command, "-h"], ["help", command]] {
      let help = try EBPF.run(arguments)
      #expect(help.status == 0 && help.error.isEmpty)
      #expect(help.output.contains("USAGE: ebpf \(command)"))
    }
  }

  @Test(arguments: ["validate", "check", "load", "syscalls"])
  func `a help tells examples, exit statuses and privileges`(command: String) throws {
    let help = try EBPF.run([command, "--help"]).output
    for heading in ["\nEXAMPLES\n", "\nEXIT STATUS\n", "\nPRIVILEGES\n", "\nOPTIONS:\n"] {
      #expect(help.contains(heading), "\(heading)")
    }
  }

  @Test func `the version is three numbers, and so is that of the protocol`() throws {
    let version = try EBPF.run(["--version"]).output
    let parts = try #require(
      version.wholeMatch(of: /ebpf (\d+\.\d+\.\d+) \(OpenTelemetry protocol (\d+\.\d+\.\d+)\)\n/))
    // What the schemas' package says of itself, where the messages come from.
    let schema = try String(
      decoding: contents(
        ofFile: Fixtures.directory + "/../../Sources/OTLPMessages/SchemaVersion.swift"),
      as: UTF8.self)
    #expect(schema.contains("\"\(parts.2)\""))
  }

  @Test(arguments: [("bash", ["-n"]), ("zsh", []), ("fish", [])])
  func `completions know the commands`(shell: String, check: [String]) throws {
    let script = try EBPF.run(["--generate-completion-script", shell])
    #expect(script.status == 0)
    for command in Self.commands { #expect(script.output.contains(command)) }
    guard !check.isEmpty else { return }
    let directory = try TemporaryDirectory()
    let file = try directory.write(script.output, to: "completions")
    #expect(try Command.run([shell] + check + [file]).status == 0)
  }

  // MARK: - Streams

  @Test func `a reader who goes away is no error`() throws {
    let file = Fixtures.path("all_sections.bpf.o")
    let files = Array(repeating: file, count: 20)
    let command = try Command.run(
      [
        "bash", "-c", "\"$@\" | head -1; echo \"${PIPESTATUS[0]}\"", "bash", EBPF.path, "validate",
      ] + files)
    #expect(command.output == file + "\n0\n")
    #expect(command.error.isEmpty)
  }

  @Test func `a full disk is an error`() throws {
    let command = try Command.run(
      [
        "sh", "-c", "\"$@\" >/dev/full", "sh", EBPF.path, "validate",
        Fixtures.path("globals.bpf.o"),
      ])
    #expect(command.status == 2)
    #expect(command.error.contains("cannot write to standard output"))
  }

  @Test func `colours are for terminals, and not under NO_COLOR`() throws {
    let file = Fixtures.path("globals.bpf.o")
    func onTerminal(_ environment: [String: String]) throws -> String {
      // script(1) gives the command a terminal.
      try Command.run(
        ["script", "-qec", "'\(EBPF.path)' validate '\(file)'", "/dev/null"],
        environment: environment
      ).output
    }
    #expect(try onTerminal(["NO_COLOR": ""]).contains("\u{1b}[32mvalid\u{1b}[0m"))
    #expect(!(try onTerminal(["NO_COLOR": "1"]).contains("\u{1b}")))
    #expect(!(try EBPF.run(["validate", file]).output.contains("\u{1b}")))
  }
}
