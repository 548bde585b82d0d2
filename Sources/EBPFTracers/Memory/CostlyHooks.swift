internal import EBPF
internal import Synchronization

/// The memory tracer's programs that run for every page fault or every system call of the machine: away
/// while the tracer is suspended, and those for 32-bit programs until there is one. Safe to share between
/// threads.
final class CostlyHooks: Sendable {
  private let attached: AttachedHooks
  /// Locked while anything is attached or detached.
  private let state: Mutex<State>
  /// Mappings are seen by programs at all calls, those of 32-bit programs with the others.
  let seesCompat: Bool

  private struct State {
    var names: [String]
    var isSuspended = false
    var isOver = false
    var compat: TracerHook?
  }

  /// Takes over what is attached.
  init(_ attached: AttachedHooks) {
    self.attached = attached
    let names = attached.links.names.filter { MemoryHooks.costly.contains($0) }
    state = Mutex(State(names: names))
    seesCompat = names.contains("memory_call_enter")
  }

  /// Detaches all of them, or attaches them again.
  func setSuspended(_ isSuspended: Bool) throws(EBPFError) {
    try state.withLock { (state) throws(EBPFError) in
      guard state.isSuspended != isSuspended else { return }
      state.isSuspended = isSuspended
      for name in state.names {
        if isSuspended { try attached.links.detach(name) } else { try attach(name) }
      }
    }
  }

  /// Sees the mappings of 32-bit programs from now on, and calls `tell` the first time. What keeps it from
  /// that is in ``compat``.
  func watchCompat(_ tell: () throws(EBPFError) -> Void) {
    state.withLock { state in
      guard !seesCompat, !state.isOver, state.compat == nil else { return }
      var hook = TracerHook(need: MemoryHooks.compatNeed, used: MemoryHooks.compatUsed)
      do throws(EBPFError) {
        for name in MemoryHooks.compat {
          if !state.isSuspended { try attach(name) }
          state.names.append(name)
        }
        try tell()
      } catch {
        hook.used = "none"
        hook.refused = [TracerHook.Refusal(hook: MemoryHooks.compatUsed, why: error.description)]
      }
      state.compat = hook
    }
  }

  /// How the mappings of 32-bit programs are seen; nil when there was none, and where they are seen with
  /// the others.
  var compat: TracerHook? { state.withLock { $0.compat } }

  /// Detaches everything, for good.
  func end() {
    state.withLock { state in
      state.isOver = true
      attached.links.detachAll()
    }
  }

  private func attach(_ name: String) throws(EBPFError) {
    try attached.links.insert(try attached.object.program(name).attachBySection(), as: name)
  }
}
