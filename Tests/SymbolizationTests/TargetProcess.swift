import Glibc
import TestSupport

/// A child that tells its addresses on standard output, then waits until its standard input closes.
final class TargetProcess {
  struct Failure: Error {
    var description: String
  }

  let pid: Int32
  /// What it printed: `name address` lines.
  let addresses: [String: UInt64]
  private var input: Int32
  private var isRunning = true

  init(_ arguments: [String]) throws {
    var toChild: [Int32] = [0, 0]
    var fromChild: [Int32] = [0, 0]
    guard pipe(&toChild) == 0, pipe(&fromChild) == 0 else {
      throw Failure(description: "pipe: \(errno)")
    }
    for descriptor in [toChild[1], fromChild[0]] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
    posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { argv.forEach { free($0) } }
    var child: pid_t = 0
    let result = posix_spawnp(&child, arguments[0], &actions, nil, &argv, environ)
    close(toChild[0])
    close(fromChild[1])
    guard result == 0 else { throw Failure(description: "\(arguments): \(result)") }
    pid = child
    input = toChild[1]
    // Until the line `ready`.
    var text = ""
    var byte: UInt8 = 0
    while !text.hasSuffix("ready\n"), read(fromChild[0], &byte, 1) == 1 {
      text.unicodeScalars.append(Unicode.Scalar(byte))
    }
    close(fromChild[0])
    var addresses: [String: UInt64] = [:]
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      if fields.count == 2 {
        addresses[String(fields[0])] = UInt64(fields[1].dropFirst(2), radix: 16)
      }
    }
    self.addresses = addresses
  }

  /// Lets it go on, and waits for its end.
  func finish() {
    guard isRunning else { return }
    isRunning = false
    close(input)
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
  }

  /// Sends it a line.
  func send(_ line: String) { _ = line.withCString { write(input, $0, strlen($0)) } }

  deinit { finish() }
}
