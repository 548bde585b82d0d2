import Glibc
import Synchronization

/// A running program that says something on its standard output, line by line.
public final class TalkingProcess: Sendable {
  /// Its process id.
  public let id: Int32
  /// What it prints, until it ends.
  public let lines: AsyncStream<String>
  private let isReaped = Mutex(false)

  /// Starts `arguments[0]` with PATH and these variables only.
  public init(_ arguments: [String], environment: [String: String] = [:]) throws {
    var pipes: [Int32] = [0, 0]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &pipes) == 0 else {
      throw Command.Failure(description: "socketpair: \(errno)")
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
      throw Command.Failure(description: "\(arguments[0]): \(String(cString: strerror(result)))")
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
  public func kill() {
    isReaped.withLock { isReaped in
      guard !isReaped else { return }
      Glibc.kill(id, SIGKILL)
      waitpid(id, nil, 0)
      isReaped = true
    }
  }

  /// Sends a signal and waits for the end; returns the status.
  public func end(_ signal: Int32) -> Int32 {
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
