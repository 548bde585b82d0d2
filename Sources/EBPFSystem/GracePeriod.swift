internal import CEBPF

/// Waiting for programs that are running in the kernel.
public enum GracePeriod {
  /// Returns when every BPF program that was running when it was called has ended.
  ///
  /// What maps referred to before can then be used for something else. Takes some 10 ms: an RCU
  /// grace period, by `membarrier(2)` with `MEMBARRIER_CMD_GLOBAL` (Linux 4.3).
  public static func wait() throws(Errno) { _ = try Errno.check(cebpf_wait_grace_period()) }
}
