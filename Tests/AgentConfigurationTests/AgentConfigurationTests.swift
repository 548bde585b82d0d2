import EBPFTracers
import TestSupport
import Testing

@testable import AgentConfiguration

@Suite("What an agent is told")
struct AgentConfigurationTests {
  private func read(
    _ text: String, _ environment: [String: String] = [:]
  ) throws(ConfigurationError) -> AgentConfiguration {
    try AgentConfiguration(
      yaml: Array(text.utf8), file: "agent.yaml", environment: environment)
  }

  private func problems(_ text: String, _ environment: [String: String] = [:]) -> [String] {
    do throws(ConfigurationError) {
      _ = try read(text, environment)
      return []
    } catch { return error.problems.map(\.description) }
  }

  @Test("an empty file is the usual: all tracers but that of processes, 19 Hz, an export a minute")
  func empty() throws {
    for text in [
      "", "# nothing\n", "{}",
      "tracers:\n  profile:\n  syscalls: true\n  network: {}\n  memory: ~\n",
    ] {
      let configuration = try read(text)
      #expect(configuration == AgentConfiguration(file: "agent.yaml"), "\(text)")
      #expect(configuration.frequency == 19)
      #expect(configuration.interval == 60_000_000_000)
    }
  }

  private static let everything = """
    preset: debug
    interval: 5s
    tracers:
      profile: {frequency: 97, interval: 1m, stacks: user, unwind-memory: 16MiB, threads: true}
      syscalls:
        by: cgroup
        spans: {min-latency: 2.5ms, failed: true}
      network: {spans: false, dns: true, drops: true}
      memory: {allocations: true, sample-bytes: 64KiB}
      processes: {arguments: true, forks: true}
    filter:
      processes: [1, 22]
      children: true
      commands: nginx
      cgroups: [/system.slice, "a: b"]
      containers: [web]
    max-overhead: 1%
    export:
      traces: [otlp, console]
      metrics: prometheus
    otlp:
      endpoint: https://collector:4318
      headers: {authorization: "Bearer a b,c=%", x-tenant: one}
      timeout: 3s
      compression: gzip
      profiles: {endpoint: "http://profiles:4318/v1development/profiles"}
    file: {path: "-", format: protobuf}
    prometheus: {host: 0.0.0.0, port: 9464}
    queue: {size: 8MiB, spool: {path: /var/lib/ebpf, size: 1GiB}}
    resource: {deployment.environment.name: test, team: "a b"}
    health: {host: 127.0.0.1, port: 8080}
    drop-privileges: false
    """

  @Test("every key means what it says")
  func everyKey() throws {
    let configuration = try read(Self.everything)
    #expect(configuration.preset == .debug)
    #expect(configuration.interval == 5_000_000_000)
    var profile = AgentConfiguration.Profile()
    profile.frequency = 97
    profile.interval = 60_000_000_000
    profile.stacks = .user
    profile.unwindBytes = 16 << 20
    profile.separatesThreads = true
    #expect(configuration.profile == profile)
    #expect(configuration.syscalls?.grouping == .cgroup)
    #expect(configuration.syscalls?.spans.minimumNanoseconds == 2_500_000)
    #expect(configuration.syscalls?.spans.failed == true)
    #expect(configuration.network == .init(spans: false, dns: true, drops: true))
    #expect(configuration.memory == .init(sampleBytes: 65536))
    #expect(configuration.processes == .init(arguments: true, forks: true))
    #expect(configuration.filter.processes == [1, 22])
    #expect(configuration.filter.followsChildren)
    #expect(configuration.filter.commands == ["nginx"])
    #expect(configuration.filter.cgroups == ["/system.slice", "a: b"])
    #expect(configuration.filter.containers == ["web"])
    #expect(configuration.maxOverhead == 0.01)
    #expect(configuration.output == .init(path: "-", format: .protobuf))
    #expect(configuration.queueBytes == 8 << 20)
    #expect(configuration.spool == .init(path: "/var/lib/ebpf", bytes: 1 << 30))
    #expect(configuration.resource == ["deployment.environment.name": "test", "team": "a b"])
    #expect(configuration.health == .init(host: "127.0.0.1", port: 8080))
    #expect(!configuration.dropsPrivileges)
  }

