import EBPFObject
import EBPFSystem
import Glibc
import TestSupport
import Testing

@Suite struct MappedFileTests {
  /// Three MiB of ones.
  private static func ones(_ folder: TemporaryDirectory, _ name: String = "ones") throws -> String {
    try folder.write([UInt8](repeating: 1, count: 3 << 20), to: name)
  }

  private static func sum(_ bytes: Bytes) -> Int { bytes.array.reduce(0) { $0 + Int($1) } }

  @Test func `a file cut short while mapped reads as zeros from there on and says so`() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryDirectory()
      let path = try MappedFileTests.ones(folder)
      let bytes = try MappedFile.open(path)
      let head = try bytes.slice(at: 0, count: 4096)
      #expect(MappedFileTests.sum(bytes) == 3 << 20)
      #expect(!bytes.wasCutShort)
      #expect(truncate(path, 1 << 20) == 0)
      #expect(!bytes.wasCutShort)
      #expect(MappedFileTests.sum(bytes) == 1 << 20)
      #expect(bytes.wasCutShort)
      // A part knows it too, and giving pages back does not bring the danger back.
      #expect(head.wasCutShort)
      bytes.releasePages()
      #expect(MappedFileTests.sum(bytes) == 1 << 20)
    }
  }

  @Test func `any number of mappings is watched, and only the cut one is damaged`() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryDirectory()
      let whole = try MappedFileTests.ones(folder, "whole")
      let cut = try MappedFileTests.ones(folder, "cut")
      var mapped = try (0..<1200).map { _ in try MappedFile.open(whole) }
      let victim = try MappedFile.open(cut)
      // Freed places are taken again.
      mapped.removeSubrange(..<600)
      mapped += try (0..<600).map { _ in try MappedFile.open(whole) }
      #expect(truncate(cut, 0) == 0)
      #expect(MappedFileTests.sum(victim) == 0)
      #expect(victim.wasCutShort)
      #expect(!mapped.contains { $0.wasCutShort })
      #expect(MappedFileTests.sum(mapped[1199]) == 3 << 20)
    }
  }

  @Test func `a bus error of someone else's still ends the process`() async {
    await #expect(processExitsWith: .signal(SIGBUS)) {
      let folder = try TemporaryDirectory()
      let bytes = try MappedFile.open(try MappedFileTests.ones(folder))
      #expect(!bytes.wasCutShort)
      raise(SIGBUS)
    }
    await #expect(processExitsWith: .signal(SIGBUS)) {
      let folder = try TemporaryDirectory()
      let path = try MappedFileTests.ones(folder)
      let bytes = try MappedFile.open(path)
      #expect(!bytes.wasCutShort)
      let file = open(path, O_RDONLY)
      let other = try #require(mmap(nil, 3 << 20, PROT_READ, MAP_SHARED, file, 0))
      #expect(truncate(path, 0) == 0)
      #expect(other.load(as: UInt8.self) == 1)
    }
  }

  @Test func `a handler that was there before gets what is not ours`() async {
    await #expect(processExitsWith: .exitCode(42)) {
      signal(SIGBUS) { _ in _exit(42) }
      let folder = try TemporaryDirectory()
      let bytes = try MappedFile.open(try MappedFileTests.ones(folder))
      #expect(!bytes.wasCutShort)
      raise(SIGBUS)
    }
  }

  @Test func `released pages leave memory and come back with the same content`() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryDirectory()
      let content = [UInt8](repeating: 7, count: 32 << 20)
      let bytes = try MappedFile.open(try folder.write(content, to: "large"))
      func sum() throws -> Int {
        var sum = 0
        for index in stride(from: 0, to: bytes.count, by: 4096) {
          sum += Int(try bytes.load(at: index, as: UInt8.self))
        }
        return sum
      }
      let first = try sum()
      let before = try #require(ProcessUsage.now().residentBytes)
      bytes.releasePages()
      let after = try #require(ProcessUsage.now().residentBytes)
      #expect(before >= after + (30 << 20), "\(before) to \(after) bytes")
      #expect(try sum() == first)
      #expect(!bytes.isInMemory)
    }
  }
}
