internal import Synchronization

/// The links of a session, by name: what owns them, and what ends them.
///
/// Safe to share between threads. Detaching one name leaves the others, and every program stays
/// loaded, so that it can be attached again.
public final class Links: Sendable {
  /// A place for one link; classes fit into dictionaries, links do not.
  private final class Slot: Sendable {
    private let link: Mutex<Link?>
    init(_ link: consuming Link) { self.link = Mutex(link) }

    func take() -> Link? { link.withLock { $0.take() } }

    func borrow<Result, Failure: Error>(
      _ body: (borrowing Link) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
      try link.withLock { (link) throws(Failure) -> Result? in
        switch link {
        case .some(let link): try body(link)
        case .none: nil
        }
      }
    }
  }

  private let slots = Mutex<[String: Slot]>([:])

  /// An empty set.
  public init() {}

  /// The names of what is attached, sorted.
  public var names: [String] { slots.withLock { $0.keys.sorted() } }

  /// Attaches a program under a name; a name that is in use is an error, before anything is attached.
  public func attach(
    _ program: Program, to point: AttachPoint, as name: String
  ) throws(EBPFError) {
    try requireFree(name)
    try insert(try program.attach(point), as: name)
  }

  /// Takes over a link under a name.
  public func insert(_ link: consuming Link, as name: String) throws(EBPFError) {
    let slot = Slot(link)
    let isFree = slots.withLock { slots in
      guard slots[name] == nil else { return false }
      slots[name] = slot
      return true
    }
    guard isFree else { throw Self.taken(name) }
  }

  /// Looks at a link.
  public func withLink<Result>(
    _ name: String, _ body: (borrowing Link) throws(EBPFError) -> Result
  ) throws(EBPFError) -> Result {
    guard let slot = slots.withLock({ $0[name] }), let result = try slot.borrow(body) else {
      throw unknown(name)
    }
    return result
  }

  /// Detaches one; the others go on.
  public func detach(_ name: String) throws(EBPFError) {
    guard let slot = slots.withLock({ $0.removeValue(forKey: name) }), let link = slot.take() else {
      throw unknown(name)
    }
    do throws(EBPFError) { try link.detach() } catch { throw error.within(.other("link", name)) }
  }

  /// Detaches all, by name; one that fails does not keep the others. Returns what failed.
  @discardableResult
  public func detachAll() -> [EBPFError] {
    let all = slots.withLock { slots in
      defer { slots = [:] }
      return slots.sorted { $0.key < $1.key }
    }
    var failures: [EBPFError] = []
    for (name, slot) in all {
      guard let link = slot.take() else { continue }
      do throws(EBPFError) { try link.detach() } catch {
        failures.append(error.within(.other("link", name)))
      }
    }
    return failures
  }

  private func requireFree(_ name: String) throws(EBPFError) {
    guard !slots.withLock({ $0[name] != nil }) else { throw Self.taken(name) }
  }

  private static func taken(_ name: String) -> EBPFError {
    EBPFError(
      .exists, "something is attached as '\(name)' already", hint: "detach it first: detach(_:)")
  }

  private func unknown(_ name: String) -> EBPFError {
    EBPFError(
      .notFound, "nothing is attached as '\(name)'", hint: NearNames.hint(for: name, in: names))
  }
}
