import EBPFSystem

/// Memory that this process has written and shares with no other.
enum PrivateMemory {
  /// `Private_Dirty` of `/proc/self/smaps_rollup`, in KiB.
  static func dirtyKilobytes() throws -> Int {
    let text = String(
      decoding: try SystemFile.read("/proc/self/smaps_rollup", limit: 1 << 16), as: UTF8.self)
    for line in text.split(separator: "\n") where line.hasPrefix("Private_Dirty:") {
      let words = line.split(separator: " ")
      if words.count > 1, let kilobytes = Int(words[1]) { return kilobytes }
    }
    throw BenchmarkFailure("/proc/self/smaps_rollup has no Private_Dirty")
  }
}
