import EBPF

/// The programs of an object attached where their sections say.
struct Attachments {
  private let owner = Links()
  /// What is attached, and how.
  private(set) var links: [LoadDocument.Link] = []
  /// What is not, because its section names no place.
  private(set) var unattached: [LoadDocument.Unattached] = []

  /// Attaches what can be; a refusal by the kernel is an error, and detaches the rest.
  mutating func add(_ object: LoadedObject) throws(EBPFError) {
    let programs = object.programs
    // Functions of kernel structures run with their structures.
    for (index, program) in programs.enumerated() where program.type != .structOps {
      do throws(EBPFError) {
        try add(program, key: "\(index) \(program.name)")
      } catch {
        // The section says no place: there is nothing to refuse.
        guard error.code == .invalidArgument, error.systemCall == nil else { throw error }
        unattached.append(
          LoadDocument.Unattached(program: program.name, reason: error.message))
      }
    }
    for ops in object.structOps {
      try add(try ops.attach(), of: ops.name, key: "struct_ops \(ops.name)")
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
    try add(try program.attachBySection(), of: program.name, key: key)
  }

  private mutating func add(
    _ link: consuming Link, of name: String, key: String
  ) throws(EBPFError) {
    try owner.insert(link, as: key)
    let description = try owner.withLink(key) { (link) throws(EBPFError) in
      LoadDocument.Link(
        program: name, point: link.place,
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
