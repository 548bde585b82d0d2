import ControlProtocol
import EBPF
import EBPFSystem

/// Somebody who is connected to the control socket.
///
/// It reads one request at a time: while an answer has not been taken, or more requests wait, nothing
/// is read, so that whoever does not read his answers keeps nobody but himself waiting.
final class ControlClient {
  /// The longest that an unread answer may become: more than any summary has.
  static let answerLimit = 64 << 20

  private let connection: LocalConnection
  private var reader = LineReader()
  private var lines: ArraySlice<LineReader.Line> = []
  private var answer: ArraySlice<UInt8> = []
  private var isLast = false
  /// When it last said or took something, in seconds of the loop.
  private(set) var lastSeen: Double

  init(_ connection: consuming LocalConnection, now: Double) {
    self.connection = connection
    lastSeen = now
  }

  var descriptor: Int32 { connection.descriptor.rawValue }

  /// Why it may not ask anything; nil when it may: the same user, or root.
  func objection() -> EBPFError? {
    do throws(Errno) {
      let peer = try connection.peer()
      if peer.user == CurrentProcess.effectiveUser || peer.user == 0 { return nil }
      return EBPFError(
        .denied, "user \(peer.user) may not control what user \(CurrentProcess.effectiveUser) runs",
        hint: "be that user, or root")
    } catch {
      return EBPFError(.denied, "the user at the other end is not known: \(error.text)")
    }
  }

  /// True while there is nothing to do but to wait for its next request.
  var isIdle: Bool { answer.isEmpty && lines.isEmpty }

  /// Reads what it has sent; false when it is gone.
  func read(now: Double) -> Bool {
    do throws(Errno) {
      switch try connection.read(limit: LineReader.limit) {
      case .bytes(let bytes): lines += reader.append(bytes)
      case .nothing: break
      case .end: return false
      }
    } catch { return false }
    lastSeen = now
    return true
  }

  /// Sends what is left of the last answer; then the next request is due. False when it is gone, or
  /// was told so.
  func flush(now: Double) -> Bool {
    while !answer.isEmpty {
      do throws(Errno) {
        let count = try connection.send(answer)
        if count == 0 { return true }
        answer = answer.dropFirst(count)
        lastSeen = now
      } catch { return false }
    }
    return !isLast
  }

  /// The next request that waits, when the answer before it was taken.
  func nextLine() -> LineReader.Line? { answer.isEmpty ? lines.popFirst() : nil }

  /// Answers; after the last answer it is gone.
  func reply(_ text: String, isLast: Bool = false) {
    answer = Array(text.utf8)[...]
    self.isLast = isLast
    if isLast { lines = [] }
  }
}
