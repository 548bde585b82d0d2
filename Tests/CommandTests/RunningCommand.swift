import Glibc
import TestSupport

/// A command that goes on running while a test looks at what it does.
final class RunningCommand {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private let pid: pid_t
  private let output: Int32
  private var hasEnded = false

  /// Starts `arguments[0]`; its standard error is the test's.
  init(_ arguments: [String]) throws {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw Failure(description: "pipe: \(errno)") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    words.append(nil)
    defer { words.forEach { free($0) } }
    var pid: pid_t = 0
    let result = posix_spawnp(&pid, arguments[0], &actions, nil, words, environ)
    close(ends[1])
    guard result == 0 else {
      close(ends[0])
      throw Failure(description: "\(arguments[0]): \(String(cString: strerror(result)))")
    }
    self.pid = pid
    output = ends[0]
  }

  deinit {
    close(output)
    if !hasEnded {
      kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
    }
  }

  /// Its first JSON document: what it prints up to a line that is `}`.
  func document() throws -> JSONValue {
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while !text.suffix(3).elementsEqual(Array("\n}\n".utf8)) {
      let count = read(output, &chunk, chunk.count)
      guard count > 0 else {
        throw Failure(
          description: "it ended after: \(String(decoding: text, as: UTF8.self))")
      }
      text += chunk[..<count]
    }
    return try JSONValue(parsing: String(decoding: text, as: UTF8.self))
  }

  /// Sends a signal, waits for the end, and gives the exit status; 128 + the signal that ended it.
  func end(by signal: Int32) -> Int32 {
    kill(pid, signal)
    var state: Int32 = 0
    while waitpid(pid, &state, 0) < 0, errno == EINTR {}
    hasEnded = true
    return state & 0x7f == 0 ? (state >> 8) & 0xff : 128 + (state & 0x7f)
  }
}
