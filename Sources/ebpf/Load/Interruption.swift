import EBPF
import EBPFSystem

/// Ctrl-C, or SIGTERM, as the end of a command that would run for ever.
struct Interruption: ~Copyable {
  private let signals: InterruptSignals
  private let waits: WaitSet

  init() throws(EBPFError) {
    self = try Self.system { () throws(Errno) in
      let signals = try InterruptSignals()
      let waits = try WaitSet()
      try waits.add(signals.descriptor.rawValue, tag: 0)
      return Interruption(signals: signals, waits: waits)
    }
  }

  /// Returns when one has arrived; a second one ends the process at once.
  borrowing func wait() throws(EBPFError) {
    try Self.system { () throws(Errno) in
      while try waits.wait(milliseconds: -1).isEmpty {}
      try signals.takeAndRestore()
    }
  }

  private init(signals: consuming InterruptSignals, waits: consuming WaitSet) {
    self.signals = signals
    self.waits = waits
  }

  private static func system<Result: ~Copyable>(
    _ body: () throws(Errno) -> Result
  ) throws(EBPFError) -> Result {
    do throws(Errno) { return try body() } catch {
      throw EBPFError(
        .system, "cannot wait for Ctrl-C",
        systemCall: .init(call: "signalfd", errno: error.rawValue, name: error.name))
    }
  }
}
