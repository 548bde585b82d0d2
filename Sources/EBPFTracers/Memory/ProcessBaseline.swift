internal import EBPF
internal import EBPFSystem

/// The processes that ran before recording began, and what they had.
struct ProcessBaseline: Sendable {
  /// When it was taken, in nanoseconds since boot.
  let time: UInt64
  /// Resident bytes by process id, as programs see it.
  let resident: [Int32: UInt64]

  /// Looks at some processes, or at all when `processes` is empty; those that end meanwhile, or may
  /// not be looked into, are left out.
  init(of processes: Set<Int32>, _ numbers: ProcessNumbers) {
    time = Clock.boot.now
    var ids = Array(processes)
    if ids.isEmpty {
      do throws(Errno) { ids = try FileSystem.entries("/proc").compactMap { Int32($0) } } catch {
        ids = []
      }
    }
    var resident: [Int32: UInt64] = [:]
    for id in ids { resident[numbers.outer(id)] = ProcessBaseline.residentBytes(of: id) }
    self.resident = resident
  }

  /// The resident bytes of a process now, by its number in `/proc`; nil when it has ended.
  static func residentBytes(of process: Int32) -> UInt64? {
    do throws(Errno) {
      // The sum over its mappings is exact; the counters of /proc/PID/status lag (proc(5)).
      for line in try SystemFile.lines("/proc/\(process)/smaps_rollup")
      where line.hasPrefix("Rss:") {
        let digits = line.drop { !$0.isNumber }.prefix { $0.isNumber }
        return UInt64(digits).map { $0.multipliedReportingOverflow(by: 1024).partialValue }
      }
    } catch {
      // Not to be looked into, or a kernel without the file: the counters then.
    }
    do throws(Errno) { return try ProcessStatus(of: process).residentBytes } catch { return nil }
  }

  /// What a process had when recording began; nil for one that started later.
  func resident(_ process: ProcessIdentity) -> UInt64? {
    guard process.start < time else { return nil }
    return resident[Int32(truncatingIfNeeded: process.processID)]
  }
}
