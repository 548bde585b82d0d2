internal import CEBPF
internal import Glibc

/// What this process was started with.
public enum ProcessEnvironment {
  /// The value of an environment variable; nil when it is not set.
  public static subscript(name: String) -> String? {
    // SAFETY: the result is copied at once; nothing here changes the environment.
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  /// All environment variables; of those that occur twice the first, as `getenv(3)` has it.
  public static var variables: [String: String] {
    var variables: [String: String] = [:]
    // SAFETY: the list ends with a null pointer, and nothing here changes the environment.
    var next = unsafe environ
    while let entry = unsafe next.pointee {
      let text = unsafe String(cString: entry)
      if let equals = text.firstIndex(of: "="), variables[String(text[..<equals])] == nil {
        variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
      }
      unsafe next += 1
    }
    return variables
  }

  /// The arguments, the command's own name first.
  ///
  /// Unlike `CommandLine.arguments` they do not come from /proc, which an empty root does not have.
  public static var arguments: [String] {
    (0..<cebpf_argument_count()).compactMap { index in
      // SAFETY: argv's strings live as long as the process.
      guard let argument = unsafe cebpf_argument(index) else { return nil }
      return unsafe String(cString: argument)
    }
  }
}
