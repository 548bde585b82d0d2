#if OTLPExporter
  import Logging
  import OTLP
  import TestSupport
  import Testing

  @testable import OTLPExporter

  @Suite(.timeLimit(.minutes(2))) struct TLSTests {
    private let directory: TemporaryDirectory
    private let lines = LogRecorder.Lines()

    init() throws {
      directory = try TemporaryDirectory()
      let certificates = Certificates(in: directory)
      for name in ["right", "wrong"] { try certificates.makeAuthority(name) }
      for (name, issuer) in [("server", "right"), ("client", "right"), ("stranger", "wrong")] {
        try certificates.make(name, by: issuer)
      }
    }

    private func receiver(
      _ name: String, port: Int = 0, clientAuthority: Bool = false
    ) async throws -> Receiver {
      var arguments = Certificates(in: directory).arguments(name)
      if clientAuthority { arguments += ["--client-authority", directory.file("right.pem")] }
      return try await Receiver("200", port: port, arguments: arguments)
    }

    private func exporter(_ port: Int, _ variables: [String: String]) throws -> TelemetryExporter {
      var environment = variables
      environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = "https://127.0.0.1:\(port)"
      environment["OTEL_METRICS_EXPORTER"] = "none"
      environment["OTEL_TRACES_EXPORTER"] = "none"
      environment["OTEL_PROFILES_EXPORTER"] = "none"
      var options = TelemetryExporter.Options()
      options.retry.initialDelay = .milliseconds(5)
      options.retry.maximumDelay = .milliseconds(20)
      options.flushLimit = .seconds(60)
      let lines = lines
      return try TelemetryExporter(
        ExporterConfiguration(environment: environment), options: options,
        logger: Logger(label: "test") { _ in LogRecorder(lines: lines) })
    }

    @Test func `a receiver with a certificate of the authority is trusted`() async throws {
      let receiver = try await receiver("server")
      let exporter = try exporter(
        receiver.port, ["OTEL_EXPORTER_OTLP_CERTIFICATE": directory.file("right.pem")])
      exporter.export(Samples.logs(0..<3))
      exporter.drain()
      try await exporter.run()
      #expect(try await receiver.finish().flatMap(\.items) == ["0", "1", "2"])
      #expect(lines.all.isEmpty)
    }

    @Test func `a wrong certificate gets nothing, and the right one everything`() async throws {
      let wrong = try await receiver("stranger")
      let exporter = try exporter(
        wrong.port, ["OTEL_EXPORTER_OTLP_CERTIFICATE": directory.file("right.pem")])
      async let running: Void = exporter.run()
      exporter.export(Samples.logs(0..<3))
      for await line in lines.stream where line.hasPrefix("warning: sending fails") { break }
      #expect(try await wrong.finish().isEmpty)
      let right = try await receiver("server", port: wrong.port)
      for await line in lines.stream where line.hasPrefix("info: sending works again") { break }
      exporter.drain()
      try await running
      #expect(try await right.finish().flatMap(\.items) == ["0", "1", "2"])
      #expect(exporter.statistics[.logs]?.sent == 3)
      #expect(lines.all.count == 2, "\(lines.all)")
      #expect(lines.all[0].contains("no TLS"))
      #expect(lines.all[0].contains("an authority in '\(directory.file("right.pem"))'"))
    }

    @Test func `a client certificate is shown to who asks for one`() async throws {
      let receiver = try await receiver("server", clientAuthority: true)
      let exporter = try exporter(
        receiver.port,
        [
          "OTEL_EXPORTER_OTLP_CERTIFICATE": directory.file("right.pem"),
          "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": directory.file("client.pem"),
          "OTEL_EXPORTER_OTLP_CLIENT_KEY": directory.file("client.key"),
        ])
      exporter.export(Samples.logs(0..<3))
      exporter.drain()
      try await exporter.run()
      #expect(try await receiver.finish().flatMap(\.items) == ["0", "1", "2"])
    }

    @Test(arguments: [
      ("OTEL_EXPORTER_OTLP_CERTIFICATE", "missing.pem", "cannot be read: ENOENT"),
      ("OTEL_EXPORTER_OTLP_CERTIFICATE", "right.key", "holds no certificate"),
      ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "client.pem", "holds no private key"),
      ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "client.key", "holds no certificate"),
    ])
    func `files that cannot be used are told before anything is sent`(
      variable: String, file: String, text: String
    ) throws {
      var variables = [
        "OTEL_EXPORTER_OTLP_CERTIFICATE": directory.file("right.pem"),
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": directory.file("client.pem"),
        "OTEL_EXPORTER_OTLP_CLIENT_KEY": directory.file("client.key"),
      ]
      variables[variable] = directory.file(file)
      let error = try #require(throws: ExporterError.self) { try exporter(1, variables) }
      #expect(error.code == .tls)
      #expect(error.message.contains(text), "\(error.message)")
      #expect(error.hint != nil)
    }

    @Test func `a system without authorities is told what to set`() throws {
      var settings = ExporterConfiguration()[.logs]
      settings.endpoint = try Endpoint("https://collector:4318", variable: "URL")
      let error = try #require(throws: ExporterError.self) {
        try TLSFiles.configuration(settings, systemAuthorities: ["/nowhere/at/all.pem"])
      }
      #expect(
        error.description == """
          https://collector:4318 needs TLS, and this system has no file of authorities
            hint         set OTEL_EXPORTER_OTLP_CERTIFICATE or SSL_CERT_FILE to a PEM file that \
          has the receiver's authority
          """)
    }
  }
#endif
