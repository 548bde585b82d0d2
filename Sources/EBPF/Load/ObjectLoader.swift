internal import EBPFSystem

/// Makes kernel objects of one object file, step by step, or none at all: whatever was made goes away
/// with this value when a step throws.
struct ObjectLoader {
  let object: ObjectFile
  let options: LoadOptions
  let kernel: any KernelInterface
  let types: KernelTypes
  var features: KernelFeatures
  let attachments = AttachmentSet()

  /// What will be made; edited as externs and relocations are resolved.
  var maps: [MapSpec]
  var programs: [ProgramSpec]
  /// One more than the highest possible CPU's number, once a map needs it.
  var cpuCount: UInt32 = 0
  /// What has been made.
  var made: [String: RawMap] = [:]
  var btf: SharedDescriptor?
  /// Whether ``btf`` still has its functions, so that programs can refer to them.
  var hasFunctionTypes = false
  /// The pins that were made, to be taken back on an error.
  var pins: [String] = []
  /// The paths of all maps that are pinned, by name: those made, and those found.
  var pinned: [String: String] = [:]
  var externs = ResolvedExterns()
  /// The kernel structures that are implemented, by map.
  var structOps: [String: StructOpsPlan] = [:]
  /// Which of their members each program is.
  var structOpsMembers: [String: StructOpsMember] = [:]
  /// What delegates the rights to load, in a user namespace.
  var token: BPFToken?
  /// What to say where a program was made uncallable on purpose: by program, by instruction.
  var sentences: [String: [Int: String]] = [:]
  /// What the kernel calls the targets of programs that name one, by program.
  var targetTypes: [String: UInt32] = [:]
  var logs: [String: VerifierLog] = [:]
  var warnings: [EBPFError]

  init(
    _ object: ObjectFile, options: LoadOptions, kernel: any KernelInterface, types: KernelTypes,
    features: KernelFeatures
  ) throws(EBPFError) {
    self.object = object
    self.options = options
    self.kernel = kernel
    self.types = types
    self.features = features
    maps = object.maps
    warnings = object.warnings
    programs = object.programs
    try Self.checkNames(object, options)
    guard object.isNativeOrder else {
      throw EBPFError(
        .unsupported, "the object's instructions have the other byte order",
        hint: "compile it with -target bpf, which takes this machine's")
    }
    for (name, count) in options.maxEntries.sorted(by: { $0.key < $1.key }) {
      maps[try index(ofMap: name, to: "resize")].maxEntries = count
    }
    for name in options.maps.keys.sorted() { _ = try index(ofMap: name, to: "replace") }
  }

  private func index(ofMap name: String, to act: String) throws(EBPFError) -> Int {
    guard let index = maps.firstIndex(where: { $0.name == name }) else {
      throw EBPFError(
        .notFound, "the object has no map '\(name)' to \(act)",
        hint: NearNames.hintOrList(for: name, in: maps.map(\.name)))
    }
    return index
  }

  private static func checkNames(_ object: ObjectFile, _ options: LoadOptions) throws(EBPFError) {
    let names = (options.programs ?? []).union(options.attachTargets.keys)
    for name in names.sorted() where !object.programs.contains(where: { $0.name == name }) {
      throw EBPFError(
        .notFound, "the object has no program '\(name)'",
        hint: NearNames.hintOrList(for: name, in: object.programs.map(\.name)))
    }
  }

  /// The whole way. On an error nothing stays behind, in the kernel or in bpffs.
  mutating func run() throws(EBPFError) -> [Program] {
    do throws(EBPFError) {
      try takeToken()
      try prepareStructOps()
      try resolveExterns()
      try relocate()
      try loadTypes()
      try createMaps()
      var filling = MapSlotFilling(try mapSlots())
      if let map = made[USDTSpecTable.mapName] {
        attachments.usdtSpecs = USDTSpecTable(map)
      }
      try patchReferences()
      let loaded = try loadPrograms()
      try filling.finish()
      try fillProgramSlots(loaded)
      return loaded
    } catch {
      var error = error
      for path in pins {
        do throws(Errno) { try FileSystem.remove(path) } catch let leftover {
          error = error.within(.other("left behind", "\(path): \(leftover)"))
        }
      }
      throw error
    }
  }

  // MARK: CO-RE

  private mutating func relocate() throws(EBPFError) {
    guard programs.contains(where: { !$0.relocations.isEmpty }) else { return }
    guard let local = object.btf else {
      throw EBPFError(.malformed, "the object has CO-RE records but no BTF")
    }
    let target: BTF
    if let custom = options.targetTypes {
      target = custom
    } else {
      do throws(EBPFError) { target = try types.vmlinux() } catch {
        throw error.within(.other("needed for", "the object's CO-RE records"))
      }
    }
    var relocator = CORERelocator(local: local, targets: [target])
    try relocator.prepare(for: programs)
    let before = programs
    guard try relocate(with: &relocator), options.targetTypes == nil else { return }
    // What the kernel itself does not have, a module may.
    let modules = try types.modules()
    guard !modules.isEmpty else { return }
    programs = before
    relocator = CORERelocator(local: local, targets: [target] + modules.map(\.types))
    _ = try relocate(with: &relocator)
  }

  /// True when something was not found.
  private mutating func relocate(with relocator: inout CORERelocator) throws(EBPFError) -> Bool {
    var isMissing = false
    for index in programs.indices where !programs[index].relocations.isEmpty {
      let name = programs[index].name
      sentences[name] = nil
      let outcomes: [COREOutcome]
      do throws(EBPFError) {
        outcomes = try relocator.apply(
          to: &programs[index].instructions, records: programs[index].relocations)
      } catch { throw error.within(.program(name)) }
      for outcome in outcomes {
        guard let reason = outcome.reason else { continue }
        isMissing = true
        guard outcome.isPoisoned else { continue }
        let sentence = "CO-RE relocation without an answer: \(reason)"
        sentences[name, default: [:]][outcome.record.instruction] = sentence
        // Both halves of a wide load are replaced.
        sentences[name, default: [:]][outcome.record.instruction + 1] = sentence
      }
    }
    return isMissing
  }

  // MARK: Types

  /// Gives the kernel the object's own types. They serve bpftool, debuggers and error messages, so a
  /// kernel that does not take them is told about, and does without.
  private mutating func loadTypes() throws(EBPFError) {
    guard let bytes = try object.kernelBTF() else { return }
    var log = KernelLog.none
    do throws(Errno) {
      btf = SharedDescriptor(
        try kernel.loadBTF(bytes.span.rawBytes, token: token?.descriptor.number, log: &log))
      hasFunctionTypes = true
      return
    } catch {
      // Without the capability nothing else works either, and says so better.
      if error == .notPermitted || error == .accessDenied { return }
    }
    // A kernel may be too old for some kinds of types; those are turned into older ones.
    let kinds = features.typeKinds
    let older = try BTFSanitizer(features: kinds).sanitize(try BTF(parsing: Bytes(bytes)))
    log = KernelLog(level: 1, capacity: 1 << 20)
    do throws(Errno) {
      btf = SharedDescriptor(
        try kernel.loadBTF(older.span.rawBytes, token: token?.descriptor.number, log: &log))
      hasFunctionTypes = kinds.contains(.functions)
    } catch {
      let reason = log.text.split(separator: "\n").last.map { ": " + $0 } ?? ""
      warnings.append(
        EBPFError(
          .rejected, "the kernel does not take the object's BTF\(reason)",
          systemCall: error.failure(of: "bpf(BPF_BTF_LOAD)"),
          hint: "maps and programs are loaded without it", verifierLog: log.text))
    }
  }
}
