import Glibc

/// A program of known work (`Tests/Fixtures/workloads`) that has stopped itself before it starts.
///
/// Attach to its ``id``, then ``resume()``: from there on only its work is seen, and not the dynamic
/// loader's.
public final class StoppedProcess: Sendable {
  /// Its process id.
  public let id: Int32

  /// Starts a workload and returns when it has stopped.
  public convenience init(workload name: String, _ arguments: [String] = []) throws {
    try self.init([try Self.workload(name)] + arguments)
  }

  /// Starts any program that stops itself.
  public init(_ arguments: [String]) throws {
    id = try Command.withCStrings(arguments) { argv in
      // The threads that tests run on block signals, and a child would inherit that.
      var attributes = posix_spawnattr_t()
      posix_spawnattr_init(&attributes)
      defer { posix_spawnattr_destroy(&attributes) }
      var none = sigset_t()
      sigemptyset(&none)
      posix_spawnattr_setsigmask(&attributes, &none)
      posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
      var child: pid_t = 0
      let result = posix_spawn(&child, arguments[0], nil, &attributes, argv, environ)
      guard result == 0 else {
        throw Command.Failure(description: "\(arguments[0]): \(String(cString: strerror(result)))")
      }
      return child
    }
    var state: Int32 = 0
    while waitpid(id, &state, WUNTRACED) < 0 {
      guard errno == EINTR else { throw Command.Failure(description: "waitpid: \(errno)") }
    }
    guard state & 0xff == 0x7f else {
      throw Command.Failure(description: "\(arguments[0]) did not stop: status \(state)")
    }
  }

  /// The path of a workload, which is built when it is out of date.
  public static func workload(_ name: String) throws -> String {
    let root = Fixtures.directory + "/../.."
    let built = try Command.run([root + "/scripts/build-workloads.sh"])
    guard built.status == 0 else { throw Command.Failure(description: built.error) }
    return root + "/.build-workloads/" + name
  }

  /// Lets it do its work.
  public func resume() { kill(id, SIGCONT) }

  /// Lets it work until it stops itself again.
  public func resumeUntilStopped() throws {
    resume()
    var state: Int32 = 0
    while waitpid(id, &state, WUNTRACED) < 0 {
      guard errno == EINTR else { throw Command.Failure(description: "waitpid: \(errno)") }
    }
    guard state & 0xff == 0x7f else {
      throw Command.Failure(description: "process \(id) did not stop again: status \(state)")
    }
  }

  /// Sends it a signal.
  public func send(_ signal: Int32) { kill(id, signal) }

  /// Lets it do its work and waits for its end: the exit status, or 128 + the signal.
  @discardableResult
  public func finish() throws -> Int32 {
    resume()
    return try wait()
  }

  /// Waits for its end.
  @discardableResult
  public func wait() throws -> Int32 {
    var state: Int32 = 0
    while waitpid(id, &state, 0) < 0 {
      guard errno == EINTR else { throw Command.Failure(description: "waitpid: \(errno)") }
    }
    return state & 0x7f == 0 ? (state >> 8) & 0xff : 128 + (state & 0x7f)
  }

  // One that was waited for is gone, and its id is nobody's as long as this process has no newer child.
  deinit {
    if waitpid(id, nil, WNOHANG) == 0 {
      kill(id, SIGKILL)
      waitpid(id, nil, 0)
    }
  }
}
