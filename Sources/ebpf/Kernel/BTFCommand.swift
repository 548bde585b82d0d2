import ArgumentParser
import EBPF
import EBPFSystem

/// `ebpf btf`.
struct BTFCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "btf",
    _superCommandName: "ebpf",
    abstract: "List the BTF objects in the kernel, and dump types.",
    discussion: """
      EXAMPLES
        ebpf btf                            every BTF object, and what uses it
        ebpf btf dump 1                     the kernel's types
        ebpf btf dump program.bpf.o         those of a file: an object, or raw BTF
        ebpf btf dump /sys/kernel/btf/veth  a module's, which continue the kernel's

      Needs CAP_SYS_ADMIN to go by ids; files need nothing.
      """, subcommands: [List.self, Dump.self], defaultSubcommand: List.self)

  /// A BTF object; the JSON has bpftool's keys.
  struct Entry: Encodable {
    let id: UInt32
    let size: UInt32
    let progIds: [UInt32]
    let mapIds: [UInt32]
    let kernel: Bool
    var name: String?
    var pids: [ObjectHolders.Holder]?
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "Every BTF object, one line each.")

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    mutating func run() throws {
      try Reporting.run(json: json) { () throws(EBPFError) in
        let entries = try BTFCommand.entries()
        if json { return try Output.write(JSONDocument.text(entries)) }
        var table = TextTable(rightAligned: [0, 2])
        table.add("ID", "NAME", "SIZE", "PROGRAMS", "MAPS", "HELD BY")
        for entry in entries {
          table.add(
            "\(entry.id)", entry.name ?? "-", Figures.count(UInt64(entry.size)),
            entry.progIds.map(String.init).joined(separator: ","),
            entry.mapIds.map(String.init).joined(separator: ","),
            KernelText.holders(entry.pids))
        }
        try Output.write(table.text())
      }
    }
  }

  /// Every object, with the programs and maps that refer to it.
  private static func entries() throws(EBPFError) -> [Entry] {
    let holders = ObjectHolders()
    var programs: [UInt32: [UInt32]] = [:]
    try KernelProgram.forEach { (descriptor) throws(EBPFError) in
      let found = try KernelProgram.information(descriptor, [])
      programs[found.btfID, default: []].append(found.id)
    }
    var maps: [UInt32: [UInt32]] = [:]
    try KernelMap.forEach { (map) in
      maps[map.information.btfID, default: []].append(map.information.id)
    }
    var entries: [Entry] = []
    for id in try KernelObjects.ids(of: .btf) {
      do throws(EBPFError) {
        let found = try KernelBTF.information(
          try KernelObjects.open(.btf, id: id), withData: false)
        let processes = holders.of(.btf, id)
        entries.append(
          Entry(
            id: id, size: found.size, progIds: programs[id] ?? [], mapIds: maps[id] ?? [],
            kernel: found.isKernel, name: found.name.isEmpty ? nil : found.name,
            pids: processes.isEmpty ? nil : processes))
      } catch {
        // It has gone meanwhile.
        guard error.code == .notFound else { throw error }
      }
    }
    return entries
  }

  struct Dump: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "dump",
      abstract: "The types of a BTF object or file.",
      discussion: """
        Raw: one line for each type, records indented below, the same as 'bpftool btf dump'. \
        A file below /sys/kernel/btf that is not vmlinux, and a module's BTF object, continue the \
        running kernel's types; for other such files give --base. Types are not printed as C.
        """)

    @Argument(
      help: ArgumentHelp(
        "An id ('id N'), or a file ('file PATH') with raw BTF or a .BTF section.", valueName: "ref")
    )
    var ref: [String]

    @Option(name: .long, help: "The BTF file that this one continues.", completion: .file())
    var base: String?

    mutating func run() throws {
      var path: String?
      if ref.count == 2, ref[0] == "file" { path = ref[1] }
      if ref.count == 1, UInt32(ref[0]) == nil { path = ref[0] }
      let reference =
        try path.map { ObjectReference.pinned($0) } ?? ObjectReference.parse(only: ref, .btf)
      try Reporting.run(json: false) { () throws(EBPFError) in
        let (types, first) = try open(reference)
        let printer = BTFPrinter(types)
        var text: [UInt8] = []
        for id in first..<max(first, types.typeCount) {
          try printer.appendRaw(id, to: &text)
          text.append(0x0a)
          if text.count > 1 << 16 {
            try Output.write(text)
            text.removeAll(keepingCapacity: true)
          }
        }
        try Output.write(text)
      }
    }

    /// The types, and the id of the first that is not the base's.
    private func open(_ reference: ObjectReference) throws(EBPFError) -> (BTF, UInt32) {
      guard case .pinned(let path) = reference else {
        guard case .id(let id) = reference else {
          throw EBPFError(.invalidArgument, "BTF objects are given by id or as a file")
        }
        let descriptor = try KernelObjects.open(.btf, id: id)
        let found = try KernelBTF.information(descriptor, withData: false)
        let types = try KernelBTF.open(id: id)
        let isModule = found.isKernel && found.name != "vmlinux"
        return (types, isModule ? try KernelTypes.running.vmlinux().typeCount : 1)
      }
      let isModule = path.hasPrefix("/sys/kernel/btf/") && path != "/sys/kernel/btf/vmlinux"
      guard base != nil || isModule else { return (try KernelTypes.read(path), 1) }
      let kernel: BTF
      if let base {
        kernel = try KernelTypes.read(base)
      } else {
        kernel = try KernelTypes.running.vmlinux()
      }
      return (try KernelTypes.read(path, base: kernel), kernel.typeCount)
    }
  }
}
