import ArgumentParser

@main
struct EBPFCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ebpf", abstract: "See what a Linux machine is doing, through eBPF.",
    version: "0.1.0")
}
