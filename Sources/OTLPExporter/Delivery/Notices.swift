internal import OTLP

/// What an operator should read, once per change and at most once a minute per subject.
enum Notice: Sendable, Hashable {
  case failing(DeliveryFailure)
  case recovered(failures: Int)
  case dropping(DropReason, why: String)
  case rejecting(Int, message: String)
  case unreadable(String)
  case spoolFailing(String)
  case spoolDamaged(String)
}

/// Lets a notice pass when it says something new, and never lets one subject fill a log.
struct NoticeFilter: Sendable {
  /// The least time between two notices of one subject.
  static let interval: Duration = .seconds(60)

  private enum Subject: Hashable {
    case failing, recovered, rejecting, unreadable, spoolFailing, spoolDamaged
    case dropping(DropReason)
  }

  private var last: [Subject: Duration] = [:]
  private(set) var suppressed = 0

  mutating func passes(_ notice: Notice, now: Duration) -> Bool {
    let subject: Subject =
      switch notice {
      case .failing: .failing
      case .recovered: .recovered
      case .dropping(let reason, _): .dropping(reason)
      case .rejecting: .rejecting
      case .unreadable: .unreadable
      case .spoolFailing: .spoolFailing
      case .spoolDamaged: .spoolDamaged
      }
    if let before = last[subject], now - before < NoticeFilter.interval {
      suppressed += 1
      return false
    }
    last[subject] = now
    return true
  }
}

extension Notice {
  /// Whether it says that something works again.
  var isGood: Bool {
    if case .recovered = self { return true }
    return false
  }

  /// The notice as a line of a log.
  var sentence: String {
    switch self {
    case .failing(let failure): "sending fails and is tried again: \(failure)"
    case .recovered(let failures): "sending works again after \(failures) failed attempts"
    case .dropping(let reason, let why): "items are dropped (\(reason.rawValue)): \(why)"
    case .rejecting(let count, let message):
      count > 0
        ? "the receiver rejects \(count) items: \(message)" : "the receiver warns: \(message)"
    case .unreadable(let why): "the receiver took a request, but \(why)"
    case .spoolFailing(let why): "the spool fails, requests stay in memory: \(why)"
    case .spoolDamaged(let why): "stored items are lost: \(why)"
    }
  }
}
