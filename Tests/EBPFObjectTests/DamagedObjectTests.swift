import EBPFObject
import Glibc
import TestSupport
import Testing

/// Capability 5: cut and changed objects: an answer every time, and soon.
@Suite struct DamagedObjectTests {
  /// A generator with a known start, so that a failure can be repeated.
  struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var value = state
      value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
      value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
      return value ^ value >> 31
    }
  }

  /// Debug builds are ten times slower; the fuzzer does the large numbers.
  #if DEBUG
    static let mutations = 6_000
  #else
    static let mutations = 100_000
  #endif

  /// This thread's processor time: what others do on the machine does not count.
  static func time() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Everything `validate` does; true when the object is valid.
  @discardableResult
  static func examine(_ bytes: [UInt8], targets: [BTF] = []) throws -> Bool {
    let report = ObjectReport(Bytes(bytes), name: "damaged", targets: targets)
    for finding in report.findings { #expect(!finding.error.message.isEmpty) }
    guard let object = report.object else {
      #expect(!report.isValid)
      return false
    }
    for program in object.programs {
      // A listing or the kernel's BTF may fail; only a trap or a hang would be wrong.
      _ = ProgramListing(program, btf: object.btf)
    }
    _ = Result { try object.kernelBTF() }
    for map in object.maps { _ = map.normalized(cpuCount: 2) }
    return report.isValid
  }

  @Test(arguments: ["globals.bpf.o", "legacy_maps.bpf.o", "core_types.bpf.o"])
  func `Capability 5: a file cut anywhere is refused`(name: String) throws {
    let bytes = try contents(ofFile: Fixtures.path(name))
    for length in 0..<bytes.count {
      let isValid = try Self.examine(Array(bytes.prefix(length)))
      #expect(!isValid, "\(length) bytes")
    }
  }

  @Test func `Capability 5: changed bytes are answered, and none hangs`() throws {
    var generator = Generator(state: 42)
    var fixtures: [(name: String, bytes: [UInt8])] = []
    for name in Fixtures.names(endingWith: ".bpf.o") {
      let bytes = try contents(ofFile: Fixtures.path(name))
      if bytes.count < 16_000 { fixtures.append((name, bytes)) }
    }
    #expect(fixtures.count > 30)
    let target = try #require(
      try ObjectFile(parsing: Fixtures.bytes("core_20_types.bpf.o")).btf)
    var slowest = (seconds: 0.0, what: "")
    for number in 0..<Self.mutations {
      var (name, bytes) = fixtures[number % fixtures.count]
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 2:
          for offset in place..<min(bytes.count, place + 4) { bytes[offset] = 0xff }
        default:
          let from = Int.random(in: 0..<bytes.count, using: &generator)
          let count = min(16, bytes.count - max(place, from))
          for offset in 0..<count { bytes[place + offset] = bytes[from + offset] }
        }
      }
      let start = Self.time()
      try Self.examine(bytes, targets: number % 4 == 0 ? [target] : [])
      let seconds = Self.time() - start
      if seconds > slowest.seconds { slowest = (seconds, "mutation \(number) of \(name)") }
    }
    // A bound against hangs; how fast it is, the benchmark says.
    #expect(slowest.seconds < 1, "\(slowest)")
  }
}
