extension AgentConfiguration {
  private static let signals = ["traces", "metrics", "logs", "profiles"]

  /// Reads where telemetry goes. What has a variable in OpenTelemetry's specification is kept under
  /// the name of that variable, which then means what it says there.
  /// https://opentelemetry.io/docs/specs/otel/protocol/exporter/
  mutating func readExport(_ settings: SettingReader) {
    if let export = settings.group("export") {
      export.allow(AgentConfiguration.signals)
      for signal in AgentConfiguration.signals {
        let names = export.list(signal).map(\.text).joined(separator: ",")
        if !names.isEmpty, let place = export.place(signal) {
          set("OTEL_\(signal.uppercased())_EXPORTER", names, export.name(signal), place)
        }
      }
    }
    if let otlp = settings.group("otlp") {
      otlp.allow(AgentConfiguration.protocolKeys.map(\.key) + AgentConfiguration.signals)
      readProtocol(otlp, signal: nil)
      for signal in AgentConfiguration.signals {
        guard let group = otlp.group(signal) else { continue }
        group.allow(AgentConfiguration.protocolKeys.map(\.key))
        readProtocol(group, signal: signal)
      }
    }
    if let prometheus = settings.group("prometheus") {
      prometheus.allow(["host", "port"])
      for key in ["host", "port"] {
        if let text = prometheus.text(key), let place = prometheus.place(key) {
          set("OTEL_EXPORTER_PROMETHEUS_\(key.uppercased())", text, prometheus.name(key), place)
        }
      }
    }
    if let file = settings.group("file") {
      file.allow(["path", "format"])
      if let path = file.text("path") {
        output = File(path: path)
        output?.format = file.choice("format") ?? .json
      } else {
        settings.report("needs a path; - is standard output", about: "file")
      }
    }
  }

  /// The keys of `otlp` and the ends of their variables.
  private static let protocolKeys: [(key: String, variable: String)] = [
    ("endpoint", "ENDPOINT"), ("protocol", "PROTOCOL"), ("headers", "HEADERS"),
    ("compression", "COMPRESSION"), ("timeout", "TIMEOUT"), ("certificate", "CERTIFICATE"),
    ("client-certificate", "CLIENT_CERTIFICATE"), ("client-key", "CLIENT_KEY"),
    ("insecure", "INSECURE"),
  ]

  private mutating func readProtocol(_ settings: SettingReader, signal: String?) {
    let prefix = "OTEL_EXPORTER_OTLP_" + (signal.map { $0.uppercased() + "_" } ?? "")
    for (key, variable) in AgentConfiguration.protocolKeys {
      guard let place = settings.place(key) else { continue }
      let text: String?
      switch key {
      case "headers":
        // As W3C baggage: what has a meaning there is percent-encoded.
        let pairs = settings.pairs(key)
        text = pairs.map { "\(encoded($0.name))=\(encoded($0.text))" }.joined(separator: ",")
      case "timeout":
        text = settings.value(key, takes: Quantity.durationWords) { Quantity.nanoseconds($0) }
          .map { String($0 / 1_000_000) }
      default: text = settings.text(key)
      }
      if let text, !text.isEmpty { set(prefix + variable, text, settings.name(key), place) }
    }
  }

  private mutating func set(
    _ variable: String, _ value: String, _ key: String, _ place: YAMLNode.Place
  ) {
    variables[variable] = Variable(
      key: key, value: value, line: place.line, column: place.column)
  }

  private func encoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF")
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default: result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
      }
    }
    return result
  }

  /// The environment with what the file says in its place.
  public func environment(over environment: [String: String]) -> [String: String] {
    environment.merging(variables.mapValues(\.value)) { _, file in file }
  }

  /// The place of what a sentence about a variable is about; nil when the file does not give it.
  public func problem(about variable: String, _ message: String) -> ConfigurationProblem? {
    variables[variable].map {
      ConfigurationProblem(
        file: file, line: $0.line, column: $0.column, key: $0.key, message: message)
    }
  }

  /// Writes where telemetry goes, as far as a file or the environment says.
  func writeExport(to writer: inout YAMLWriter) {
    func value(_ variable: String) -> String? { variables[variable]?.value }
    let chosen = AgentConfiguration.signals.compactMap { signal in
      value("OTEL_\(signal.uppercased())_EXPORTER").map { (signal, $0) }
    }
    if !chosen.isEmpty {
      writer.group("export") { export in
        for (signal, names) in chosen {
          export.list(signal, names.split(separator: ",").map(String.init))
        }
      }
    }
    if variables.keys.contains(where: { $0.hasPrefix("OTEL_EXPORTER_OTLP_") }) {
      writer.group("otlp") { otlp in
        writeProtocol("OTEL_EXPORTER_OTLP_", to: &otlp)
        for signal in AgentConfiguration.signals {
          let prefix = "OTEL_EXPORTER_OTLP_\(signal.uppercased())_"
          guard variables.keys.contains(where: { $0.hasPrefix(prefix) }) else { continue }
          otlp.group(signal) { writeProtocol(prefix, to: &$0) }
        }
      }
    }
    if let output {
      writer.group("file") { file in
        file.line("path", output.path)
        file.line("format", output.format.rawValue)
      }
    }
    let address = ["host", "port"].compactMap { key in
      value("OTEL_EXPORTER_PROMETHEUS_\(key.uppercased())").map { (key, $0) }
    }
    if !address.isEmpty {
      writer.group("prometheus") { group in for (key, value) in address { group.line(key, value) } }
    }
  }

  private func writeProtocol(_ prefix: String, to group: inout YAMLWriter) {
    for (key, variable) in AgentConfiguration.protocolKeys {
      guard let value = variables[prefix + variable]?.value else { continue }
      switch key {
      case "headers":
        group.group(key) { headers in
          for pair in value.split(separator: ",") {
            headers.line(String(pair.prefix { $0 != "=" }), "***")
          }
        }
      case "timeout": group.line(key, "\(value)ms")
      default: group.line(key, value)
      }
    }
  }
}
