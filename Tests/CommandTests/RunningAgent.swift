import Glibc
import TestSupport
import Testing

/// `ebpf agent` at work, with its log and its output in files.
final class RunningAgent {
  let folder: TemporaryDirectory
  let process: RunningCommand
  private(set) var seen = 0

  /// Starts it by `configuration`, in which `$OUT` is the file of its output.
  ///
  /// - Parameters:
  ///   - folder: where the configuration is written, as `agent.yaml`; nil for a new one.
  ///   - command: what starts an agent by it; nil for the command and its path.
  init(
    _ configuration: String, in folder: TemporaryDirectory? = nil, command: [String]? = nil
  ) throws {
    self.folder = try folder ?? TemporaryDirectory()
    try RunningAgent.write(configuration, self.folder)
    process = try RunningCommand(
      ["sh", "-c", "exec \"$0\" \"$@\" 2>\(self.folder.file("log"))"]
        + (command ?? [EBPF.path, "agent", "--config", self.folder.file("agent.yaml")]))
  }

  private static func write(_ configuration: String, _ folder: TemporaryDirectory) throws {
    let text = configuration.replacing("$OUT", with: folder.file("out.jsonl"))
    _ = try folder.write(text, to: "agent.yaml")
  }

  /// What it has logged so far.
  var log: String {
    get throws {
      let path = folder.file("log")
      guard access(path, R_OK) == 0 else { return "" }
      return String(decoding: try contents(ofFile: path), as: UTF8.self)
    }
  }

  /// Waits until it has logged a text, and gives its line.
  @discardableResult
  func wait(for text: String) throws -> Substring {
    while true {
      let log = try log.dropFirst(seen)
      if let line = log.split(separator: "\n").first(where: { $0.contains(text) }) { return line }
      guard !process.isOver else {
        throw RunningCommand.Failure(description: "the agent ended: \(try self.log)")
      }
      usleep(5_000)
    }
  }

  /// Changes the configuration and asks for it to be read again.
  func reload(_ configuration: String) throws {
    seen = try log.count
    try RunningAgent.write(configuration, folder)
    process.send(SIGHUP)
  }

  /// The page at a path of the server that it logged.
  func page(_ path: String) throws -> String {
    let line = try wait(for: "http://localhost:")
    let address = line[try #require(line.firstRange(of: "http://")).lowerBound...]
    let root = address.split(separator: "/").prefix(2).joined(separator: "//")
    return try Command.output([
      "python3", "-c",
      "import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode())",
      root + path,
    ])
  }

  /// Every span that was exported.
  func spans() throws -> [[String]] {
    try contents(ofFile: folder.file("out.jsonl")).split(separator: UInt8(ascii: "\n"))
      .filter { $0.starts(with: Array(#"{"resourceSpans""#.utf8)) }
      .flatMap { try OTLPDecoder.rows("traces", Array($0), isJSON: true) }
      .filter { $0[0] == "span" }
  }

  /// The points of a metric in the last request that has it: attributes and value.
  func points(_ metric: String) throws -> [(attributes: String, value: Int)] {
    let lines = try contents(ofFile: folder.file("out.jsonl")).split(
      separator: UInt8(ascii: "\n"))
    for line in lines.reversed() where line.starts(with: Array(#"{"resourceMetrics""#.utf8)) {
      let rows = try OTLPDecoder.rows("metrics", Array(line), isJSON: true)
      let points = OTLPDecoder.points(metric, in: rows)
      if !points.isEmpty { return points }
    }
    return []
  }
}
