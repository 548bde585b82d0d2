import EBPF
import EBPFSystem

/// Opening a kernel's types, and finding them by name.
enum BTFBenchmark {
  /// Opens a blob in place and finds a first struct, which builds the index of names.
  static func open(_ path: String, structure: String) throws -> [Figure] {
    let before = try PrivateMemory.dirtyKilobytes()
    let start = Clock.processCPU.now
    let types = try BTF(parsing: MappedFile.open(path))
    let id = try types.firstID(named: structure, kind: .structure)
    let end = Clock.processCPU.now
    let after = try PrivateMemory.dirtyKilobytes()
    guard let id else { throw BenchmarkFailure("\(path) has no struct \(structure)") }
    return [
      Figure("id", id), Figure("types", types.typeCount), Figure("open_ns", end - start),
      Figure("dirty_kb", after - before),
    ]
  }

  /// Looks up each line `KIND NAME` of a file, a few rounds, with the index already built.
  static func lookUp(_ path: String, names: String) throws -> [Figure] {
    let text = String(decoding: try SystemFile.read(names), as: UTF8.self)
    let wanted: [(kind: BTFKind, name: String)] = try text.split(separator: "\n").map { line in
      let words = line.split(separator: " ")
      guard words.count == 2, let kind = UInt8(words[0]) else {
        throw BenchmarkFailure("not KIND NAME: \(line)")
      }
      return (BTFKind(rawValue: kind), String(words[1]))
    }
    let types = try BTF(parsing: MappedFile.open(path))
    for kind in [BTFKind.structure, .function] { _ = try types.firstID(named: "none", kind: kind) }
    let rounds = 3
    var sum = 0
    let start = Clock.processCPU.now
    for _ in 0..<rounds {
      for (kind, name) in wanted {
        guard let id = try types.firstID(named: name, kind: kind) else {
          throw BenchmarkFailure("\(path) has no \(kind) \(name)")
        }
        sum += Int(id)
      }
    }
    let spent = Clock.processCPU.now - start
    return [
      Figure("lookup_ns", spent / UInt64(rounds * wanted.count)), Figure("id_sum", sum / rounds),
    ]
  }
}
