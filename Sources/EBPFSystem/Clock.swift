internal import CEBPF

/// The kernel's clocks, in nanoseconds.
public enum Clock: Sendable, Hashable {
  /// Time since an arbitrary start, not counting suspension: `bpf_ktime_get_ns`.
  case monotonic
  /// Time since boot, counting suspension: `bpf_ktime_get_boot_ns`.
  case boot
  /// Time since 1970.
  case wall
  /// CPU time of the calling thread.
  case threadCPU
  /// CPU time of this process.
  case processCPU

  /// The present reading.
  public var now: UInt64 {
    let clock =
      switch self {
      case .monotonic: CEBPF_MONOTONIC
      case .boot: CEBPF_BOOTTIME
      case .wall: CEBPF_REALTIME
      case .threadCPU: CEBPF_THREAD_CPU
      case .processCPU: CEBPF_PROCESS_CPU
      }
    var nanoseconds: Int64 = 0
    let result = unsafe cebpf_clock(Int32(clock.rawValue), &nanoseconds)
    // The only errors are an unknown clock and a bad address, and both would be our own mistake.
    precondition(result == 0, "clock_gettime failed")
    return UInt64(clamping: nanoseconds)
  }

  /// What to add to a reading of this clock to get wall-clock time, now.
  ///
  /// The wall clock is read between two readings of this one, a few times, and the closest pair wins,
  /// so that being interrupted in between does not matter.
  public var wallOffset: Int64 {
    var best = UInt64.max
    var offset: Int64 = 0
    for _ in 0..<8 {
      let before = now
      let wall = Clock.wall.now
      let after = now
      guard after >= before, after - before < best else { continue }
      best = after - before
      offset = Int64(wall) - Int64(before + (after - before) / 2)
    }
    return offset
  }
}
