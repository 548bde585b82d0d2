import EBPF
import EBPFSystem

/// Reading a ring buffer: a program fills it, then it is emptied, in turn.
enum RingBenchmark {
  private struct Sums {
    var records = 0
    var numbers: UInt64 = 0
    /// CPU time of reading alone.
    var reading: UInt64 = 0
  }

  static func read(_ path: String, rounds text: String) throws -> [Figure] {
    guard let rounds = Int(text), rounds > 0 else { throw BenchmarkFailure("rounds: \(text)") }
    let object = try LoadedObject(ObjectFile(parsing: Bytes(try SystemFile.read(path))))
    let ring = try object.map("events")
    let begin = Clock.processCPU.now
    // One descriptor for all rounds, as the peer has it.
    let sums = try object.program("send_batch").withDescriptor { program throws(EBPFError) in
      try read(ring, filledBy: program, rounds: rounds)
    }
    let total = Clock.processCPU.now - begin
    guard sums.records > 0, total > 0 else { throw BenchmarkFailure("no records") }
    return [
      Figure("records", sums.records), Figure("numbers", sums.numbers),
      Figure("picoseconds_per_record", sums.reading * 1000 / UInt64(sums.records)),
      Figure("records_per_second", UInt64(sums.records) * 1_000_000_000 / total),
    ]
  }

  private static func read(
    _ map: RawMap, filledBy program: Int32, rounds: Int
  ) throws(EBPFError) -> Sums {
    var ring = try RingBuffer(map)
    var sums = Sums()
    for _ in 0..<rounds {
      var run = TestRun()
      do throws(Errno) { try LiveKernel().run(program: program, &run) } catch {
        throw EBPFError(.system, "BPF_PROG_TEST_RUN: \(error)")
      }
      let start = Clock.processCPU.now
      ring.drain(&sums) { (sums, record) in
        guard let number = BitwiseBytes.load(UInt64.self, from: record) else { return }
        sums.records += 1
        sums.numbers &+= number
      }
      sums.reading += Clock.processCPU.now - start
    }
    return sums
  }
}
