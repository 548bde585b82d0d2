import EBPFSystem
import Glibc
import TestSupport
import Testing

@Suite struct FilePagesTests {
  /// The resident kilobytes of the mapping that begins at an address, as the kernel counts them.
  private static func residentKilobytes(at address: UnsafeMutableRawPointer) throws -> Int {
    let start = String(UInt(bitPattern: address), radix: 16)
    let lines = try SystemFile.lines("/proc/self/smaps")
    let mapping = try #require(lines.firstIndex { $0.hasPrefix(start + "-") })
    let line = try #require(lines[mapping...].first { $0.hasPrefix("Rss:") })
    return try #require(Int(line.filter(\.isNumber)))
  }

  @Test func `pages of a file leave and come back, those that were written stay`() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryDirectory()
      let size = 3 << 20
      let path = try folder.write([UInt8](repeating: 1, count: size), to: "ones")
      let file = open(path, O_RDONLY)
      // Two mappings of it: one that others may not write either, and one that may be written.
      let constant = try #require(mmap(nil, size, PROT_READ, MAP_PRIVATE, file, 0))
      let variable = try #require(mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0))
      for mapping in [constant, variable] {
        try #require(mapping != MAP_FAILED)
        // As a breakpoint, or the dynamic loader, writes what is constant.
        mprotect(mapping, size, PROT_READ | PROT_WRITE)
        mapping.storeBytes(of: 2, toByteOffset: 2 << 20, as: UInt8.self)
      }
      mprotect(constant, size, PROT_READ)
      func sum(_ mapping: UnsafeMutableRawPointer) -> Int {
        UnsafeRawBufferPointer(start: mapping, count: size).reduce(0) { $0 + Int($1) }
      }
      for mapping in [constant, variable] { #expect(sum(mapping) == size + 1) }
      #expect(try FilePagesTests.residentKilobytes(at: constant) == 3 << 10)

      try FilePages.release()
      #expect(try FilePagesTests.residentKilobytes(at: constant) == 4)
      #expect(try FilePagesTests.residentKilobytes(at: variable) == 3 << 10)
      for mapping in [constant, variable] { #expect(sum(mapping) == size + 1) }
      #expect(try FilePagesTests.residentKilobytes(at: constant) == 3 << 10)
    }
  }

  @Test func `a program goes on that has given all its code back, in every thread`() async {
    await #expect(processExitsWith: .success) {
      func resident() throws -> Int {
        let line = try SystemFile.lines("/proc/self/status").first { $0.hasPrefix("RssFile:") }
        return try #require(line.flatMap { Int($0.filter(\.isNumber)) })
      }
      let before = try resident()
      try FilePages.release()
      #expect(try resident() < before)
      await withTaskGroup(of: Int.self) { group in
        for number in 0..<8 {
          group.addTask {
            var total = 0
            for _ in 0..<20 {
              do { try FilePages.release() } catch { return -1 }
              total += [Int](repeating: number, count: 10).sorted().reduce(0, +)
              await Task.yield()
            }
            return total
          }
        }
        var sum = 0
        for await total in group { sum += total }
        #expect(sum == 28 * 10 * 20)
      }
    }
  }

  @Test(
    arguments: [
      ([], []), ([0, 0], [0..<2]), ([5, 5, 5], [0..<3]), ([4], []), ([2], []), ([3], []),
      ([5, 0, 4, 5, 2, 0], [0..<2, 3..<4, 5..<6]), ([4, 5], [1..<2]),
    ] as [([UInt64], [Range<Int>])])
  func `only pages of the file are in a run: present, swapped and of a file are bits 63, 62, 61`(
    bits: [UInt64], runs: [Range<Int>]
  ) {
    #expect(FilePages.unwrittenRuns(of: bits.map { $0 << 61 | 1 }[...]) == runs)
  }
}
