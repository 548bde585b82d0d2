import Glibc
import OpenTelemetryContext

/// Tasks that go from thread to thread, each at work on its own span.
///
/// Each makes so many rounds of ten calls that fail and name the task, every round in another thread than
/// the one before; then one round outside of its span.
struct Tasks {
  let rounds: Int

  func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        await ThreadContext.withSpan(ContextPublisher.span(1)) { await work("taskA") }
        ask("outside")
      }
      group.addTask {
        await ThreadContext.withSpan(ContextPublisher.span(2)) {
          async let child: Void = work("childOfB")
          await work("taskB")
          await child
          await ThreadContext.withSpan(ContextPublisher.span(3)) { await work("taskC") }
        }
        ask("outside")
      }
      group.addTask { await work("none") }
    }
  }

  private func work(_ name: String) async {
    for _ in 0..<rounds {
      await changeThread()
      ask(name)
    }
  }

  private func changeThread() async {
    let before = thread()
    for _ in 0..<1_000_000 {
      await Task.yield()
      if thread() != before { return }
    }
    fatalError("the task stays in its thread")
  }

  /// Not to be asked for where the thread may change.
  private func thread() -> pthread_t { pthread_self() }
}
