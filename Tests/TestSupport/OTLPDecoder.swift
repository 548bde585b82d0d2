/// OpenTelemetry's own messages, in Python, as readers of what was written here.
public enum OTLPDecoder {
  /// What `Tests/Oracles/read_otlp.py` finds in a request of one signal, which it also checks: a row for
  /// each fact, the kind of fact first.
  public static func rows(
    _ signal: String, _ bytes: [UInt8], isJSON: Bool = false
  ) throws -> [[String]] {
    let directory = try TemporaryDirectory()
    let file = try directory.write(bytes, to: "request")
    let script = Fixtures.directory + "/../Oracles/read_otlp.py"
    return try Command.output(["python3", script, signal, file] + (isJSON ? ["json"] : []))
      .split(separator: "\n").map { line in
        line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      }
  }

  /// The points of a metric among such rows: attributes, as JSON, and value.
  public static func points(
    _ metric: String, in rows: [[String]]
  ) -> [(attributes: String, value: Int)] {
    rows.filter { $0[0] == "point" && $0[1] == metric }.map { ($0[4], Int($0[7]) ?? 0) }
  }

  /// Compares a profile as OTLP and as pprof, frame by frame; an error tells where they differ.
  public static func compare(profile otlp: [UInt8], pprof: [UInt8]) throws -> String {
    let directory = try TemporaryDirectory()
    let files = [
      try directory.write(otlp, to: "otlp"), try directory.write(pprof, to: "pprof"),
    ]
    let folder = Fixtures.directory + "/.."
    return try Command.output(
      ["python3", folder + "/Oracles/compare_profiles.py"] + files
        + [folder + "/../scripts/proto/profile.proto"])
  }
}
