/// The package's own programs that tests start.
public enum TestPrograms {
  /// There is no bundle of tests in the arguments.
  public struct NoBundle: Error {}

  /// A program that was built with the tests: it is beside their bundle, wherever that is.
  public static func path(_ name: String) throws -> String {
    guard let bundle = CommandLine.arguments.first(where: { $0.hasSuffix(".xctest") }) else {
      throw NoBundle()
    }
    let folder = bundle.split(separator: "/").dropLast().joined(separator: "/")
    return "/\(folder)/\(name)"
  }
}
