import ArgumentParser
import EBPF
import EBPFSystem

/// `ebpf map`.
struct MapCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "map",
    _superCommandName: "ebpf",
    abstract: "List, read and change the maps in the kernel.",
    discussion: """
      REF is an id, the path of a pin, or, as with bpftool: id N, pinned PATH, name NAME. Keys and \
      values are bytes, lowest address first: 1 0 0 0, or 0x01 0 0 0, or hex 01 00 00 00. A single \
      number stands for a whole integer of 2, 4 or 8 bytes.

      EXAMPLES
        ebpf map                                every map, and who has it open
        ebpf map dump 17                        its entries, as its BTF says
        ebpf map lookup 17 key 4711
        ebpf map update 17 key 4711 value 1 noexist
        ebpf map delete pinned /sys/fs/bpf/seen key hex 67 12 00 00

      Needs CAP_SYS_ADMIN to go by ids; a pin's permissions decide otherwise. JSON has bpftool's keys.
      """,
    subcommands: [
      List.self, Show.self, Dump.self, Lookup.self, Update.self, Delete.self,
    ], defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "Every map, one line each.")

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    mutating func run() throws {
      try Reporting.run(json: json) { () throws(EBPFError) in
        let holders = ObjectHolders()
        var maps: [KernelMap] = []
        try KernelMap.forEach { (map) in maps.append(KernelMap(map, holders: holders)) }
        if json { return try Output.write(JSONDocument.text(maps)) }
        var table = TextTable(rightAligned: [0, 3, 4, 5, 6])
        table.add("ID", "TYPE", "NAME", "KEY", "VALUE", "ENTRIES", "MEMORY", "HELD BY")
        for map in maps {
          table.add(
            "\(map.id)", map.type, map.name, "\(map.bytesKey)", "\(map.bytesValue)",
            Figures.count(UInt64(map.maxEntries)), map.bytesMemlock.map(Figures.count) ?? "",
            KernelText.holders(map.pids))
        }
        try Output.write(table.text())
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "One map, in full.")

    @Argument(help: ArgumentHelp("Which one.", valueName: "ref"))
    var ref: [String]

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    mutating func run() throws {
      let reference = try ObjectReference.parse(only: ref, .map)
      try Reporting.run(json: json) { () throws(EBPFError) in
        let holders = ObjectHolders()
        let maps = try KernelMap.maps(reference).map { KernelMap($0, holders: holders) }
        if json {
          return try Output.write(
            maps.count == 1 ? JSONDocument.text(maps[0]) : JSONDocument.text(maps))
        }
        try Output.write(maps.map(\.text).joined(separator: "\n"))
      }
    }
  }

  struct Dump: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "dump", abstract: "Every entry of a map.")

    @Argument(help: ArgumentHelp("Which one.", valueName: "ref"))
    var ref: [String]

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    mutating func run() throws {
      let reference = try ObjectReference.parse(only: ref, .map)
      try Reporting.run(json: json) { () throws(EBPFError) in
        let map = try KernelMap.map(reference)
        let printer = try MapEntries(map)
        let entries = try map.entries()
        if json {
          var list: [JSONTree] = []
          for entry in entries { list.append(try printer.json(entry)) }
          return try Output.write(JSONTree.list(list).document + "\n")
        }
        var text = ""
        for entry in entries { text += try printer.text(entry) }
        try Output.write(text)
        let count = Figures.count(UInt64(entries.count))
        Output.note("\(count) \(entries.count == 1 ? "entry" : "entries")")
      }
    }
  }

  struct Lookup: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "lookup", abstract: "The value of a key.")

    @Argument(
      parsing: .allUnrecognized,
      help: ArgumentHelp("Which map; then: key BYTES.", valueName: "ref"))
    var words: [String]

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    mutating func run() throws {
      let request = try MapRequestWords(words, needsValue: false)
      try Reporting.run(json: json) { () throws(EBPFError) in
        let map = try KernelMap.map(request.reference)
        let key = try request.key(of: map)
        guard let value = try map.value(for: key) else { throw MapRequestWords.missing(map) }
        let printer = try MapEntries(map)
        let entry = RawMap.Entry(key: key, value: value)
        try Output.write(
          json ? try printer.json(entry).document + "\n" : try printer.text(entry))
      }
    }
  }

  struct Update: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "update",
      abstract: "Write the value of a key.",
      discussion: """
        For maps with a value for each CPU, one value is written to all of them. At the end may \
        stand: any (add or replace), noexist (add only), exist (replace only).
        """)

    // A value may begin with a minus sign.
    @Argument(
      parsing: .allUnrecognized,
      help: ArgumentHelp(
        "Which map; then: key BYTES value BYTES [any|noexist|exist].", valueName: "ref"))
    var words: [String]

    mutating func run() throws {
      let request = try MapRequestWords(words, needsValue: true)
      try Reporting.run(json: false) { () throws(EBPFError) in
        let map = try KernelMap.map(request.reference)
        let key = map.keySize == 0 ? [] : try request.key(of: map)
        var value = try request.value.bytes(size: map.valueSize, what: "value")
        if map.type.isPerCPU {
          value += [UInt8](repeating: 0, count: map.valueStride - value.count)
          value = Array(repeatElement(value, count: map.valuesPerElement).joined())
        }
        try map.update(key, value, request.policy)
      }
    }
  }

  struct Delete: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "delete", abstract: "Delete a key.")

    @Argument(
      parsing: .allUnrecognized,
      help: ArgumentHelp("Which map; then: key BYTES.", valueName: "ref"))
    var words: [String]

    mutating func run() throws {
      let request = try MapRequestWords(words, needsValue: false)
      try Reporting.run(json: false) { () throws(EBPFError) in
        let map = try KernelMap.map(request.reference)
        guard try map.delete(try request.key(of: map)) else { throw MapRequestWords.missing(map) }
      }
    }
  }
}

/// `REF key BYTES [value BYTES [POLICY]]`.
struct MapRequestWords {
  let reference: ObjectReference
  let key: MapBytes
  let value: MapBytes
  let policy: UpdatePolicy

  init(_ words: [String], needsValue: Bool) throws {
    let (reference, rest) = try ObjectReference.parse(words, .map)
    self.reference = reference
    guard rest.first == "key" || needsValue && rest.first == "value" else {
      throw ValidationError("after the map comes: key BYTES")
    }
    let parts = rest.split(separator: "value", maxSplits: 1, omittingEmptySubsequences: false)
    key = MapBytes(words: Array((parts.first ?? []).dropFirst()))
    var bytes = parts.count > 1 ? Array(parts[1]) : []
    guard needsValue == (parts.count > 1) else {
      throw ValidationError(
        needsValue ? "after the key comes: value BYTES" : "only an update takes a value")
    }
    let policies: [String: UpdatePolicy] = ["any": .any, "noexist": .noExist, "exist": .exists]
    if let last = bytes.last, let policy = policies[last] {
      self.policy = policy
      bytes.removeLast()
    } else {
      policy = .any
    }
    value = MapBytes(words: bytes)
  }

  /// The key's bytes.
  func key(of map: RawMap) throws(EBPFError) -> [UInt8] {
    try key.bytes(size: map.keySize, what: "key")
  }

  /// There is no such key.
  static func missing(_ map: RawMap) -> EBPFError {
    EBPFError(.notFound, "map '\(map.name)' has no such key", context: [.map(map.name)])
  }
}
