/// What became of one attempt to hand a request over.
enum DeliveryOutcome: Sendable, Hashable {
  /// The receiver has it, but for `rejected` items it would not take.
  case delivered(rejected: Int, message: String)
  /// The receiver said yes in a way that is no OTLP: the request counts as sent.
  case deliveredUnreadably(String)
  /// It may work later.
  case retry(DeliveryFailure, after: Duration?)
  /// It will never work.
  case refused(DeliveryFailure)
  /// The request is larger than the receiver takes, or than we send.
  case tooLarge(DeliveryFailure)
  /// The stored bytes are no request any more.
  case damaged(DeliveryFailure)
}

/// Why an attempt failed.
struct DeliveryFailure: Sendable, Hashable, CustomStringConvertible {
  /// What it was, without what differs from one attempt to the next.
  enum Kind: Sendable, Hashable {
    case connection, timeout, tls, proxy, redirect, tooLarge, encoding, file
    case status(Int)
  }

  var kind: Kind
  /// A sentence for people, with what to do where that is known.
  var description: String

  init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}
