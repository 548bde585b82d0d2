import EBPF
import EBPFSystem

/// `perf record --call-graph dwarf` at work on a process: other walks of the same stacks.
///
/// perf copies the top of each stack and walks it afterwards by DWARF's tables, in its own code.
final class PerfRecording {
  /// perf ends by itself before its file is larger.
  private static let mebibytes = 256
  private let data: MemoryFile
  private let record: ChildProcess

  /// Starts perf, for at most `seconds`.
  init(of process: Int32, seconds: Double, frequency: Int) throws(EBPFError) {
    do throws(Errno) {
      data = try MemoryFile(name: "perf.data")
      record = try ChildProcess([
        "perf", "record", "-q", "-e", "cpu-clock:u", "-F", "\(frequency)", "--call-graph", "dwarf",
        "--max-size", "\(Self.mebibytes)M", "-p", "\(process)", "-o", data.path,
        "--", "sleep", "\(seconds)",
      ])
    } catch { throw Self.failure("cannot start perf", error) }
    do throws(Errno) { try record.release() } catch {
      throw EBPFError(
        .notFound, "cannot run 'perf'",
        systemCall: .init(call: "execvp", errno: error.rawValue, name: error.name),
        hint: "install it (Debian: linux-perf), or leave out --perf")
    }
  }

  /// What perf found.
  struct Stacks {
    /// Where in their files the callers of each stack go on, innermost first.
    let callers: [[UInt64]]
    /// Samples that perf says it lost.
    let lost: UInt64
  }

  /// Ends perf, and lets it walk what it recorded.
  func stop() throws(EBPFError) -> Stacks {
    let status: ExitStatus
    let output: [UInt8]
    do throws(Errno) { (status, output) = try script() } catch {
      throw Self.failure("cannot read what perf recorded", error)
    }
    guard status == .exited(0) else {
      let said = String(decoding: output.prefix(400), as: UTF8.self)
      throw EBPFError(
        .system, "perf script ended with \(status) and said: \(said)",
        hint: "see whether 'perf record -p PID --call-graph dwarf' works by itself")
    }
    return Self.stacks(output)
  }

  /// Ends perf when nobody asks for its stacks any more. What keeps it from ending is not the error that is
  /// told then.
  func end() { do throws(Errno) { try finish() } catch {} }

  private func finish() throws(Errno) {
    // SIGINT: perf completes its file and ends. ESRCH: it has ended already.
    do throws(Errno) { try record.send(signal: 2) } catch { if error != .noProcess { throw error } }
    _ = try record.wait()
  }

  private func script() throws(Errno) -> (ExitStatus, [UInt8]) {
    try finish()
    let text = try MemoryFile(name: "perf.txt")
    let script = try ChildProcess([
      "/bin/sh", "-c",
      """
      perf script --show-lost-events --no-inline -F ip -i "$0" >"$1" 2>&1 || exit
      exec perf report --stats -i "$0" >>"$1" 2>&1
      """,
      data.path, text.path,
    ])
    try script.release()
    return (try script.wait(), try text.contents(limit: Self.mebibytes << 20))
  }

  /// Reads what `perf script -F ip` prints: an offset in a file on each line, innermost first, and an
  /// empty line after each stack; `PERF_RECORD_LOST lost 7` where some are missing. And what
  /// `perf report --stats` prints: `LOST_SAMPLES events: 7`, of those that Linux 6.1 counts besides.
  private static func stacks(_ text: [UInt8]) -> Stacks {
    var stacks: [[UInt64]] = []
    var lostRecords: UInt64 = 0
    var lostSamples: UInt64 = 0
    var stack: [UInt64] = []
    for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      let word = line.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        .prefix { $0 > UInt8(ascii: " ") }
      if let address = UInt64(String(decoding: word, as: UTF8.self), radix: 16) {
        stack.append(address)
      } else if word.isEmpty && !stack.isEmpty {
        // perf names the last byte of a call, and we the instruction after it.
        stacks.append(stack.dropFirst().map { $0 &+ 1 })
        stack = []
      } else if word.starts(with: "PERF_RECORD_LOST".utf8) {
        lostRecords &+= last(line)
      } else if word.starts(with: "LOST_SAMPLES".utf8) {
        // With a share behind it, it is the number of records.
        lostSamples &+= last(line)
      }
    }
    return Stacks(callers: stacks, lost: max(lostRecords, lostSamples))
  }

  /// The number that a line ends with; 0 for none.
  private static func last(_ line: ArraySlice<UInt8>) -> UInt64 {
    let word = String(decoding: line, as: UTF8.self).split(separator: " ").last
    return word.flatMap { UInt64($0) } ?? 0
  }

  private static func failure(_ text: String, _ error: Errno) -> EBPFError {
    EBPFError(
      .system, text,
      systemCall: .init(call: "perf", errno: error.rawValue, name: error.name))
  }
}
