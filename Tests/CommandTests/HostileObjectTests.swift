import TestSupport
import Testing

/// Damaged objects, and how much of the machine they may take.
@Suite struct HostileObjectTests {
  /// What the process has before it opens a file: the loader's data, the stack, the heap's first pages.
  private static let ownKilobytes = 8192

  private static let fixtures = [
    "core_missing.bpf.o", "globals.bpf.o", "many_programs.bpf.o", "ringbuf_events.bpf.o",
    "map_in_map.bpf.o",
  ]

  /// Replaces, cuts off or doubles a few bytes; headers and tables are hit as often as code.
  private static func damaged(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...8, using: &random) {
      // The ends have what describes the rest.
      let edge = Bool.random(using: &random) ? min(4096, bytes.count) : bytes.count
      let place = Int.random(in: 0..<edge, using: &random)
      let position = Bool.random(using: &random) ? place : bytes.count - 1 - place
      for index in position..<min(bytes.count, position + Int.random(in: 1...8, using: &random)) {
        bytes[index] =
          Bool.random(using: &random) ? 0xff : UInt8.random(in: .min ... .max, using: &random)
      }
    }
    if Int.random(in: 0..<8, using: &random) == 0 {
      bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
    }
    return bytes
  }

  /// The kernel counts: RLIMIT_DATA is all private memory that can be written (Linux 4.7).
  @Test(arguments: fixtures)
  func `a damaged object is answered within sixteen times its size of memory`(
    fixture: String
  ) throws {
    let original = try contents(ofFile: Fixtures.path(fixture))
    let folder = try TemporaryDirectory()
    var random = SeededRandom(seed: 16)
    var answers: [Int32: Int] = [:]
    for round in 0..<60 {
      let bytes = round == 0 ? original : Self.damaged(original, &random)
      let file = try folder.write(bytes, to: "\(round).bpf.o")
      let limit = Self.ownKilobytes + bytes.count * 16 / 1024
      let command = try EBPF.run(
        ["validate", file], by: ["sh", "-c", "ulimit -d \(limit) && exec \"$@\"", "sh"])
      #expect((0...2).contains(command.status), "\(fixture), round \(round): \(command.error)")
      answers[command.status, default: 0] += 1
    }
    // Otherwise nothing was damaged.
    #expect(answers[0, default: 0] < 60, "\(answers)")
    #expect(answers[0, default: 0] > 0, "\(answers)")
  }

  @Test func `the limit would show`() throws {
    let command = try EBPF.run(
      ["validate", Fixtures.path("many_programs.bpf.o")],
      by: ["sh", "-c", "ulimit -d 4096 && exec \"$@\"", "sh"])
    #expect(!(0...2).contains(command.status))
  }
}
