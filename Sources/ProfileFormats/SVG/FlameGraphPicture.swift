internal import Profiles

/// A flame graph as one SVG picture: no script, dark or light as its viewer prefers.
///
/// Boxes narrower than ``minimumWidth`` are left out with everything above them; how many is
/// written below the graph, and in the `data-elided` attribute of the picture.
struct FlameGraphPicture {
  static let width = 1200.0
  static let minimumWidth = 0.25
  private static let margin = 10.0
  private static let rowHeight = 17.0
  private static let headHeight = 50.0
  private static let footHeight = 30.0
  /// The width of a letter of the 11-pixel monospaced font, rounded up.
  private static let letterWidth = 6.7

  static func encode(
    _ profile: Profile, options: ProfileOptions
  ) throws(ProfileFormatError) -> [UInt8] {
    let type = try options.valueIndex(of: profile, default: profile.valueTypes.count - 1)
    let tree = try CallTree(
      profile, grouping: options.grouping ?? .merged, direction: options.direction,
      orderedBy: type)
    let summary = ProfileSummary(profile, options, valueType: type)
    let picture = FlameGraphPicture(tree, profile.valueTypes[type], options.palette)
    return Array(picture.text(under: summary).utf8)
  }

  private let tree: CallTree
  private let type: Profile.ValueType
  private let palette: ProfileOptions.Palette
  private let whole: Double
  private var boxes = ""
  private var elided = 0
  private var deepest = 0

  private init(_ tree: CallTree, _ type: Profile.ValueType, _ palette: ProfileOptions.Palette) {
    self.tree = tree
    self.palette = palette
    self.type = type
    whole = Double(max(1, tree.totals[tree.valueType][0]))
    drawBoxes()
  }

  private mutating func drawBoxes() {
    let totals = tree.totals[tree.valueType]
    let scale = (Self.width - 2 * Self.margin) / whole
    var filled = [Double](repeating: 0, count: 1)
    var node = 0
    while node < tree.nodes.count {
      let depth = tree.nodes[node].depth
      let width = Double(totals[node]) * scale
      let start = depth == 0 ? Self.margin : filled[depth - 1]
      if depth > 0 { filled[depth - 1] += width }
      guard width >= Self.minimumWidth || node == 0 else {
        elided += tree.nodes[node].end - node
        node = tree.nodes[node].end
        continue
      }
      if filled.count <= depth { filled.append(start) } else { filled[depth] = start }
      deepest = max(deepest, depth)
      drawBox(node, x: start, width: max(width, Self.minimumWidth))
      node += 1
    }
  }

  private mutating func drawBox(_ node: Int, x: Double, width: Double) {
    let function = tree.functions[tree.nodes[node].function]
    let y = Self.headHeight + Double(tree.nodes[node].depth) * Self.rowHeight
    let total = tree.totals[tree.valueType][node]
    var title = "\(function.name) – \(describe(total)), \(percent(Double(total) / whole))"
    if !function.module.isEmpty { title += "\n\(function.module)" }
    boxes +=
      "<g><title>\(title.split(separator: "\n").map { String($0).escapedForMarkup }.joined(separator: "\n"))</title>"
    boxes += #"<rect class="\#(Self.colorClass(of: function))" x="\#(short(x))" y="\#(short(y))""#
    boxes += #" width="\#(short(max(width - 0.5, 0.2)))" height="\#(short(Self.rowHeight - 1))"/>"#
    let label = function.name.withoutControls.cut(
      toLetters: Int((width - 7) / Self.letterWidth))
    if !label.isEmpty {
      boxes +=
        #"<text x="\#(short(x + 3))" y="\#(short(y + 12))">\#(label.escapedForMarkup)</text>"#
    }
    boxes += "</g>\n"
  }

