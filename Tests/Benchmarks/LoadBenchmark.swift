import EBPF
import EBPFSystem

/// From an object's bytes to verified programs.
enum LoadBenchmark {
  static func load(_ path: String) throws -> [Figure] {
    let bytes = Bytes(try SystemFile.read(path))
    let start = Clock.processCPU.now
    let object = try LoadedObject(ObjectFile(parsing: bytes))
    let end = Clock.processCPU.now
    let failures = object.unload()
    guard failures.isEmpty else { throw BenchmarkFailure("\(failures)") }
    return [Figure("load_ns", end - start)]
  }
}
