import ArgumentParser

@main
struct EBPFCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ebpf", abstract: "eBPF on one machine", version: "0.1.0")
}
