#if OTLPExporter
  public import AgentConfiguration
  internal import EBPFSystem
  internal import OTLP
  public import OTLPExporter

  /// Where an agent's configuration comes from: a file, the environment, or both.
  public struct AgentConfigurationSource: Sendable {
    /// The file; nil for none.
    public var file: String?
    /// The environment.
    public var environment: [String: String]

    /// A source.
    public init(file: String?, environment: [String: String]) {
      self.file = file
      self.environment = environment
    }

    /// Reads the configuration; everything that is wrong with the file is in the error.
    public func read() throws(ConfigurationError) -> AgentConfiguration {
      guard let file else {
        return try AgentConfiguration(yaml: [], file: "the environment", environment: environment)
      }
      let text: [UInt8]
      do throws(Errno) { text = try SystemFile.read(file, limit: 1 << 20) } catch {
        throw ConfigurationError(
          problems: [.init(file: file, message: "cannot be read: \(error.text)")])
      }
      let configuration = try AgentConfiguration(
        yaml: text, file: file, environment: environment)
      let problems = problems(of: configuration)
      guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
      return configuration
    }

    /// What the exporters are told, of the file first and of the environment.
    public func exporterConfiguration(
      of configuration: AgentConfiguration
    ) throws(ExporterError) -> ExporterConfiguration {
      var environment = configuration.environment(over: environment)
      // A file is where telemetry goes when nothing else is said.
      if configuration.output != nil {
        for signal in TelemetrySignal.allCases {
          let name = "OTEL_\(signal.rawValue.uppercased())_EXPORTER"
          if environment[name]?.isEmpty ?? true { environment[name] = "none" }
        }
      }
      return try ExporterConfiguration(environment: environment)
    }

    /// What the exporter has to say of values of the file. A value that only warns in the environment,
    /// where others may want it, is wrong in a file that is for this agent alone.
    private func problems(of configuration: AgentConfiguration) -> [ConfigurationProblem] {
      let values = configuration.variables.mapValues(\.value)
      let sentences: [String]
      do throws(ExporterError) {
        sentences = try ExporterConfiguration(environment: values).warnings
      } catch { sentences = ["\(error)"] }
      return sentences.map { sentence in
        // The longest name is the variable's own: that of one signal contains the general one's end.
        let named = values.keys.filter { sentence.contains($0) }.max { $0.count < $1.count }
        return named.flatMap { configuration.problem(about: $0, sentence) }
          ?? ConfigurationProblem(file: configuration.file, message: sentence)
      }
    }
  }
#endif
