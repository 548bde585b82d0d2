import EBPF
import EBPFSystem

/// What `ebpf load --json` says.
struct LoadDocument: Encodable {
  let file: String
  let programs: [Program]
  let maps: [Map]
  let links: [Link]
  let unattached: [Unattached]
  let warnings: [ErrorDocument.Body]

  struct Program: Encodable {
    let name: String
    let section: String
    let type: String
    let id: UInt32
    let tag: String
    let instructions: Int
    @Nullable var pinned: String?
  }

  struct Map: Encodable {
    let name: String
    let type: String
    let id: UInt32
    let keySize: Int
    let valueSize: Int
    let maxEntries: UInt32
    @Nullable var pinned: String?
  }

  /// A program that runs at a place.
  struct Link: Encodable {
    let program: String
    let point: String
    let mechanism: String
    @Nullable var id: UInt32?
    let refused: [Refusal]
  }

  struct Refusal: Encodable {
    let mechanism: String
    let reason: String
  }

  /// A program whose section does not say where it runs.
  struct Unattached: Encodable {
    let program: String
    let reason: String
  }

  init(
    file: String, _ loaded: LoadedObject, pins: [String: String], _ attachments: Attachments
  ) {
    self.file = file
    programs = loaded.programs.map { program in
      Program(
        name: program.name, section: program.sectionName, type: program.type.name, id: program.id,
        tag: program.tag, instructions: program.instructionCount, pinned: pins[program.name])
    }
    maps = loaded.maps.map { map in
      Map(
        name: map.name, type: map.type.name, id: map.id, keySize: map.keySize,
        valueSize: map.valueSize, maxEntries: map.information.maxEntries, pinned: pins[map.name])
    }
    links = attachments.links
    unattached = attachments.unattached
    warnings = loaded.warnings.map(ErrorDocument.Body.init)
  }
}