  @Test("exporters' keys stand for their variables, and go before the environment")
  func variables() throws {
    let configuration = try read(Self.everything)
    let environment = configuration.environment(over: [
      "OTEL_EXPORTER_OTLP_ENDPOINT": "http://other:1", "OTEL_LOGS_EXPORTER": "none",
    ])
    #expect(
      environment == [
        "OTEL_LOGS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "otlp,console",
        "OTEL_METRICS_EXPORTER": "prometheus",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector:4318",
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20a%20b%2Cc%3D%25,x-tenant=one",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "3000", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_EXPORTER_OTLP_PROFILES_ENDPOINT": "http://profiles:4318/v1development/profiles",
        "OTEL_EXPORTER_PROMETHEUS_HOST": "0.0.0.0", "OTEL_EXPORTER_PROMETHEUS_PORT": "9464",
      ])
    #expect(
      configuration.problem(about: "OTEL_EXPORTER_OTLP_TIMEOUT", "is odd")?.description
        == "agent.yaml:24:3: otlp.timeout: is odd")
    #expect(configuration.problem(about: "OTEL_LOGS_EXPORTER", "") == nil)
  }

  @Test("what is printed is read as the same; headers are not shown")
  func printed() throws {
    let configuration = try read(Self.everything)
    var expected = configuration
    var again = try read(configuration.yaml)
    #expect(!configuration.yaml.contains("Bearer"))
    #expect(
      again.variables.removeValue(forKey: "OTEL_EXPORTER_OTLP_HEADERS")?.value
        == "authorization=%2A%2A%2A,x-tenant=%2A%2A%2A")
    expected.variables["OTEL_EXPORTER_OTLP_HEADERS"] = nil
    #expect(again.variables.mapValues(\.value) == expected.variables.mapValues(\.value))
    again.variables = expected.variables
    #expect(again == expected)
    // Twice, because what was left to a default is written out the first time.
    let usual = try read(read("").yaml)
    #expect(usual.yaml == (try read("")).yaml)
    let odd = try read(
      "resource: {a: '-', b: 'x$y', c: \"\\x07\\\"\\\\\", d: 'null', e: '${A'}".replacing(
        "${A", with: "$${A}"))
    #expect(try read(odd.yaml).resource == odd.resource)
    #expect(odd.resource["e"] == "${A}")
  }

  @Test("variables stand in values")
  func references() throws {
    let environment = ["TOKEN": "a: b", "HZ": "49", "EMPTY": ""]
    let configuration = try read(
      """
      tracers: {profile: {frequency: "${HZ}"}}
      max-overhead: ${LIMIT:-2%}
      health: {host: "${EMPTY}", port: 1}
      resource: {t: "x${env:TOKEN}y", none: "${NONE}", dollar: $$1, other: a$b}
      """, environment)
    #expect(configuration.frequency == 49)
    #expect(configuration.maxOverhead == 0.02)
    #expect(configuration.health?.host == "localhost")
    #expect(
      configuration.resource == ["t": "xa: by", "none": "", "dollar": "$1", "other": "a$b"])
    #expect(
      problems("resource: {a: '${', b: '${1A}', c: '${A:B}'}")
        == [
          "agent.yaml:1:15: resource.a: '${' without '}'",
          "agent.yaml:1:24: resource.b: '1A' is not the name of a variable",
          "agent.yaml:1:36: resource.c: '${A:B}' is not a reference to a variable: ${NAME:-default}",
        ])
  }

  @Test("everything that is wrong is told at once, with line, column and key")
  func wrong() {
    let text = """
      preset: fast
      intervall: 60s
      interval: 10ms
      tracers:
        profile: {frequency: fast, stack: user}
        syscalls: [1]
        memory: {sample-bytes: 1KiB}
        processes: {argument: true, forks: 1}
      filter: {processes: [0, 5, x]}
      max-overhead: 1
      queue: {size: 1B, spool: {}}
      health: {port: 70000}
      file: {format: xml}
      """
    #expect(
      problems(text) == [
        "agent.yaml:1:9: preset: takes one of production, staging, development, debug, not 'fast'",
        "agent.yaml:2:1: intervall: there is no such key (did you mean 'interval'?)",
        "agent.yaml:3:11: interval: takes a duration such as 500ms, 10s or 5m, at least 1s, not '10ms'",
        "agent.yaml:5:24: tracers.profile.frequency: takes a whole number from 1 to 1000, not 'fast'",
        "agent.yaml:5:30: tracers.profile.stack: there is no such key (did you mean 'stacks'?)",
        "agent.yaml:6:13: tracers.syscalls: takes keys with values",
        "agent.yaml:7:26: tracers.memory.sample-bytes: says nothing without 'allocations: true'",
        "agent.yaml:8:15: tracers.processes.argument: there is no such key (did you mean 'arguments'?)",
        "agent.yaml:8:38: tracers.processes.forks: takes true or false, not '1'",
        "agent.yaml:9:21: filter.processes: takes process ids, not '0'",
        "agent.yaml:9:21: filter.processes: takes process ids, not 'x'",
        "agent.yaml:10:15: max-overhead: takes a share of one CPU such as 1%, not '1'",
        "agent.yaml:11:15: queue.size: takes a size such as 512KiB or 16MiB, at least 64KiB, not '1B'",
        "agent.yaml:11:26: queue.spool: needs a path, the folder to keep it in",
        "agent.yaml:12:16: health.port: takes a whole number from 0 to 65535, not '70000'",
        "agent.yaml:13:7: file: needs a path; - is standard output",
      ])
  }

  @Test("text that is not one plain YAML document is refused")
  func notYAML() {
    #expect(problems("a: [") == ["agent.yaml:2:1: did not find expected node content"])
    #expect(problems("a: b\na: c") == ["agent.yaml:2:1: the key 'a' is already given in line 1"])
    #expect(
      problems("a: &x 1\nb: *x") == ["agent.yaml:2:4: aliases (*name) are not used in this file"])
    #expect(problems("{}\n---\n{}") == ["agent.yaml:3:1: a second document begins here"])
    #expect(problems("[a]: b") == ["agent.yaml:1:1: a key must be a word"])
    #expect(problems("- a") == ["agent.yaml:1:1: takes keys with values"])
    #expect(problems("\u{0}").count == 1)
    #expect(
      problems(String(repeating: "[", count: 100)) == ["agent.yaml:1:33: nested more than 32 deep"])
    #expect(
      problems("[" + String(repeating: "1,", count: 20_001) + "]").first?.hasSuffix(
        "more than 20000 values")
        == true)
    #expect(
      problems("#" + String(repeating: " ", count: 256 << 10)) == [
        "agent.yaml:1:1: the text has more than 262144 bytes"
      ])
  }

  @Test("damaged text never traps")
  func damaged() {
    var random = SeededRandom(seed: 1)
    let original = Array(Self.everything.utf8)
    for _ in 0..<5000 {
      var text = original
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        text[Int.random(in: text.indices, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      text.removeLast(Int.random(in: 0..<text.count, using: &random))
      do throws(ConfigurationError) {
        _ = try AgentConfiguration(yaml: text, file: "x", environment: [:])
      } catch { #expect(!error.problems.isEmpty) }
    }
  }
}
