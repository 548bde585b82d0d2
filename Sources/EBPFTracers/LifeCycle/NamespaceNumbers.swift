internal import EBPF
internal import EBPFSystem
internal import Symbolization
internal import Synchronization

/// What `/proc` calls the processes that BPF programs name, in a pid namespace that is not the initial
/// one: asked for again when a process is met that was not there before.
///
/// Safe to share between threads.
final class NamespaceNumbers: Sendable {
  private let state = Mutex(State())

  private struct State {
    /// Loaded when it is needed first; nil also where that failed.
    var reader: ProcessNumberReader?
    var isLoaded = false
    /// The namespace's own number of a process, by the one that programs see.
    var inner: [Int32: Int32] = [:]
    /// The last number that the namespace had given when `inner` was read.
    var lastGiven: String?

    /// Reads the numbers again, if the namespace has given any since.
    mutating func refresh() {
      let given = Self.lastGiven()
      guard given == nil || given != lastGiven else { return }
      if !isLoaded {
        isLoaded = true
        // Where it cannot be loaded the tracer that asks has not started either: it needs the same.
        do throws(EBPFError) { reader = try ProcessNumberReader() } catch { reader = nil }
      }
      guard let reader else { return }
      do throws(EBPFError) {
        let pairs = try reader.pairs()
        inner = Dictionary(
          pairs.map { ($0.outer, $0.inner) }, uniquingKeysWith: { first, _ in first })
        lastGiven = given
      } catch {
        // What is known stays; the next process asks again.
        return
      }
    }

    /// The last field of /proc/loadavg (proc(5)), which is the reader's own namespace's.
    private static func lastGiven() -> String? {
      do throws(Errno) {
        let text = try SystemFile.text("/proc/loadavg", limit: 4096)
        return text.split { $0 == " " || $0 == "\n" }.last.map(String.init)
      } catch { return nil }
    }
  }

  /// The number in this process's namespace; nil where the process is not in it, or has ended.
  func inner(_ outer: Int32) -> Int32? {
    state.withLock { state in
      if let known = state.inner[outer] { return known }
      state.refresh()
      return state.inner[outer]
    }
  }
}

extension Symbolizer {
  /// One that takes the process ids of BPF programs, wherever this process is.
  static func ofTracers() -> Symbolizer {
    guard !ProcessNumbers.seesAllProcesses else { return Symbolizer() }
    let numbers = NamespaceNumbers()
    return Symbolizer(number: { numbers.inner($0) })
  }
}
