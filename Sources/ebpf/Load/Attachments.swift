import EBPF

/// The programs of an object attached where their sections say.
struct Attachments {
  private let owner = Links()
  /// What is attached, and how.
  private(set) var links: [LoadDocument.Link] = []
  /// What is not, because its section names no place.
  private(set) var unattached: [LoadDocument.Unattached] = []

  /// Attaches what can be; a refusal by the kernel is an error, and detaches the rest.
  mutating func add(_ programs: [Program]) throws(EBPFError) {
    for (index, program) in programs.enumerated() {
      do throws(EBPFError) {
        try add(program, key: "\(index) \(program.name)")
      } catch {
        // The section says no place: there is nothing to refuse.
        guard error.code == .invalidArgument, error.systemCall == nil else { throw error }
        unattached.append(
          LoadDocument.Unattached(program: program.name, reason: error.message))
      }
    }
    guard !links.isEmpty else {
      throw EBPFError(
        .invalidArgument, "none of the programs can be attached by its section's name",
        context: unattached.map { .other($0.program, $0.reason) },
        hint: "name the place in the section, as in SEC(\"tracepoint/sched/sched_switch\"), or "
          + "attach with Program.attach(_:) of the library")
    }
  }

  private mutating func add(_ program: Program, key: String) throws(EBPFError) {
    try owner.insert(try program.attachBySection(), as: key)
    let description = try owner.withLink(key) { (link) throws(EBPFError) in
      LoadDocument.Link(
        program: program.name, point: link.place,
        mechanism: link.mechanism.description, id: try link.id(),
        refused: link.refusals.map {
          LoadDocument.Refusal(mechanism: $0.mechanism.description, reason: $0.reason)
        })
    }
    links.append(description)
  }

  /// Detaches everything; returns what could not be undone.
  func detach() -> [EBPFError] { owner.detachAll() }
}
