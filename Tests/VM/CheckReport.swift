import FoundationEssentials
import TestSupport

/// What `ebpf check --json` prints, as far as the checks read it.
struct CheckReport: Decodable {
  struct Row: Decodable {
    let group: String
    let name: String
    let verdict: String
    let reason: String
    let remedy: String?
  }
  struct Tracer: Decodable {
    let name: String
    let canRun: Bool
  }

  let compatible: Bool
  let rows: [Row]
  let tracers: [Tracer]

  /// Runs the command; `prefix` may start it with other privileges.
  init(prefix: [String] = []) throws {
    let command = try Command.run(prefix + [Guest.command, "check", "--json"])
    do {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      self = try decoder.decode(CheckReport.self, from: Data(command.bytes))
    } catch {
      throw Unmet(description: "\(error): \(command.output.prefix(200))\(command.error)")
    }
    try equal(command.status == 0, compatible, "exit status 0")
  }

  func row(_ group: String, _ name: String) throws -> Row {
    try require(
      rows.first { $0.group == group && $0.name == name }, "check has no row '\(name)'")
  }

  func expect(_ group: String, _ name: String, _ verdict: String) throws {
    let row = try row(group, name)
    try equal(row.verdict, verdict, "'\(name)' (\(row.reason))")
    if verdict == "no" { try require(!row.reason.isEmpty, "'\(name)' has no reason") }
  }
}

/// What `ebpf profile --json` prints, as far as the checks read it.
struct ProfileReport: Decodable {
  struct Totals: Decodable { let samples: Int }
  struct Function: Decodable {
    let name: String
    let selfSamples: Int
  }

  let totals: Totals
  let functions: [Function]

  init(_ command: Command) throws {
    do {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      self = try decoder.decode(ProfileReport.self, from: Data(command.bytes))
    } catch {
      throw Unmet(description: "\(error): \(command.output.prefix(200))\(command.error)")
    }
  }
}
