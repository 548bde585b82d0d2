internal import EBPFSystem
internal import Synchronization

/// A map, and where in another one it belongs.
struct MapSlot: Sendable {
  let outer: RawMap
  let key: [UInt8]
  let inner: RawMap

  fileprivate func fill() throws(EBPFError) {
    try EBPFError.at(.map(outer.name)) { () throws(EBPFError) in
      try outer.setInnerMap(inner, for: key)
    }
  }
}

/// Puts maps into the slots of others, beside whatever else is done meanwhile.
///
/// After each the kernel waits until no program can still see what was there before, some 10 ms, and does so
/// where no program has run yet (`maybe_wait_bpf_programs` in `kernel/bpf/syscall.c`). Programs can be loaded
/// in that time: the verifier looks at the template only.
struct MapSlotFilling: ~Copyable {
  private var thread: Thread.Companion?
  private let outcome = Outcome()

  private final class Outcome: Sendable {
    private let failure = Mutex<EBPFError?>(nil)

    var error: EBPFError? { failure.withLock { $0 } }

    func fill(_ slots: [MapSlot]) {
      do throws(EBPFError) { for slot in slots { try slot.fill() } } catch {
        failure.withLock { $0 = error }
      }
    }
  }

  /// Begins.
  init(_ slots: [MapSlot]) {
    guard !slots.isEmpty else { return }
    let outcome = outcome
    do throws(Errno) { thread = try Thread.Companion { outcome.fill(slots) } } catch {
      // No thread can be had: then here and now.
      outcome.fill(slots)
    }
  }

  /// Waits until all are in their slots.
  mutating func finish() throws(EBPFError) {
    thread = nil
    if let error = outcome.error { throw error }
  }
}
