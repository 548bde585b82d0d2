import Glibc
import TestSupport

/// A command that goes on running while a test looks at what it does.
final class RunningCommand {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  let pid: pid_t
  private let output: Int32
  private var hasEnded = false

  /// Starts `arguments[0]`; its standard error is the test's. With a full pipe as its standard output
  /// it waits for ever when it prints.
  init(_ arguments: [String], isOutputFull: Bool = false) throws {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw Failure(description: "pipe: \(errno)") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    if isOutputFull {
      _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
      while write(ends[1], [0], 1) == 1 {}
      _ = fcntl(ends[1], F_SETFL, 0)
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    // The threads that tests run on block signals, and what runs in a shell's background ignores
    // some; a child would inherit both.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    words.append(nil)
    defer { words.forEach { free($0) } }
    var pid: pid_t = 0
    let result = posix_spawnp(&pid, arguments[0], &actions, &attributes, words, environ)
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

  /// Throws when it has ended by itself: nothing more can be expected of it.
  func checkRunning() throws {
    var state: Int32 = 0
    guard waitpid(pid, &state, WNOHANG) == pid else { return }
    hasEnded = true
    throw Failure(description: "it ended by itself, with wait status \(state)")
  }

  /// True when it has ended by itself; its status can still be asked for.
  var isOver: Bool {
    var information = siginfo_t()
    let found = waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT)
    return found == 0 && information.si_signo == SIGCHLD
  }

  /// Asks at its control socket, which is answered once it records.
  func ask(_ request: String, at path: String) throws -> JSONValue {
    while true {
      do { return try ControlSocket(path).ask(request) } catch is ControlSocket.Failure {
        guard !isOver else { throw Failure(description: "the tracer ended") }
        usleep(2_000)
      }
    }
  }

  /// Sends a signal and goes on.
  func send(_ signal: Int32) { kill(pid, signal) }

  /// Sends a signal, waits for the end, and gives the exit status; 128 + the signal that ended it.
  func end(by signal: Int32) -> Int32 {
    kill(pid, signal)
    var state: Int32 = 0
    while waitpid(pid, &state, 0) < 0, errno == EINTR {}
    hasEnded = true
    return state & 0x7f == 0 ? (state >> 8) & 0xff : 128 + (state & 0x7f)
  }
}
