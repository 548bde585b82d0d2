import EBPF
import EBPFSystem

/// Makes control sockets where users want them.
enum ControlListener {
  /// The longest path a socket can have, without the zero (`sun_path`, unix(7)).
  private static let pathLimit = 107

  /// Listens at a path. A socket that nobody listens to any more is replaced; anything else that is
  /// there is left alone.
  static func open(_ path: String) throws(EBPFError) -> LocalListener {
    guard path.utf8.count <= pathLimit else {
      throw EBPFError(
        .invalidArgument, "the path of a socket has at most \(pathLimit) bytes: '\(path)'",
        hint: "name a shorter one, such as /run/ebpf.sock")
    }
    do throws(Errno) { return try LocalListener(path: path) } catch {
      guard error == .addressInUse else { throw refusal(path, error) }
    }
    try removeStale(path)
    do throws(Errno) { return try LocalListener(path: path) } catch { throw refusal(path, error) }
  }

  private static func removeStale(_ path: String) throws(EBPFError) {
    let isSocket: Bool
    do throws(Errno) { isSocket = try FileStatus(ofLinkAt: path).isSocket } catch {
      throw refusal(path, error)
    }
    guard isSocket else {
      throw EBPFError(
        .exists, "'\(path)' is there already, and is no socket",
        hint: "name another path, or remove it yourself")
    }
    var refused = false
    // Where somebody answers, the path is in use.
    do throws(Errno) { _ = try LocalConnection(to: path, seconds: 1) } catch {
      refused = error == .connectionRefused
    }
    guard refused else { return }
    do throws(Errno) { try FileSystem.remove(path) } catch { throw refusal(path, error) }
  }

  private static func refusal(_ path: String, _ error: Errno) -> EBPFError {
    let failure = EBPFError.SystemCallFailure(
      call: "bind", errno: error.rawValue, name: error.name)
    let hint: String? =
      switch error {
      case .noEntry, .notDirectory: "the folder must be there"
      case .accessDenied, .notPermitted, .readOnly: "name a folder that you may write to"
      case .addressInUse: "somebody listens there: name another path"
      default: nil
      }
    return EBPFError(
      error == .addressInUse ? .exists : .system, "cannot listen at '\(path)': \(error.text)",
      systemCall: failure, hint: hint)
  }
}
