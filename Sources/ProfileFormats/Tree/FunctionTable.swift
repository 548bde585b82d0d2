internal import Profiles

/// The distinct functions of a profile, in order of name, and which of them each frame is in.
struct FunctionTable {
  /// Ordered by name, kind and module, so that an index orders as its function does.
  private(set) var functions: [CallTree.Function] = []
  /// For each frame of the profile, its function.
  private(set) var ofFrame: [Int] = []
  /// For each process of the profile, the function that stands for its group; empty when merged.
  private(set) var ofProcess: [Int] = []

  private struct Key: Hashable, Comparable {
    let name: String
    let kind: CallTree.Kind
    let module: String

    static func < (one: Key, other: Key) -> Bool {
      if one.name != other.name { return one.name < other.name }
      if one.kind != other.kind { return one.kind.rawValue < other.kind.rawValue }
      return one.module < other.module
    }
  }

  init(_ profile: Profile, grouping: CallTree.Grouping) {
    var ids: [Key: Int] = [:]
    var keys: [Key] = []
    var sources: [(file: String, line: Int)?] = []
    func id(of key: Key) -> Int {
      if let known = ids[key] { return known }
      ids[key] = keys.count
      keys.append(key)
      sources.append(nil)
      return keys.count - 1
    }

    let root = id(of: Key(name: "all", kind: .root, module: ""))
    for frame in profile.frames {
      let module = frame.mapping.map { profile.mappings[$0].path } ?? ""
      let function = id(
        of: Key(
          name: frame.name ?? Self.placeholder(module), kind: CallTree.Kind(frame.kind),
          module: module))
      ofFrame.append(function)
      if sources[function] == nil, let file = frame.sourceFile {
        sources[function] = (file, frame.line)
      }
    }
    if grouping != .merged {
      let names = Self.groupNames(profile, grouping)
      ofProcess = names.map { id(of: Key(name: $0, kind: .process, module: "")) }
    }

    let order = keys.indices.filter { $0 != root }.sorted { keys[$0] < keys[$1] }
    var rank = [Int](repeating: 0, count: keys.count)
    functions.reserveCapacity(keys.count)
    for (position, old) in ([root] + order).enumerated() {
      rank[old] = position
      functions.append(
        CallTree.Function(
          name: keys[old].name, kind: keys[old].kind, module: keys[old].module,
          file: sources[old]?.file, line: sources[old]?.line ?? 0))
    }
    for index in ofFrame.indices { ofFrame[index] = rank[ofFrame[index]] }
    for index in ofProcess.indices { ofProcess[index] = rank[ofProcess[index]] }
  }

  /// What a frame without a name is called: the file it is in, in brackets.
  private static func placeholder(_ module: String) -> String {
    let base = module.lastPathComponent
    if base.isEmpty { return "[unknown]" }
    return base.hasPrefix("[") ? base : "[\(base)]"
  }

  /// One name for each process of the profile; a process is called after its main thread.
  private static func groupNames(_ profile: Profile, _ grouping: CallTree.Grouping) -> [String] {
    guard grouping == .process else { return profile.processes.map(\.command) }
    var mainCommand: [Int32: String] = [:]
    for process in profile.processes {
      if process.pid == process.tid || mainCommand[process.pid] == nil {
        mainCommand[process.pid] = process.command
      }
    }
    return profile.processes.map { "\(mainCommand[$0.pid] ?? $0.command) (\($0.pid))" }
  }
}

extension String {
  /// What follows the last `/`, or all of it.
  var lastPathComponent: String {
    guard let slash = utf8.lastIndex(of: UInt8(ascii: "/")) else { return self }
    return String(self[utf8.index(after: slash)...])
  }
}
