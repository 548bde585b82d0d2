import ControlProtocol
import EBPF
import EBPFSystem
import EBPFTracers

/// The control socket of a recording: lets others pause it, filter it, ask for its figures, end it.
///
/// Everything happens on the recording's own thread, in small portions: one request of one client at
/// a time, and no wait for anybody.
final class ControlPart: RecordingPart {
  /// How many may be connected. When one more comes, the one that was silent for longest must go.
  static let clientLimit = 16
  /// Seconds between looks at clients that do not take their answers, or ask faster than they get
  /// answers.
  private static let interval = 0.01

  private var listener: LocalListener?
  private var clients: [Int32: ControlClient] = [:]
  private var desk: ControlDesk?

  /// Listens from now on; who connects is answered once the recording runs.
  init(path: String) throws(EBPFError) { listener = try ControlListener.open(path) }

  /// Begins to answer.
  func join(_ desk: ControlDesk, _ loop: RecordingLoop) throws(EBPFError) {
    self.desk = desk
    if let number = listener?.descriptor.rawValue { try loop.watch(number, for: self) }
  }

  func wake(_ cause: RecordingLoop.Cause, in loop: RecordingLoop) throws(EBPFError) {
    switch cause {
    case .clock:
      try listen(loop)
      for client in clients.values where !client.isIdle { try serve(client, loop) }
    case .readable(let number):
      if let client = clients[number] {
        if client.read(now: loop.elapsed) {
          try serve(client, loop)
        } else {
          try dismiss(client, loop)
        }
      } else {
        try accept(loop)
      }
    }
    let isBusy = isDeaf || clients.values.contains { !$0.isIdle }
    if !loop.hasEnded { loop.setClock(every: isBusy ? Self.interval : nil, for: self) }
  }

  /// Takes the socket away before the result is written: nobody can be answered any more.
  func ended() {
    clients = [:]
    listener = nil
  }

  // MARK: - Clients

  /// True while there was no room for another descriptor.
  private var isDeaf = false

  private func listen(_ loop: RecordingLoop) throws(EBPFError) {
    guard isDeaf, let number = listener?.descriptor.rawValue else { return }
    isDeaf = false
    try loop.watch(number, for: self)
  }

  private func accept(_ loop: RecordingLoop) throws(EBPFError) {
    guard let number = listener?.descriptor.rawValue else { return }
    var connection: LocalConnection?
    do throws(Errno) { connection = try listener?.accept() } catch {
      // The socket stays readable; to look again at once would help nobody.
      isDeaf = true
      return try loop.unwatch(number)
    }
    guard let connection = connection.take() else { return }
    let client = ControlClient(connection, now: loop.elapsed)
    if clients.count >= Self.clientLimit,
      let silent = clients.values.min(by: { $0.lastSeen < $1.lastSeen })
    {
      try dismiss(silent, loop)
    }
    clients[client.descriptor] = client
    try loop.watch(client.descriptor, for: self)
    if let objection = client.objection() {
      client.reply(JSONDocument.line(ErrorDocument(objection)), isLast: true)
      try serve(client, loop)
    }
  }

  private func dismiss(_ client: ControlClient, _ loop: RecordingLoop) throws(EBPFError) {
    try loop.unwatch(client.descriptor)
    clients[client.descriptor] = nil
  }

  /// Goes on with a client: sends what is left, and answers one request.
  private func serve(_ client: ControlClient, _ loop: RecordingLoop) throws(EBPFError) {
    var isThere = client.flush(now: loop.elapsed)
    if isThere, let line = client.nextLine() {
      answer(line, of: client, loop)
      if loop.hasEnded { return }
      isThere = client.flush(now: loop.elapsed)
    }
    guard isThere else { return try dismiss(client, loop) }
    // Nothing more is read from it before its answer is taken.
    try loop.unwatch(client.descriptor)
    if client.isIdle { try loop.watch(client.descriptor, for: self) }
  }

  private func answer(_ line: LineReader.Line, of client: ControlClient, _ loop: RecordingLoop) {
    guard let desk else { return }
    switch line {
    case .tooLong:
      let error = EBPFError(
        .tooLarge, "a request has at most \(LineReader.limit) bytes on one line")
      client.reply(JSONDocument.line(ErrorDocument(error)), isLast: true)
    case .line(let bytes):
      let answer = desk.answer(bytes)
      client.reply(answer.text)
      guard answer.ends else { return }
      _ = client.flush(now: loop.elapsed)
      loop.end()
    }
  }
}