  private func text(under summary: ProfileSummary) -> String {
    let height = Self.headHeight + Double(deepest + 1) * Self.rowHeight + Self.footHeight
    let facts = summary.facts.map(\.text).joined(separator: " · ")
    let count = grouped(tree.nodes.count - 1)
    let note =
      elided == 0
      ? "\(count) boxes" : "\(count) boxes, of which \(grouped(elided)) are too narrow to draw"
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <svg xmlns="http://www.w3.org/2000/svg" width="\(short(Self.width))" \
      height="\(short(height))" viewBox="0 0 \(short(Self.width)) \(short(height))" role="img" \
      aria-labelledby="title" data-elided="\(elided)">
      <style>\(Self.style(palette))</style>
      <rect class="back" width="100%" height="100%"/>
      <text id="title" class="heading" x="\(short(Self.margin))" y="23">\
      \(summary.title.cut(toLetters: 120).escapedForMarkup)</text>
      <text class="facts" x="\(short(Self.margin))" y="40">\
      \(facts.cut(toLetters: 190).escapedForMarkup)</text>
      \(boxes)<text class="facts" x="\(short(Self.margin))" y="\(short(height - 11))">\
      \(note)</text>
      </svg>

      """
  }

  private func describe(_ value: Int64) -> String {
    switch type.unit {
    case "nanoseconds": seconds(UInt64(max(0, value)))
    case "count": "\(grouped(value)) \(type.type)"
    default: "\(grouped(value)) \(type.unit)"
    }
  }

  /// The kind's letter and one of four shades, which the name decides.
  private static func colorClass(of function: CallTree.Function) -> String {
    var hash: UInt32 = 2_166_136_261
    for byte in function.name.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
    let letter =
      switch function.kind {
      case .root, .marker: "m"
      case .process: "p"
      case .kernel: "k"
      case .native: "n"
      case .jit: "j"
      }
    return "\(letter)\((hash >> 13) & 3)"
  }

  private static func style(_ palette: ProfileOptions.Palette) -> String {
    let native = palette == .hot ? ("n", 30, 90) : ("n", 182, 56)
    let hues = [native, ("k", 212, 78), ("j", 142, 48), ("p", 265, 28), ("m", 220, 6)]
    func rules(lightness: Int, saturation: Int) -> String {
      var text = ""
      for (letter, hue, full) in hues {
        for shade in 0..<4 {
          let turn = letter == "n" ? shade * 6 - 9 : shade * 4 - 6
          text += ".\(letter)\(shade){fill:hsl(\(hue + turn) \(full * saturation / 100)% "
          text += "\(lightness + shade * 2)%)}"
        }
      }
      return text
    }
    let mono = "ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace"
    return "svg{background:#fff}text{font:11px \(mono);fill:#1d1a16;pointer-events:none}"
      + ".heading{font:600 16px system-ui,sans-serif}.facts{font:12px system-ui,sans-serif;"
      + "fill:#59616b}.back{fill:#fff}g:hover rect{stroke:#000;stroke-width:1}"
      + rules(lightness: 70, saturation: 100)
      + "@media (prefers-color-scheme:dark){svg{background:#14161a}.back{fill:#14161a}"
      + "text{fill:#f1f2f4}.facts{fill:#9aa4b0}g:hover rect{stroke:#fff}"
      + rules(lightness: 32, saturation: 64) + "}"
  }
}

/// A coordinate with at most two decimals.
private func short(_ value: Double) -> String {
  let hundredths = Int((min(max(value, -1e9), 1e9) * 100).rounded())
  let (whole, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
  if rest == 0 { return "\(whole)" }
  return rest % 10 == 0 ? "\(whole).\(rest / 10)" : "\(whole).\(rest < 10 ? "0" : "")\(rest)"
}

extension String {
  /// As much as fits into `room` columns of a monospaced font, where ideographs take two; nothing
  /// when not even three letters do.
  fileprivate func cut(toLetters room: Int) -> String {
    guard room >= 3 else { return "" }
    var used = 0
    var kept = ""
    for character in self {
      let isWide = character.unicodeScalars.contains { $0.value >= 0x1100 }
      used += isWide ? 2 : 1
      kept.append(character)
      if used > room { break }
    }
    if used <= room { return self }
    while used >= room, let last = kept.popLast() {
      used -= last.unicodeScalars.contains { $0.value >= 0x1100 } ? 2 : 1
    }
    return kept + "…"
  }
}
