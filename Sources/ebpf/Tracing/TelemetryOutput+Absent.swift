#if !OTLPExporter
  import EBPF
  import EBPFTracers

  /// What `--otlp` asks for, in a command built without OpenTelemetry: nobody can have it.
  enum TelemetryOutput {
    /// Nil when nobody asked.
    init?(_ tracing: TracerOptions) throws(EBPFError) {
      guard tracing.otlp != nil else { return nil }
      throw EBPFError(
        .unsupported, "this command was built quickly, without OpenTelemetry",
        hint: "build the whole command with scripts/build-static.sh")
    }

    var syscallRule: SyscallEventRule { switch self {} }

    func add<Result>(_: Result) {}
    func write(isQuiet: Bool) throws(EBPFError) {}
  }
#endif
