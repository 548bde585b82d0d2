import EBPFSystem
import Glibc

/// One measurement a run: prints a line `key value` for each figure, for `scripts/benchmark.sh`.
///
/// The programs in `peers` measure the same work done with libbpf, and print the same keys.
@main
struct Benchmarks {
  static let usage = """
    usage: ebpf-benchmarks btf-open BTF NAME
           ebpf-benchmarks btf-lookup BTF NAMES
           ebpf-benchmarks load OBJECT
           ebpf-benchmarks ring OBJECT ROUNDS

    """

  static func main() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    do {
      guard let figures = try measure(arguments) else {
        try StandardStream.error.write(usage)
        exit(64)
      }
      for figure in figures { print(figure.key, figure.value) }
    } catch {
      try StandardStream.error.write("ebpf-benchmarks: \(error)\n")
      exit(1)
    }
  }

  private static func measure(_ arguments: [String]) throws -> [Figure]? {
    switch (arguments.first, arguments.count) {
    case ("btf-open", 3): try BTFBenchmark.open(arguments[1], structure: arguments[2])
    case ("btf-lookup", 3): try BTFBenchmark.lookUp(arguments[1], names: arguments[2])
    case ("load", 2): try LoadBenchmark.load(arguments[1])
    case ("ring", 3): try RingBenchmark.read(arguments[1], rounds: arguments[2])
    default: nil
    }
  }
}

/// A measured number and its name.
struct Figure {
  var key: String
  var value: Int

  init(_ key: String, _ value: some BinaryInteger) {
    self.key = key
    self.value = Int(clamping: value)
  }
}

/// Why a measurement could not be made.
struct BenchmarkFailure: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) { self.description = description }
}
