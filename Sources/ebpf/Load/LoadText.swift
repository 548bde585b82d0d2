import EBPF
import EBPFSystem

/// What `ebpf load` says to a person.
struct LoadText {
  let document: LoadDocument
  private let style = Style.forStream(.output)

  init(_ document: LoadDocument) { self.document = document }

  /// The whole text.
  var text: String {
    [programs, maps, links].filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var programs: String {
    var table = TextTable(rightAligned: [3, 5])
    table.add("name", "section", "type", "id", "tag", "instructions", "")
    for program in document.programs {
      table.add(
        program.name, program.section, program.type, "\(program.id)", program.tag,
        Figures.count(UInt64(program.instructions)), note(program.pinned))
    }
    return section("programs", document.programs.count, table)
  }

  private var maps: String {
    guard !document.maps.isEmpty else { return "" }
    var table = TextTable(rightAligned: [2, 3, 4, 5])
    table.add("name", "type", "id", "key", "value", "max entries", "")
    for map in document.maps {
      table.add(
        map.name, map.type, "\(map.id)", "\(map.keySize) B",
        Figures.count(UInt64(map.valueSize)) + " B", Figures.count(UInt64(map.maxEntries)),
        note(map.pinned))
    }
    return section("maps", document.maps.count, table)
  }

  private var links: String {
    guard !document.links.isEmpty else { return "" }
    var table = TextTable()
    table.add("program", "at", "by", "")
    for link in document.links {
      let tried = link.refused.map { "not \($0.mechanism): \($0.reason)" }
      table.add(
        link.program, link.point, link.mechanism + (link.id.map { " (id \($0))" } ?? ""),
        tried.joined(separator: "; "))
    }
    for one in document.unattached { table.add(one.program, "not attached", one.reason) }
    return section("attached", document.links.count, table)
  }

  private func note(_ pin: String?) -> String { pin.map { "pinned: \($0)" } ?? "" }

  private func section(_ name: String, _ count: Int, _ table: TextTable) -> String {
    var lines = table.lines(indent: "  ")
    let header = lines.removeFirst()
    return style.bold(name) + " (\(count))\n" + style.dim(header) + "\n"
      + lines.map { $0 + "\n" }.joined()
  }
}
