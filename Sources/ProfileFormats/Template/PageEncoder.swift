internal import Profiles

/// A page with an interactive flame graph.
///
/// The tree is stored once, with processes above the stacks; merging them and turning stacks
/// around happens in the page.
enum PageEncoder {
  static func encode(
    _ profile: Profile, options: ProfileOptions
  ) throws(ProfileFormatError) -> [UInt8] {
    let type = try options.valueIndex(of: profile, default: profile.valueTypes.count - 1)
    let tree = try CallTree(
      profile, grouping: options.grouping ?? .process, orderedBy: type)
    let summary = ProfileSummary(profile, options, valueType: type)
    var writer = JSONWriter()
    writer.object { data in
      data.key("title")
      data.string(summary.title)
      data.key("command")
      data.string(options.recording.commandLine ?? "")
      data.key("began")
      data.integer(profile.startTime / 1_000_000)
      data.key("facts")
      data.array { facts in for fact in summary.facts { facts.fact(fact) } }
      data.key("types")
      data.array { types in for type in profile.valueTypes { types.valueType(type) } }
      data.key("primary")
      data.integer(type)
      if options.palette != .hot {
        data.key("palette")
        data.string(options.palette.rawValue)
      }
      data.functions(tree.functions)
      data.key("nodes")
      data.object { nodes in
        nodes.key("depth")
        nodes.integers(tree.nodes.lazy.map(\.depth))
        nodes.key("fn")
        nodes.integers(tree.nodes.lazy.map(\.function))
        nodes.key("own")
        nodes.array { types in for values in tree.selfValues { types.integers(values) } }
      }
    }
    return PageTemplate.page(title: summary.title, data: writer.bytes)
  }
}

extension JSONWriter {
  fileprivate mutating func fact(_ fact: ProfileSummary.Fact) {
    array { row in
      row.string(fact.before)
      row.string(fact.value)
      row.string(fact.after)
      row.boolean(fact.isWarning)
    }
  }

  fileprivate mutating func valueType(_ type: Profile.ValueType) {
    object { entry in
      entry.key("type")
      entry.string(type.type)
      entry.key("unit")
      entry.string(type.unit)
    }
  }

  /// The string table, and the functions as columns that refer to it.
  fileprivate mutating func functions(_ functions: [CallTree.Function]) {
    var strings: [String] = [""]
    var ids: [String: Int] = ["": 0]
    func id(_ text: String) -> Int {
      if let known = ids[text] { return known }
      ids[text] = strings.count
      strings.append(text)
      return strings.count - 1
    }
    let columns = [
      ("name", functions.map { id($0.name) }), ("kind", functions.map { Int($0.kind.rawValue) }),
      ("module", functions.map { id($0.module) }), ("file", functions.map { id($0.file ?? "") }),
      ("line", functions.map(\.line)),
    ]
    key("strings")
    self.strings(strings)
    key("functions")
    object { table in
      for (name, values) in columns {
        table.key(name)
        table.integers(values)
      }
    }
  }
}
