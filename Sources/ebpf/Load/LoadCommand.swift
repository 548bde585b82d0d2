import ArgumentParser
import EBPF
import EBPFSystem

/// `ebpf load`.
struct LoadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load",
    _superCommandName: "ebpf",
    abstract: "Load the programs and maps of an object file into the kernel.",
    discussion: """
      Adapts the object to the running kernel (CO-RE, .kconfig, .ksyms), makes its maps, has its \
      programs verified, and prints what the kernel gave them: ids, tags, types. It is all or \
      nothing: when a step fails, nothing stays in the kernel.

      Without --attach and --pin the programs and maps go again when the command ends, which tells \
      whether this kernel takes them. With --attach the programs run where their sections say, \
      until Ctrl-C. With --pin they stay in the kernel under names in a BPF file system.

      When the verifier rejects a program, the lines of its log that tell why are printed. -v \
      prints the whole log, --verifier-log writes it into a file.

      Programs of section freplace take the place of a function of a program that is in the kernel: \
      --target says of which. Kernel structures of functions (struct_ops) are registered with --attach.

      In a user namespace --token names a BPF file system that was mounted for it with \
      delegate_cmds, delegate_maps, delegate_progs and delegate_attachs.

      Maps that ask for it are pinned by name: in the directory of --pin, else in /sys/fs/bpf.

      EXAMPLES
        sudo ebpf load tracer.bpf.o
        sudo ebpf load --attach --map events:max_entries=1048576 tracer.bpf.o
        sudo ebpf load --pin /sys/fs/bpf/tracer tracer.bpf.o
        sudo ebpf load --attach --target 42 patch.bpf.o
        sudo ebpf load --program on_exec --verifier-log verifier.log tracer.bpf.o

      EXIT STATUS
        0    loaded, and ended as it should
        2    the object is not valid, or the kernel or a file was refused
        64   wrong usage
        130  interrupted twice

      PRIVILEGES
        CAP_BPF, and CAP_PERFMON for tracing programs or CAP_NET_ADMIN for networking ones; or \
      root. 'ebpf check' says what this user may do.
      """)

  @Argument(help: "An object file, as made by clang -target bpf -g -O2.", completion: .file())
  var file: String

  @Option(
    name: .customLong("btf"),
    help: ArgumentHelp(
      "Types to adapt the object to, for kernels without: raw BTF, or an ELF file with a .BTF "
        + "section. (default: the running kernel's)", valueName: "file"),
    completion: .file())
  var types: String?

  @Option(
    name: .customLong("pin"),
    help: ArgumentHelp(
      "Pin programs and maps in this directory of a BPF file system; it is made if missing.",
      valueName: "dir"),
    completion: .directory)
  var pinDirectory: String?

  @Option(
    name: .customLong("program"),
    help: ArgumentHelp(
      "Load only this program, even if its section begins with '?'. May be repeated. "
        + "(default: all whose sections do not)", valueName: "name"))
  var programs: [String] = []

  @Option(
    name: .customLong("map"),
    help: ArgumentHelp(
      "Change the capacity of a map. May be repeated.", valueName: "name:max_entries=n"),
    transform: { try MapSetting($0) })
  var maps: [MapSetting] = []

  @Option(
    name: .customLong("target"),
    help: ArgumentHelp(
      "The program, by id or path of a pin, of which a program replaces (freplace) or traces "
        + "(fentry, fexit) a function. Without a name for all of section freplace. May be repeated.",
      valueName: "[name=]id|path"),
    transform: { try TargetSetting($0) })
  var targets: [TargetSetting] = []

  @Option(
    help: ArgumentHelp(
      "Load with the rights that the BPF file system mounted there delegates (Linux 6.9). "
        + "(default: $LIBBPF_BPF_TOKEN_PATH, or /sys/fs/bpf if it delegates any)",
      valueName: "dir"),
    completion: .directory)
  var token: String?

  @Option(help: ArgumentHelp("Refuse a larger file unread.", valueName: "bytes"))
  var maxSize = ObjectFile.standardSizeLimit

  @Flag(help: "Attach the programs where their sections say, until Ctrl-C.")
  var attach = false

  @Option(
    help: ArgumentHelp("Write what the verifier said into a file.", valueName: "file"),
    completion: .file())
  var verifierLog: String?

  @Flag(name: .shortAndLong, help: "Print what the verifier said to standard error.")
  var verbose = false

  @Flag(help: "Print one JSON document.")
  var json = false

  func validate() throws {
    guard maxSize > 0 else { throw ValidationError("--max-size must be at least 1") }
  }

  func run() throws {
    do { try load() } catch let error as EBPFError {
      throw Output.failure(complete(error), json: json)
    }
  }

  private func load() throws {
    // Before anything is attached: from here on Ctrl-C only asks to end.
    let interruption = attach ? try Interruption() : nil
    if let verifierLog { try ResultFile(path: verifierLog).check() }
    let object = try parse()
    let directory = try pinDirectory.map { (path) throws(EBPFError) in try Pins(directory: path) }
    let loaded = try LoadedObject(
      object, options: try options(for: object, pinDirectory: directory?.directory))
    try writeLogs(loaded.verifierLogs)
    var attachments = Attachments()
    if attach { try attachments.add(loaded) }
    var pins: [String: String] = [:]
    let named = Set(object.maps.filter { $0.pinning == .byName }.map(\.name))
    for name in named { pins[name] = Pinning.defaultDirectory + "/" + name }
    if var all = directory {
      try all.add(loaded, pinnedByName: named)
      pins = all.paths
    }
    let document = LoadDocument(file: file, loaded, pins: pins, attachments)
    try show(document)
    if let interruption {
      note("attached; Ctrl-C detaches and ends")
      try interruption.wait()
    }
    let failures = attachments.detach() + loaded.unload()
    if let failure = failures.first { throw failure }
    if !attach, pinDirectory == nil {
      note("unloaded again; --attach runs the programs, --pin keeps them")
    }
  }

  private func parse() throws(EBPFError) -> ObjectFile {
    let bytes = try InputFile.object(file, sizeLimit: maxSize)
    return try ObjectFile(
      parsing: bytes, name: file, sizeLimit: maxSize, decompressor: .zlib)
  }

  private func options(
    for object: ObjectFile, pinDirectory: String?
  ) throws(EBPFError) -> LoadOptions {
    var options = LoadOptions()
    if !programs.isEmpty { options.programs = Set(programs) }
    if let pinDirectory { options.pinDirectory = pinDirectory }
    if let types { options.targetTypes = try InputFile.types(types) }
    for setting in maps { options.maxEntries[setting.map] = setting.maxEntries }
    for setting in targets { setting.apply(to: &options, object) }
    if let token { options.token = .path(token) }
    if verbose || verifierLog != nil { options.logLevel = 1 }
    return options
  }

  private func show(_ document: LoadDocument) throws {
    for warning in document.warnings where !json { Output.note("warning: \(warning.message)") }
    try Output.result(json ? JSONDocument.text(document) : LoadText(document).text)
  }

  private func note(_ text: String) {
    if StandardStream.error.columns != nil, !json { Output.note(text) }
  }

  // MARK: - The verifier's log

  private func writeLogs(_ logs: [String: VerifierLog]) throws(EBPFError) {
    guard !logs.isEmpty else { return }
    let text = logs.sorted { $0.key < $1.key }.map { "program \($0.key)\n\($0.value.text)" }
      .joined(separator: "\n")
    try write(log: text)
  }

  private func write(log text: String) throws(EBPFError) {
    if verbose { Output.note(PlainText.lines(text)) }
    guard let verifierLog else { return }
    try ResultFile(path: verifierLog).write(Array(text.utf8))
  }

  /// Names the object file, and puts the log of a rejection where it was asked for, or says how to ask.
  private func complete(_ error: EBPFError) -> EBPFError {
    let isNamed = error.context.contains { if case .file = $0 { true } else { false } }
    var error = isNamed ? error : error.within(.file(file))
    guard let log = error.verifierLog else { return error }
    let lines = log.split(separator: "\n").count
    do throws(EBPFError) {
      try write(log: log)
      let place =
        verifierLog.map { "in \($0)" }
        ?? (verbose ? "above" : "with -v, or --verifier-log FILE")
      error.context.append(.other("whole log", "\(lines) lines, \(place)"))
    } catch let problem {
      error.context.append(.other("whole log", problem.message))
    }
    return error
  }
}
