import Glibc
import TestSupport
import Testing

/// The built command, run as a user runs it.
enum EBPF {
  /// The executable: `EBPF_COMMAND`, or what scripts/build-static.sh left.
  static let path: String = {
    if let path = getenv("EBPF_COMMAND") { return String(cString: path) }
    return Fixtures.directory + "/../../dist/ebpf"
  }()

  /// Runs it; `by` is a program and its arguments that start it, such as `["setpriv", "--"]`.
  static func run(
    _ arguments: [String], by starter: [String] = [], environment: [String: String] = [:]
  ) throws -> Command {
    try Command.run(starter + [path] + arguments, environment: environment)
  }

  /// The document it prints with `--json`.
  static func json(
    _ arguments: [String], status: Int32 = 0, by starter: [String] = [],
    location: SourceLocation = #_sourceLocation
  ) throws -> JSONValue {
    let command = try run(arguments + ["--json"], by: starter)
    #expect(
      command.status == status, "\(command.error)\(command.output)", sourceLocation: location)
    return try JSONValue(parsing: command.output)
  }

  /// A copy that every user may run; the checkout may be in a place they cannot see.
  static func copy(in directory: TemporaryDirectory) throws -> String {
    let copy = directory.file("ebpf")
    // In a process of its own: a descriptor still open for writing in another child that is just
    // being started would keep the copy from being run (ETXTBSY).
    _ = try Command.output(["install", "-m", "0755", path, copy])
    _ = try Command.output(["chmod", "0755", directory.path])
    return copy
  }

  /// Starts it as nobody, with these capabilities and no others.
  static func nobody(with capabilities: [String] = []) -> [String] {
    let list = "-all" + capabilities.map { ",+" + $0 }.joined()
    return [
      "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=" + list,
      "--ambient-caps=" + list, "--bounding-set=" + list, "--",
    ]
  }

  /// Starts it as root whose capabilities are only these.
  static func root(with capabilities: [String]) -> [String] {
    ["setpriv", "--bounding-set=-all" + capabilities.map { ",+" + $0 }.joined(), "--"]
  }

  /// Runs a shell script first, in mount namespace of its own.
  static func inMounts(_ script: String) -> [String] {
    ["unshare", "--mount", "--", "sh", "-ec", script + "\nexec \"$@\"", "sh"]
  }
}
