internal import Profiles

/// JSON for speedscope: one sampled profile for each process, or one for all.
///
/// The members are those of <https://www.speedscope.app/file-format-schema.json>. Stacks come in the
/// order of the call tree, so that the "time order" view, which has no times here, shows the
/// heaviest first.
enum SpeedscopeEncoder {
  static func encode(
    _ profile: Profile, options: ProfileOptions
  ) throws(ProfileFormatError) -> [UInt8] {
    let type = try options.valueIndex(of: profile, default: profile.valueTypes.count - 1)
    let grouping = options.grouping ?? .process
    let tree = try CallTree(profile, grouping: grouping, orderedBy: type)
    let title = options.title ?? options.recording.commandLine ?? profile.valueTypes[type].type
    var writer = JSONWriter()
    writer.object { file in
      file.key("$schema")
      file.string("https://www.speedscope.app/file-format-schema.json")
      file.key("name")
      file.string(title)
      file.key("exporter")
      file.string(options.recording.tool ?? "ebpf")
      file.key("activeProfileIndex")
      file.integer(0)
      file.key("shared")
      file.object { shared in
        shared.key("frames")
        shared.array { frames in for function in tree.functions { frames.frame(function) } }
      }
      file.key("profiles")
      file.array { profiles in
        for group in groups(of: tree, grouping) {
          let root = tree.functions[tree.nodes[group].function]
          profiles.samples(
            below: group, of: tree, type: type, name: root.kind == .root ? title : root.name,
            unit: unit(of: profile.valueTypes[type]))
        }
      }
    }
    return writer.bytes
  }

  /// The nodes that become a profile each: the root, or each of its children.
  private static func groups(of tree: CallTree, _ grouping: CallTree.Grouping) -> [Int] {
    guard grouping != .merged, tree.nodes.count > 1 else { return [0] }
    var groups: [Int] = []
    var node = 1
    while node < tree.nodes.count {
      groups.append(node)
      node = tree.nodes[node].end
    }
    return groups
  }

  private static func unit(of type: Profile.ValueType) -> String {
    switch type.unit {
    case "nanoseconds", "microseconds", "milliseconds", "seconds", "bytes": type.unit
    default: "none"
    }
  }
}

extension JSONWriter {
  fileprivate mutating func frame(_ function: CallTree.Function) {
    object { frame in
      frame.key("name")
      frame.string(function.name)
      let file = function.file ?? function.module
      if !file.isEmpty {
        frame.key("file")
        frame.string(file)
      }
      if function.line > 0 {
        frame.key("line")
        frame.integer(function.line)
      }
    }
  }

  fileprivate mutating func samples(
    below group: Int, of tree: CallTree, type: Int, name: String, unit: String
  ) {
    let nodes = (group..<tree.nodes[group].end).filter { tree.selfValues[type][$0] > 0 }
    let skipped = tree.nodes[group].depth
    object { profile in
      profile.key("type")
      profile.string("sampled")
      profile.key("name")
      profile.string(name)
      profile.key("unit")
      profile.string(unit)
      profile.key("startValue")
      profile.integer(0)
      profile.key("endValue")
      profile.integer(tree.totals[type][group])
      profile.key("samples")
      profile.array { samples in
        for node in nodes { samples.integers(tree.path(to: node).dropFirst(skipped)) }
      }
      profile.key("weights")
      profile.integers(nodes.map { tree.selfValues[type][$0] })
    }
  }
}
