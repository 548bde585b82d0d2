import EBPF
import FoundationEssentials

/// An answer of the control socket, for people.
struct ControlText {
  private let tree: Tree

  /// Any value of JSON, keys in order.
  private indirect enum Tree: Decodable {
    case null
    case truth(Bool)
    case whole(UInt64)
    case number(Double)
    case text(String)
    case list([Tree])
    case object([(key: String, value: Tree)])

    private struct Key: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
      if let keys = try? decoder.container(keyedBy: Key.self) {
        self = .object(
          try keys.allKeys.sorted { $0.stringValue < $1.stringValue }.map {
            ($0.stringValue, try keys.decode(Tree.self, forKey: $0))
          })
        return
      }
      if var items = try? decoder.unkeyedContainer() {
        var list: [Tree] = []
        while !items.isAtEnd { list.append(try items.decode(Tree.self)) }
        self = .list(list)
        return
      }
      let value = try decoder.singleValueContainer()
      if value.decodeNil() {
        self = .null
      } else if let truth = try? value.decode(Bool.self) {
        self = .truth(truth)
      } else if let whole = try? value.decode(UInt64.self) {
        self = .whole(whole)
      } else if let number = try? value.decode(Double.self) {
        self = .number(number)
      } else {
        self = .text(try value.decode(String.self))
      }
    }

    subscript(_ key: String) -> Tree? {
      guard case .object(let pairs) = self else { return nil }
      return pairs.first { $0.key == key }?.value
    }

    var string: String? {
      guard case .text(let text) = self else { return nil }
      return text
    }
  }

  /// Reads an answer; one that is none has no lines and is a refusal.
  init(_ line: String) {
    do { tree = try JSONDecoder().decode(Tree.self, from: Data(line.utf8)) } catch { tree = .null }
  }

  /// The error in it.
  var refusal: EBPFError? {
    if case .null = tree {
      return EBPFError(.malformed, "what came back is no answer of a tracer")
    }
    guard let error = tree["error"] else { return nil }
    return EBPFError(
      .rejected, error["message"]?.string ?? "the tracer refused", hint: error["hint"]?.string)
  }

  /// A line for each figure, below the name of its tracer.
  var text: String {
    guard case .object(let tracers)? = tree["tracers"] else { return "" }
    var text = ""
    for (name, part) in tracers {
      text += "\(name): \(part["state"]?.string ?? "?")\n"
      text += ControlText.table(part, leavingOut: "state")
    }
    if let economy = tree["economy"] { text += "economy\n" + ControlText.table(economy) }
    return text
  }

  private static func table(_ tree: Tree, leavingOut key: String? = nil) -> String {
    var table = TextTable(rightAligned: [1])
    add(tree, "", leavingOut: key, to: &table)
    return table.text(indent: "  ")
  }

  private static func add(
    _ tree: Tree, _ name: String, leavingOut key: String?, to table: inout TextTable
  ) {
    switch tree {
    case .null: table.add(name, "-")
    case .truth(let truth): table.add(name, truth ? "yes" : "no")
    case .whole(let value): table.add(name, Figures.count(value))
    case .number(let value): table.add(name, Figures.fixed(value, decimals: 3))
    case .text(let text): table.add(name, "", text)
    case .list(let items):
      for (index, item) in items.enumerated() {
        add(item, "\(name)[\(index)]", leavingOut: nil, to: &table)
      }
    case .object(let pairs):
      for pair in pairs where pair.key != key {
        let label = name.isEmpty ? pair.key : "\(name).\(pair.key)"
        add(pair.value, label, leavingOut: nil, to: &table)
      }
    }
  }
}
