import ArgumentParser

/// A file that `--otlp` names.
struct OTLPFile: ExpressibleByArgument {
  /// How telemetry is written there.
  enum Form: CaseIterable {
    /// Requests as JSON, a line each, as the Collector's file exporter writes them.
    case lines
    /// A protocol buffer, each request in a file of its own.
    case protobuf

    var endings: [String] {
      switch self {
      case .lines: [".jsonl", ".json"]
      case .protobuf: [".otlp"]
      }
    }
  }

  let path: String
  let form: Form
  private let stem: Substring

  init?(argument: String) {
    for form in Form.allCases {
      for ending in form.endings where argument.lowercased().hasSuffix(ending) {
        (path, self.form, stem) = (argument, form, argument.dropLast(ending.count))
        return
      }
    }
    return nil
  }

  /// Where the request of a signal goes, the first or a later one.
  func path(of signal: String, number: Int) -> String {
    switch form {
    case .lines: path
    case .protobuf: "\(stem).\(signal)\(number > 1 ? "-\(number)" : "").otlp"
    }
  }
}
