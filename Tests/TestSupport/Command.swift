import Glibc

/// Runs a program to its end and collects what it wrote.
public struct Command: Sendable {
  /// The exit status; 128 + the signal when one ended the program; 127 when it was not found.
  public var status: Int32
  /// Standard output, as bytes.
  public var bytes: [UInt8]
  /// Standard error.
  public var error: String
  /// Standard output, as text.
  public var output: String { String(decoding: bytes, as: UTF8.self) }

  /// The program could not be started, or its output not be read.
  public struct Failure: Error, CustomStringConvertible {
    /// What could not be done.
    public var description: String
  }

  /// Runs `arguments[0]`, looked up in `PATH`, with nothing on its standard input unless given.
  public static func run(
    _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:]
  ) throws -> Command {
    guard let program = arguments.first else { throw Failure(description: "no command") }
    // Output goes to unlinked temporary files: no pipe can fill up, whatever the order of writes.
    let output = try temporaryFile()
    defer { close(output) }
    let error = try temporaryFile()
    defer { close(error) }
    let standardInput = try temporaryFile()
    defer { close(standardInput) }
    try writeAll(input, to: standardInput)
    lseek(standardInput, 0, SEEK_SET)

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, standardInput, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, error, 2)

    // The threads that tests run on block signals, and a child would inherit that.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

    var inherited: [String] = []
    var entry = environ
    while let text = entry.pointee {
      let line = String(cString: text)
      let name = String(line.prefix { $0 != "=" })
      if environment[name] == nil { inherited.append(line) }
      entry += 1
    }
    let variables = inherited + environment.map { "\($0.key)=\($0.value)" }

    let pid = try withCStrings(arguments) { argv in
      try withCStrings(variables) { envp in
        var pid: pid_t = 0
        let result = posix_spawnp(&pid, program, &actions, &attributes, argv, envp)
        guard result == 0 else {
          throw Failure(description: "\(program): \(String(cString: strerror(result)))")
        }
        return pid
      }
    }
    var state: Int32 = 0
    while waitpid(pid, &state, 0) < 0 {
      guard errno == EINTR else { throw Failure(description: "waitpid: \(errno)") }
    }
    let signal = state & 0x7f
    return Command(
      status: signal == 0 ? (state >> 8) & 0xff : 128 + signal, bytes: try readAll(output),
      error: String(decoding: try readAll(error), as: UTF8.self))
  }

  /// Runs a program that must succeed, and returns its standard output.
  public static func output(_ arguments: [String], input: [UInt8] = []) throws -> String {
    let command = try run(arguments, input: input)
    guard command.status == 0 else {
      throw Failure(
        description: "\(arguments.joined(separator: " ")): status \(command.status): "
          + command.error)
    }
    return command.output
  }

  private static func temporaryFile() throws -> Int32 {
    var template = Array("/tmp/swift-ebpf-test.XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw Failure(description: "mkstemp: \(errno)") }
    unlink(template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    return descriptor
  }

  private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws {
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { throw Failure(description: "write: \(errno)") }
      done += count
    }
  }

  private static func readAll(_ descriptor: Int32) throws -> [UInt8] {
    let size = lseek(descriptor, 0, SEEK_END)
    guard size >= 0 else { throw Failure(description: "lseek: \(errno)") }
    var done = 0
    return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while done < size {
        let got = pread(descriptor, buffer.baseAddress.map { $0 + done }, size - done, done)
        guard got > 0 else { throw Failure(description: "read: \(errno)") }
        done += got
      }
      count = done
    }
  }

  static func withCStrings<Result>(
    _ strings: [String],
    _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) throws -> Result
  ) rethrows -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    defer { pointers.forEach { free($0) } }
    pointers.append(nil)
    return try pointers.withUnsafeMutableBufferPointer { buffer in
      // The array has at least its final nil.
      try body(buffer.baseAddress.unsafelyUnwrapped)
    }
  }
}
