import ControlProtocol
import EBPF
import EBPFSystem

/// The asking side of the control socket.
enum ControlCall {
  /// How long the tracer may take to answer, in seconds.
  private static let patience: UInt32 = 30

  /// Sends a request and returns the answer, without its end.
  ///
  /// - Parameter target: the path of a socket, or the id of the process that listens.
  static func ask(_ request: [UInt8], at target: String) throws(EBPFError) -> String {
    let path = try Int32(target).map { (pid) throws(EBPFError) in try socket(of: pid) } ?? target
    do throws(Errno) {
      let connection = try LocalConnection(to: path, seconds: patience)
      do throws(Errno) { try send(request, to: connection) } catch {
        // Who may not ask is told so, and cut off, before he has asked: the reason is there to read.
        guard error == .brokenPipe || error == .connectionReset else { throw error }
      }
      return try answer(connection)
    } catch { throw refusal(path, error) }
  }

  private static func send(
    _ request: [UInt8], to connection: borrowing LocalConnection
  ) throws(Errno) {
    var rest = request[...]
    while !rest.isEmpty {
      let count = try connection.send(rest)
      guard count > 0 else { throw .timedOut }
      rest = rest.dropFirst(count)
    }
  }

  private static func answer(_ connection: borrowing LocalConnection) throws(Errno) -> String {
    var bytes: [UInt8] = []
    while bytes.last != UInt8(ascii: "\n") {
      guard bytes.count < ControlClient.answerLimit else { throw .tooBig }
      switch try connection.read(limit: 1 << 16) {
      case .bytes(let more): bytes += more
      case .nothing: throw .timedOut
      case .end: throw .connectionReset
      }
    }
    return String(decoding: bytes.dropLast(), as: UTF8.self)
  }

  private static func refusal(_ path: String, _ error: Errno) -> EBPFError {
    let hint: String? =
      switch error {
      case .noEntry: "start a tracer with --control \(path)"
      case .connectionRefused: "the tracer that listened there has ended"
      case .accessDenied: "be the user who runs the tracer, or root"
      case .timedOut: "the tracer is busy, or stopped"
      case .connectionReset: "the tracer ended before it answered"
      default: nil
      }
    return EBPFError(
      error == .noEntry ? .notFound : error == .accessDenied ? .denied : .system,
      "cannot ask the tracer at '\(path)': \(error.text)",
      systemCall: .init(call: "connect", errno: error.rawValue, name: error.name), hint: hint)
  }

  // MARK: - By process

  /// The path at which a process listens: of its sockets the one that /proc/net/unix has listening.
  private static func socket(of process: Int32) throws(EBPFError) -> String {
    do throws(Errno) {
      var inodes: Set<Substring> = []
      for number in try FileSystem.entries("/proc/\(process)/fd") {
        guard let target = link("/proc/\(process)/fd/\(number)"), target.hasPrefix("socket:[")
        else { continue }
        inodes.insert(target.dropFirst(8).dropLast())
      }
      // Num RefCount Protocol Flags Type St Inode Path; __SO_ACCEPTCON is 1 << 16 (net.h).
      for line in try SystemFile.lines("/proc/\(process)/net/unix") {
        let words = line.split(separator: " ", maxSplits: 7, omittingEmptySubsequences: true)
        guard words.count == 8, words[3] == "00010000", inodes.contains(words[6]) else { continue }
        return try absolute(String(words[7]), process)
      }
    } catch {
      throw EBPFError(
        error == .noEntry ? .notFound : error == .accessDenied ? .denied : .system,
        "cannot look for the socket of process \(process): \(error.text)",
        context: [.process(process)],
        systemCall: .init(call: "open", errno: error.rawValue, name: error.name),
        hint: error == .noEntry ? "there is no such process" : "name the socket instead")
    }
    throw EBPFError(
      .notFound, "process \(process) has no control socket", context: [.process(process)],
      hint: "start the tracer with --control SOCKET")
  }

  /// A descriptor may be closed between listing and looking.
  private static func link(_ path: String) -> String? {
    do throws(Errno) { return try FileSystem.link(path) } catch { return nil }
  }

  private static func absolute(_ path: String, _ process: Int32) throws(Errno) -> String {
    path.hasPrefix("/") ? path : try FileSystem.link("/proc/\(process)/cwd") + "/" + path
  }
}
