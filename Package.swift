// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
]
let lifetimes: [SwiftSetting] = strict + [.enableExperimentalFeature("Lifetimes")]
// For what reads large files: optimized also in the debug build of scripts/build-static.sh --quick.
let hot: [SwiftSetting] =
  Context.environment["EBPF_QUICK_BUILD"] == nil
  ? [] : [.unsafeFlags(["-O", "-whole-module-optimization", "-num-threads", "2"])]
let tests: [SwiftSetting] = [
  .treatAllWarnings(as: .error), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
]
// Generated messages keep what is large in storage that is nonisolated(unsafe).
let generated: [SwiftSetting] = tests + [.enableUpcomingFeature("InternalImportsByDefault")]
/// A dependency of the exporter alone.
func exporting(_ product: String, _ package: String) -> Target.Dependency {
  .product(name: product, package: package, condition: .when(traits: ["OTLPExporter"]))
}
let tracing = Target.Dependency.product(
  name: "Tracing", package: "swift-distributed-tracing",
  condition: .when(traits: ["TracingContext"]))
func metrics(_ product: String) -> Target.Dependency {
  .product(name: product, package: "swift-metrics", condition: .when(traits: ["TracerMetrics"]))
}
let strictC: [CSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
  name: "swift-ebpf",
  products: [
    .library(name: "EBPF", targets: ["EBPF"]),
    .library(name: "EBPFTracers", targets: ["EBPFTracers"]),
    .library(name: "ProfileFormats", targets: ["ProfileFormats"]),
    .library(name: "OTLP", targets: ["OTLP"]),
    .library(name: "EBPFTelemetry", targets: ["EBPFTelemetry"]),
    .library(name: "OTLPExporter", targets: ["OTLPExporter"]),
    .library(name: "OpenTelemetryContext", targets: ["OpenTelemetryContext"]),
    .library(name: "TracerMetrics", targets: ["TracerMetrics"]),
    .library(name: "TracingContext", targets: ["TracingContext"]),
    .executable(name: "ebpf", targets: ["ebpf"]),
  ],
  traits: [
    .trait(
      name: "OTLPExporter",
      description: "Sends telemetry over HTTP: brings async-http-client and what it needs. In the "
        + "command, `ebpf agent` and --otlp."),
    .trait(
      name: "TracerMetrics",
      description: "Reports what tracers record and cost to swift-metrics, which it brings."),
    .trait(
      name: "TracingContext",
      description: "Publishes the spans of swift-distributed-tracing, which it brings."),
    .default(enabledTraits: ["OTLPExporter", "TracerMetrics", "TracingContext"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
    // Only with the trait OTLPExporter: without it they are neither fetched nor built.
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.30.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    // Only with the trait TracerMetrics.
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    // Only with the trait TracingContext, or by way of the exporter's.
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.0"),
  ],
  targets: [
    // The kernel's door: system calls, and nothing else.
    .target(name: "CEBPF", cSettings: strictC),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CLzma", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),

    // The core: no dependency outside this package.
    .target(name: "EBPFObject", swiftSettings: lifetimes + hot),
    .target(
      name: "EBPFSystem", dependencies: ["CEBPF", "CLzma", "CZlib", "EBPFObject"],
      swiftSettings: lifetimes),
    .target(name: "EBPF", dependencies: ["EBPFObject", "EBPFSystem"], swiftSettings: strict),

    // For services: what they publish of themselves. Nothing of the rest is in it.
    .target(name: "COpenTelemetryContext", cSettings: strictC),
    .target(
      name: "OpenTelemetryContext", dependencies: ["COpenTelemetryContext"], swiftSettings: strict),
    // Empty without the trait.
    .target(
      name: "TracingContext", dependencies: ["OpenTelemetryContext", tracing],
      swiftSettings: strict),

    // What stands on it.
    .target(name: "Profiles", swiftSettings: strict),
    .target(
      name: "PublishedContexts", dependencies: ["EBPFObject", "EBPFSystem", "Profiles"],
      swiftSettings: strict),
    .target(name: "CDemangle", cSettings: strictC),
    .target(
      name: "Symbolization", dependencies: ["CDemangle", "EBPFObject", "EBPFSystem"],
      swiftSettings: strict + hot),
    .target(name: "Unwinding", dependencies: ["EBPFObject"], swiftSettings: lifetimes + hot),
    .target(
      name: "CBPFObjects", path: "bpf-objects", exclude: ["bpf", "build"],
      publicHeadersPath: "include", cSettings: strictC),
    .target(
      name: "EBPFTracers",
      dependencies: [
        "EBPF", "CBPFObjects", "Profiles", "PublishedContexts", "Symbolization", "Unwinding",
      ],
      swiftSettings: strict),
    // Empty without the trait.
    .target(
      name: "TracerMetrics", dependencies: ["EBPF", "EBPFTracers", metrics("Metrics")],
      swiftSettings: strict),
    .target(name: "Compression", dependencies: ["CZlib"], swiftSettings: strict),
    .target(
      name: "ProfileFormats",
      dependencies: [
        "Profiles", "Compression", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ], swiftSettings: strict),
    .target(
      name: "OTLPExporter",
      dependencies: [
        "Compression", "EBPFSystem", "OTLP",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        exporting("AsyncHTTPClient", "async-http-client"), exporting("Logging", "swift-log"),
        exporting("NIOCore", "swift-nio"), exporting("NIOHTTP1", "swift-nio"),
        exporting("NIOPosix", "swift-nio"), exporting("NIOSSL", "swift-nio-ssl"),
        exporting("ServiceLifecycle", "swift-service-lifecycle"),
      ], swiftSettings: strict),
    // OpenTelemetry's messages: no BPF in it, and no network.
    .target(
      name: "OTLPMessages",
      dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
      swiftSettings: generated),
    .target(
      name: "OTLP",
      dependencies: [
        "OTLPMessages", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ], swiftSettings: strict),
    .target(
      name: "EBPFTelemetry",
      dependencies: ["EBPF", "EBPFSystem", "EBPFTracers", "Profiles", "OTLP"],
      swiftSettings: strict),
    // What an agent is told; YAML is libyaml's.
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .target(
      name: "AgentConfiguration", dependencies: ["CYAML", "EBPFObject", "EBPFTracers"],
      swiftSettings: strict),
    // Tracers that run for ever; empty without the trait.
    .target(
      name: "Agent",
      dependencies: [
        "AgentConfiguration", "EBPF", "EBPFSystem", "EBPFTelemetry", "EBPFTracers", "OTLP",
        "OTLPExporter", exporting("Logging", "swift-log"),
        exporting("ServiceLifecycle", "swift-service-lifecycle"),
        exporting("UnixSignals", "swift-service-lifecycle"),
      ], swiftSettings: strict),
    .target(name: "TerminalView", swiftSettings: strict),
    .target(name: "ControlProtocol", swiftSettings: strict),
    .executableTarget(
      name: "ebpf",
      dependencies: [
        "EBPF", "EBPFTracers", "ProfileFormats", "TerminalView", "ControlProtocol",
        .target(name: "EBPFTelemetry", condition: .when(traits: ["OTLPExporter"])),
        .target(name: "OTLP", condition: .when(traits: ["OTLPExporter"])),
        .target(name: "Agent", condition: .when(traits: ["OTLPExporter"])),
        .target(name: "AgentConfiguration", condition: .when(traits: ["OTLPExporter"])),
        exporting("Logging", "swift-log"), exporting("ServiceLifecycle", "swift-service-lifecycle"),
        exporting("UnixSignals", "swift-service-lifecycle"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),

    // Tests. `CLibelf` is only an oracle: our parser against libelf on the same files.
    .systemLibrary(
      name: "CLibelf", path: "Tests/CLibelf", pkgConfig: "libelf",
      providers: [.apt(["libelf-dev"])]),
    .target(
      name: "TestSupport", dependencies: ["EBPFObject", "EBPFSystem"], path: "Tests/TestSupport",
      swiftSettings: tests),
    .testTarget(
      name: "EBPFObjectTests",
      dependencies: ["EBPFObject", "EBPFSystem", "TestSupport", "CLibelf"],
      swiftSettings: tests),
    // The README's example: built and run by the tests.
    .executableTarget(
      name: "system-calls", dependencies: ["EBPF"], path: "Tests/Example", swiftSettings: tests),
    .testTarget(
      name: "EBPFTests", dependencies: ["EBPF", "TestSupport"], swiftSettings: tests),
    .testTarget(
      name: "SymbolizationTests", dependencies: ["Symbolization", "TestSupport"],
      swiftSettings: tests),
    .testTarget(
      name: "UnwindingTests", dependencies: ["Unwinding", "TestSupport"], swiftSettings: tests),
    .testTarget(
      name: "ProfileFormatsTests", dependencies: ["ProfileFormats", "Compression", "TestSupport"],
      swiftSettings: tests),
    .testTarget(
      name: "OTLPTests", dependencies: ["OTLP", "TestSupport"], swiftSettings: tests),
    .testTarget(
      name: "EBPFTelemetryTests",
      dependencies: ["EBPFTelemetry", "ProfileFormats", "TestSupport"], swiftSettings: tests),
    .testTarget(
      name: "TerminalViewTests", dependencies: ["TerminalView", "TestSupport"],
      swiftSettings: tests),
    .testTarget(
      name: "AgentConfigurationTests", dependencies: ["AgentConfiguration", "TestSupport"],
      swiftSettings: tests),
    .testTarget(
      name: "ControlProtocolTests", dependencies: ["ControlProtocol"], swiftSettings: tests),
    // A service of known work that publishes its context.
    .executableTarget(
      name: "context-publisher", dependencies: ["OpenTelemetryContext"],
      path: "Tests/ContextPublisher", swiftSettings: tests),
    .testTarget(
      name: "ContextTests",
      dependencies: [
        "EBPFObject", "EBPFSystem", "OpenTelemetryContext", "Profiles", "PublishedContexts",
        "TestSupport",
      ],
      swiftSettings: tests),
    .testTarget(
      name: "TracingContextTests",
      dependencies: ["OpenTelemetryContext", "TracingContext", tracing],
      swiftSettings: tests),
    .testTarget(
      name: "TracerMetricsTests",
      dependencies: [
        "EBPF", "EBPFTracers", "TracerMetrics", metrics("Metrics"), metrics("MetricsTestKit"),
      ], swiftSettings: tests),
    // A process the exporter's tests can kill.
    .executableTarget(
      name: "telemetry-sender",
      dependencies: ["OTLP", "OTLPExporter", exporting("Logging", "swift-log")],
      path: "Tests/TelemetrySender", swiftSettings: tests),
    .testTarget(
      name: "OTLPExporterTests",
      dependencies: [
        "OTLPExporter", "Compression", "EBPFSystem", "OTLP", "TestSupport",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        exporting("Logging", "swift-log"), exporting("ServiceLifecycle", "swift-service-lifecycle"),
      ], swiftSettings: tests),
    .testTarget(
      name: "EBPFTracersTests", dependencies: ["EBPFTracers", "TestSupport"],
      swiftSettings: tests),
    .testTarget(
      name: "EBPFLiveKernelTests",
      dependencies: [
        "EBPF", "EBPFTelemetry", "EBPFTracers", "OTLP", "ProfileFormats", "PublishedContexts",
        "TestSupport", "TracerMetrics", "context-publisher", metrics("MetricsTestKit"),
      ],
      swiftSettings: tests),
    .testTarget(
      name: "CommandTests", dependencies: ["TestSupport", "context-publisher"],
      swiftSettings: tests),

    // What scripts/test-vm.sh runs, linked statically, on other kernels.
    .executableTarget(
      name: "ebpf-vm-tests", dependencies: ["EBPF", "EBPFSystem", "EBPFTracers", "TestSupport"],
      path: "Tests/VM", exclude: ["with_capabilities.c"], swiftSettings: tests),

    // What scripts/benchmark.sh measures; its peers are C programs over libbpf.
    .executableTarget(
      name: "ebpf-benchmarks", dependencies: ["EBPF", "EBPFSystem"], path: "Tests/Benchmarks",
      exclude: ["peers"], swiftSettings: tests),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu2x
)
