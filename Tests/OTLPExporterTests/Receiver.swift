import FoundationEssentials
import Glibc
import OTLP
import Synchronization
import TestSupport

/// A helper of a test did not do its part.
struct HelperFailure: Error, CustomStringConvertible {
  var description: String
}

/// A running program that says something on its standard output, line by line.
final class ChildProcess: Sendable {
  let id: Int32
  /// What it prints, until it ends.
  let lines: AsyncStream<String>
  private let isReaped = Mutex(false)

  init(_ arguments: [String], environment: [String: String] = [:]) throws {
    var pipes: [Int32] = [0, 0]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &pipes) == 0 else {
      throw HelperFailure(description: "socketpair: \(errno)")
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 1)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    let variables =
      ["PATH=/usr/local/bin:/usr/bin:/bin:\(String(cString: getenv("PATH")))"]
      + environment.map { "\($0.key)=\($0.value)" }
    var envp: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var child: pid_t = 0
    let result = posix_spawnp(&child, arguments[0], &actions, &attributes, &argv, &envp)
    close(pipes[1])
    guard result == 0, let file = fdopen(pipes[0], "r") else {
      throw HelperFailure(description: "\(arguments[0]): \(String(cString: strerror(result)))")
    }
    id = child
    let (lines, continuation) = AsyncStream<String>.makeStream()
    self.lines = lines
    let stream = Int(bitPattern: file)
    // A thread of its own: reading waits, and the pool's threads must not.
    var thread = pthread_t()
    let work = Unmanaged.passRetained(Work(stream, continuation)).toOpaque()
    pthread_create(
      &thread, nil,
      { work in
        guard let work else { return nil }
        Unmanaged<Work>.fromOpaque(work).takeRetainedValue().read()
        return nil
      }, work)
    pthread_detach(thread)
  }

  private final class Work {
    private let stream: Int
    private let lines: AsyncStream<String>.Continuation

    init(_ stream: Int, _ lines: AsyncStream<String>.Continuation) {
      self.stream = stream
      self.lines = lines
    }

    func read() {
      guard let file = UnsafeMutablePointer<FILE>(bitPattern: stream) else { return }
      var line: UnsafeMutablePointer<CChar>?
      var capacity = 0
      while getline(&line, &capacity, file) > 0, let text = line {
        lines.yield(String(cString: text).trimmingCharacters("\n"))
      }
      free(line)
      fclose(file)
      lines.finish()
    }
  }

  /// Ends it at once, like a crash.
  func kill() {
    isReaped.withLock { isReaped in
      guard !isReaped else { return }
      Glibc.kill(id, SIGKILL)
      waitpid(id, nil, 0)
      isReaped = true
    }
  }

  /// Sends a signal and waits for the end; returns the status.
  func end(_ signal: Int32) -> Int32 {
    isReaped.withLock { isReaped in
      guard !isReaped else { return -1 }
      Glibc.kill(id, signal)
      var status: Int32 = 0
      waitpid(id, &status, 0)
      isReaped = true
      return status
    }
  }

  deinit { kill() }
}

extension String {
  fileprivate func trimmingCharacters(_ end: Character) -> String {
    last == end ? String(dropLast()) : self
  }
}

/// `Tests/Oracles/otlp_receiver.py`, running.
final class Receiver: Sendable {
  /// One request, as the official decoder read it.
  struct Request: Decodable, Sendable {
    var method: String
    var target: String
    var headers: [String: String]
    var signal: String
    var items: [String]
    var size: Int
    var plain: Int
    var step: String
    /// Whether the answer said yes.
    var took: Bool
  }

  private struct Port: Decodable { var port: Int }

  let port: Int
  private let process: ChildProcess
  private let requests: AsyncStream<String>

  /// Starts it and returns when it listens.
  init(_ script: String, port: Int = 0, arguments: [String] = []) async throws {
    let root = Fixtures.directory + "/../Oracles/otlp_receiver.py"
    process = try ChildProcess(
      ["python3", root, "--port", "\(port)"] + arguments + [script],
      environment: ["PYTHONDONTWRITEBYTECODE": "1"])
    requests = process.lines
    var lines = process.lines.makeAsyncIterator()
    guard let first = await lines.next() else {
      throw HelperFailure(description: "the receiver did not start")
    }
    self.port = try JSONDecoder().decode(Port.self, from: Data(first.utf8)).port
  }

  var address: String { "http://127.0.0.1:\(port)" }

  /// The next request; waits for it.
  func next() async throws -> Request {
    var lines = requests.makeAsyncIterator()
    guard let line = await lines.next() else {
      throw HelperFailure(description: "the receiver ended")
    }
    return try JSONDecoder().decode(Request.self, from: Data(line.utf8))
  }

  /// Ends the receiver and gives what it got, but for what was taken by ``next()``.
  func finish() async throws -> [Request] {
    process.kill()
    var result: [Request] = []
    for await line in requests {
      result.append(try JSONDecoder().decode(Request.self, from: Data(line.utf8)))
    }
    return result
  }

  /// Ends it at once.
  func kill() { process.kill() }
}
