/// A program section's name, taken apart: `"?kprobe/tcp_connect"`.
///
/// The rules are libbpf's: a leading `?` means "load only when asked"; a row of ``SectionTable`` that
/// takes a target matches its name alone or followed by `/target`; any other row matches exactly.
public struct SectionName: Sendable, Hashable {
  /// The whole name as it is in the file.
  public let text: String
  /// False when the name began with `?`.
  public let autoload: Bool
  /// The row that matched, or nil: then the caller has to give the program's type.
  public var row: SectionTable.Row? { rowIndex.map { SectionTable.rows[$0] } }
  private let rowIndex: Int?
  /// What follows the row's name and its slash; empty for none.
  public let target: String

  /// Takes a section's name apart. Never fails: an unknown name has no ``row``.
  public init(_ text: String) {
    self.text = text
    let isOptional = text.utf8.first == UInt8(ascii: "?")
    let name = isOptional ? text.dropFirst() : Substring(text)
    autoload = !isOptional
    guard let slash = name.utf8.firstIndex(of: UInt8(ascii: "/")) else {
      rowIndex = SectionTable.entry(named: String(name))?.row
      target = ""
      return
    }
    let head = SectionTable.entry(named: String(name[..<slash]))
    if head?.hasSlash == true, let row = SectionTable.entry(named: String(name))?.row {
      rowIndex = row
      target = ""
      return
    }
    target = String(name[name.utf8.index(after: slash)...])
    rowIndex = head?.row.flatMap { SectionTable.rows[$0].target == .none ? nil : $0 }
  }

  /// The program type; ``ProgramType/unspecified`` for an unknown name.
  public var programType: ProgramType {
    rowIndex.map { SectionTable.rows[$0].programType } ?? .unspecified
  }
  /// `expected_attach_type`; 0 where there is none.
  public var attachType: AttachType {
    rowIndex.flatMap { SectionTable.rows[$0].attachType } ?? AttachType(rawValue: 0)
  }
  /// `BPF_F_*` load flags.
  public var loadFlags: UInt32 { rowIndex.map { SectionTable.rows[$0].flags.loadFlags } ?? 0 }
  /// How the program is attached; nil for an unknown name.
  public var attachKind: SectionTable.AttachKind? {
    rowIndex.map { SectionTable.rows[$0].attachKind }
  }

  /// True when the name says no program type.
  var isUnknown: Bool { rowIndex == nil }

  /// True when the section's name asks for a target and has none: it loads only with one set by hand.
  public var lacksTarget: Bool {
    target.isEmpty && rowIndex.map { SectionTable.rows[$0].target } == .required
  }

  /// The known name closest to an unknown one, for a hint: `xdp_drop` → `xdp`.
  public var suggestion: String? {
    guard rowIndex == nil else { return nil }
    let name = text.utf8.first == UInt8(ascii: "?") ? String(text.dropFirst()) : text
    let prefixes = SectionTable.rows.filter {
      name.hasPrefix($0.name) && $0.name.utf8.count >= 2
    }
    if let longest = prefixes.max(by: { $0.name.utf8.count < $1.name.utf8.count }) {
      return longest.name
    }
    let head = name.split(separator: "/").first.map(String.init) ?? name
    guard head.utf8.count <= 64 else { return nil }
    var distance = EditDistance(from: head.utf8)
    var nearest: String?
    // At most two edits, and less than the whole name.
    var furthest = min(2, head.utf8.count - 1)
    for row in SectionTable.rows where furthest >= 0 {
      guard let edits = distance.edits(to: row.name.utf8, atMost: furthest) else { continue }
      nearest = row.name
      furthest = edits - 1
    }
    return nearest
  }
}
