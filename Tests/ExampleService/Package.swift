// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "example-service",
  dependencies: [
    // In a package of your own: .package(url: "https://github.com/…/swift-ebpf", from: "0.1.0")
    .package(name: "swift-ebpf", path: "../.."),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    .executableTarget(
      name: "example-service",
      dependencies: [
        .product(name: "EBPFTracers", package: "swift-ebpf"),
        .product(name: "EBPFTelemetry", package: "swift-ebpf"),
        .product(name: "OpenTelemetryContext", package: "swift-ebpf"),
        .product(name: "OTLP", package: "swift-ebpf"),
        .product(name: "OTLPExporter", package: "swift-ebpf"),
        .product(name: "ProfileFormats", package: "swift-ebpf"),
        .product(name: "TracingContext", package: "swift-ebpf"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
      ],
      path: "Sources")
  ],
  swiftLanguageModes: [.v6]
)
