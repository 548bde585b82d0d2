internal import Profiles

/// Brendan Gregg's folded stacks: `command;outermost;…;innermost value`, one line for each stack.
enum FoldedStacks {
  static func encode(
    _ profile: Profile, options: ProfileOptions
  ) throws(ProfileFormatError) -> [UInt8] {
    let type = try options.valueIndex(of: profile, default: 0)
    let tree = try CallTree(
      profile, grouping: options.grouping ?? .command, orderedBy: type)
    let names = tree.functions.map { safeName(of: $0, marked: options.marksKinds) }

    var sums: [String: Int64] = [:]
    for node in tree.nodes.indices where tree.selfValues[type][node] > 0 {
      let line = tree.path(to: node).map { names[$0] }.joined(separator: ";")
      sums[line] = saturatingSum(sums[line] ?? 0, tree.selfValues[type][node])
    }
    var bytes: [UInt8] = []
    for (line, value) in sums.sorted(by: { $0.key < $1.key }) {
      bytes.append(contentsOf: (line.isEmpty ? "[empty]" : line).utf8)
      bytes.append(UInt8(ascii: " "))
      bytes.append(contentsOf: String(value).utf8)
      bytes.append(UInt8(ascii: "\n"))
    }
    return bytes
  }

  /// A name without the characters that separate stacks: `;` becomes `:`, controls become spaces.
  private static func safeName(of function: CallTree.Function, marked: Bool) -> String {
    var name = ""
    for scalar in function.name.unicodeScalars {
      switch scalar {
      case ";": name.append(":")
      case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}": name.append(" ")
      default: name.unicodeScalars.append(scalar)
      }
    }
    guard marked else { return name }
    switch function.kind {
    case .kernel: return name + "_[k]"
    case .jit: return name + "_[j]"
    default: return name
    }
  }
}
