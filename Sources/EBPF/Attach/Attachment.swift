internal import EBPFSystem
internal import Synchronization

/// A descriptor that several values may refer to; closed when the last one lets go.
final class SharedDescriptor: Sendable {
  private let owned: OwnedDescriptor
  init(_ owned: consuming OwnedDescriptor) { self.owned = owned }
  /// Valid as long as this object is referred to.
  var number: Int32 { owned.rawValue }
}

/// What the kernel holds for one attachment, and how to take it back.
final class Attachment: Sendable {
  struct Parts: Sendable {
    /// `bpf_link`s; closed first.
    var links: [SharedDescriptor] = []
    /// Performance events; closed after the links on them.
    var events: [SharedDescriptor] = []
    /// Probes in tracefs; removed when nothing uses them any more.
    var probes: [TracefsProbe] = []
    /// Kernel structures that are registered without a link.
    var registrations: [StructOpsRegistration] = []
    /// Entries of the map that tells USDT programs where arguments are; given back last.
    var specs: [USDTSpecTable.Lease] = []

    mutating func add(_ other: Parts) {
      links += other.links
      events += other.events
      probes += other.probes
      registrations += other.registrations
      specs += other.specs
    }
  }

  private let parts: Mutex<Parts?>

  init(_ parts: Parts) { self.parts = Mutex(parts) }

  convenience init(link: consuming OwnedDescriptor) {
    self.init(Parts(links: [SharedDescriptor(link)]))
  }

  var isEnded: Bool { parts.withLock { $0 == nil } }
  var events: [SharedDescriptor] { parts.withLock { $0?.events ?? [] } }
  var probes: [TracefsProbe] { parts.withLock { $0?.probes ?? [] } }

  /// The only `bpf_link`, when there is exactly one.
  var singleLink: SharedDescriptor? {
    parts.withLock { parts in
      guard let links = parts?.links, links.count == 1 else { return nil }
      return links[0]
    }
  }

  /// Keeps these until everything else is given back.
  func keep(_ specs: [USDTSpecTable.Lease]) { parts.withLock { $0?.specs += specs } }

  /// Gives everything back; the second time nothing is left to do. Returns the first failure.
  func end() -> EBPFError? {
    let taken = parts.withLock { parts in
      defer { parts = nil }
      return parts
    }
    guard var taken else { return nil }
    taken.links = []
    taken.events = []
    var failure: EBPFError?
    defer { taken.specs = [] }
    for probe in taken.probes {
      do throws(EBPFError) { try probe.remove() } catch { failure = failure ?? error }
    }
    for registration in taken.registrations {
      do throws(EBPFError) { try registration.remove() } catch { failure = failure ?? error }
    }
    return failure
  }
}

/// The attachments of an object's programs, so that unloading it ends them.
final class AttachmentSet: Sendable {
  private let table = Mutex<USDTSpecTable?>(nil)
  /// Where USDT programs find their arguments; nil when the object has no map for that.
  var usdtSpecs: USDTSpecTable? {
    get { table.withLock { $0 } }
    set { table.withLock { $0 = newValue } }
  }
  private let members = Mutex<[ObjectIdentifier: Attachment]>([:])

  func add(_ attachment: Attachment) {
    members.withLock { $0[ObjectIdentifier(attachment)] = attachment }
  }

  func remove(_ attachment: Attachment) {
    members.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(attachment)) }
  }

  /// Ends them all; what could not be undone is returned.
  func endAll() -> [EBPFError] {
    let all = members.withLock { members in
      defer { members = [:] }
      return Array(members.values)
    }
    return all.compactMap { $0.end() }
  }
}
