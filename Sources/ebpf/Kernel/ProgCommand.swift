import ArgumentParser
import EBPF
import EBPFSystem

/// `ebpf prog`.
struct ProgCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prog",
    _superCommandName: "ebpf",
    abstract: "List and inspect the programs in the kernel.",
    discussion: """
      REF is an id, the path of a pin, or, as with bpftool: id N, pinned PATH, name NAME, tag TAG.

      EXAMPLES
        ebpf prog                       every program, and who has it open
        ebpf prog show 42
        ebpf prog dump 42               its instructions, with the source lines they come from
        ebpf prog dump pinned /sys/fs/bpf/my_program

      Needs CAP_SYS_ADMIN to go by ids. JSON has bpftool's keys.
      """, subcommands: [List.self, Show.self, Dump.self], defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "Every program, one line each.")

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    mutating func run() throws {
      try Reporting.run(json: json) { () throws(EBPFError) in
        let holders = ObjectHolders()
        var programs: [KernelProgram] = []
        try KernelProgram.forEach { (descriptor) throws(EBPFError) in
          programs.append(try KernelProgram(descriptor, holders: holders))
        }
        if json { return try Output.write(JSONDocument.text(programs)) }
        var table = TextTable(rightAligned: [0, 4, 5])
        table.add("ID", "TYPE", "NAME", "TAG", "INSNS", "RAN", "LOADED", "HELD BY")
        for program in programs {
          table.add(
            "\(program.id)", program.type, program.name, program.tag,
            Figures.count(UInt64(program.bytesXlated / 8)),
            program.runCnt.map(Figures.count) ?? "", KernelText.time(program.loadedAt),
            KernelText.holders(program.pids))
        }
        try Output.write(table.text())
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "One program, in full.")

    @Argument(help: ArgumentHelp("Which one.", valueName: "ref"))
    var ref: [String]

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    mutating func run() throws {
      let reference = try ObjectReference.parse(only: ref, .program)
      try Reporting.run(json: json) { () throws(EBPFError) in
        let holders = ObjectHolders()
        var programs: [KernelProgram] = []
        try KernelProgram.descriptors(reference) { (descriptor) throws(EBPFError) in
          programs.append(try KernelProgram(descriptor, holders: holders))
        }
        if json {
          return try Output.write(
            programs.count == 1 ? JSONDocument.text(programs[0]) : JSONDocument.text(programs))
        }
        try Output.write(programs.map(\.text).joined(separator: "\n"))
      }
    }
  }

  struct Dump: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "dump",
      abstract: "A program's instructions as the kernel runs them.",
      discussion: """
        The instructions are those that the verifier made of the program: calls of helpers and \
        look-ups may be written out, dead code is gone. Where the program has BTF, each is under \
        the source line that it comes from.
        """)

    @Argument(
      help: ArgumentHelp("Which one; the word 'xlated' before is allowed.", valueName: "ref"))
    var ref: [String]

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    mutating func run() throws {
      let words = ref.first == "xlated" ? Array(ref.dropFirst()) : ref
      let reference = try ObjectReference.parse(only: words, .program)
      try Reporting.run(json: json) { () throws(EBPFError) in
        var dumps: [ProgramDump] = []
        try KernelProgram.descriptors(reference) { (descriptor) throws(EBPFError) in
          dumps.append(try ProgramDump(descriptor))
        }
        if json {
          return try Output.write(
            dumps.count == 1 ? JSONDocument.text(dumps[0]) : JSONDocument.text(dumps))
        }
        try Output.write(dumps.map(\.text).joined(separator: "\n"))
      }
    }
  }
}

extension KernelProgram {
  /// All that is known, line by line.
  var text: String {
    var table = TextTable()
    table.add("program", "\(id)")
    table.add("name", name)
    table.add("type", type)
    table.add("tag", tag)
    table.add("license", gplCompatible ? "GPL-compatible" : "not GPL-compatible")
    table.add("loaded", "\(KernelText.time(loadedAt)) by uid \(uid)")
    table.add(
      "size",
      "\(Figures.count(UInt64(bytesXlated / 8))) instructions"
        + (bytesJited.map { ", \(Figures.count(UInt64($0))) bytes of machine code" }
          ?? ", not compiled")
        + (bytesMemlock.map { ", \(Figures.count($0)) bytes of memory" } ?? ""))
    table.add("verified", "\(Figures.count(UInt64(verifiedInsns))) instructions")
    if let runTimeNs, let runCnt {
      table.add("ran", "\(Figures.count(runCnt)) times, \(Figures.nanoseconds(runTimeNs))")
    }
    if let recursionMisses {
      table.add("missed", "\(Figures.count(recursionMisses)) times, because it was running")
    }
    if let mapIds { table.add("maps", mapIds.map(String.init).joined(separator: ", ")) }
    if let btfId { table.add("BTF", "\(btfId)") }
    if let attachBtfId {
      table.add("attaches to", "type \(attachBtfId) of BTF \(attachBtfObjId ?? 0)")
    }
    if pids != nil { table.add("held by", KernelText.holders(pids)) }
    return table.text()
  }
}

/// Runs a command's body and reports what it throws.
enum Reporting {
  static func run(json: Bool, _ body: () throws(EBPFError) -> Void) throws {
    do throws(EBPFError) { try body() } catch { throw Output.failure(error, json: json) }
  }
}

/// Words that the commands about kernel objects share.
enum KernelText {
  /// `2026-11-24 03:59:26` (UTC) from seconds since 1970.
  static func time(_ seconds: Int64) -> String {
    guard seconds >= 0 else { return "" }
    let days = seconds / 86_400
    let rest = seconds % 86_400
    // Days since 0000-03-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "\(year)-\(two(month))-\(two(day)) \(two(rest / 3600)):\(two(rest / 60 % 60)):"
      + two(rest % 60)
  }

  /// `systemd (1), ebpf (4711)`.
  static func holders(_ holders: [ObjectHolders.Holder]?) -> String {
    (holders ?? []).map { "\($0.comm) (\($0.pid))" }.joined(separator: ", ")
  }
}
