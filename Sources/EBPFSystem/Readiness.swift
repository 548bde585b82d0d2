internal import CEBPF

/// Waiting for a few descriptors on the calling thread, with nothing to set up.
public enum Readiness {
  /// Waits until one of the descriptors can be read; false when the time is over first.
  ///
  /// - Parameter timeout: nil waits for ever. Signals do not shorten it.
  public static func wait(for descriptors: [Int32], timeout: Duration?) throws(Errno) -> Bool {
    let deadline = timeout.map { Clock.monotonic.now &+ nanoseconds($0) }
    while true {
      let rest = deadline.map { deadline in
        let now = Clock.monotonic.now
        return now >= deadline ? 0 : (deadline - now + 999_999) / 1_000_000
      }
      let milliseconds = rest.map { Int32(clamping: $0) } ?? -1
      let result = unsafe descriptors.withUnsafeBufferPointer { buffer in
        guard let start = buffer.baseAddress else { return -Errno.invalid.rawValue }
        return unsafe cebpf_poll(start, buffer.count, milliseconds)
      }
      do throws(Errno) {
        if try Errno.check(result) > 0 { return true }
        if let deadline, Clock.monotonic.now >= deadline { return false }
      } catch {
        if error != .interrupted { throw error }
      }
    }
  }

  /// A duration in whole nanoseconds; none below zero, and at most 146 years.
  public static func nanoseconds(_ duration: Duration) -> UInt64 {
    let (seconds, attoseconds) = duration.components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let (scaled, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow else { return UInt64(Int64.max) / 2 }
    return min(scaled, UInt64(Int64.max) / 2) + UInt64(attoseconds / 1_000_000_000)
  }
}
