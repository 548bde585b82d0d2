import Testing

/// The package's own programs that tests start.
public enum TestPrograms {
  /// A program that was built with the tests: it is beside their bundle, wherever that is.
  public static func path(_ name: String) throws -> String {
    let bundle = try #require(CommandLine.arguments.first { $0.hasSuffix(".xctest") })
    let folder = bundle.split(separator: "/").dropLast().joined(separator: "/")
    return "/\(folder)/\(name)"
  }
}
