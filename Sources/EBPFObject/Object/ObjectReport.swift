/// Everything that can be said about an object file without a kernel: what is in it, what it needs,
/// and everything that is wrong with it.
///
/// Unlike ``ObjectFile``, which stops at the first problem, a report goes on; what could be read is
/// there even when the object is not valid.
public struct ObjectReport: Sendable {
  /// How much a finding matters.
  public enum Severity: String, Sendable, Hashable {
    /// The object, or a part of it, cannot be loaded.
    case error
    /// It loads, but probably not as its author meant.
    case warning
  }

  /// One problem: the error that a load would throw, or a warning in the same form.
  public struct Finding: Sendable, Hashable {
    /// How much it matters.
    public var severity: Severity
    /// What, where, and what to do about it.
    public var error: EBPFError
  }

  /// One program.
  public struct Program: Sendable {
    /// What will be loaded.
    public var spec: ProgramSpec
    /// How it is attached; nil for an unknown section name.
    public var attachKind: SectionTable.AttachKind?
    /// The instructions of the program itself, without its subprograms.
    public var instructionCount: Int
    /// The functions it calls, by name.
    public var subprograms: [String]
    /// The helpers it calls, by name without `bpf_`; `#300` for an unknown one.
    public var helpers: [String]
    /// The kernel functions it calls.
    public var kernelFunctions: [String]
    /// The maps it uses.
    public var maps: [String]
    /// Its section's name, taken apart.
    let section: SectionName
    /// The helpers it calls, by number, ascending.
    let helperIDs: [Int32]
    /// What its instructions need beyond the first instruction set.
    let features: InstructionFeatures
  }

  /// One variable of a data section.
  public struct Global: Sendable, Hashable {
    /// Name, place and size.
    public var variable: GlobalVariable
    /// Its type as C writes it.
    public var typeName: String
  }

  /// Something that needs a kernel of at least some version.
  public struct Requirement: Sendable, Hashable {
    /// The first kernel that has it.
    public var version: KernelVersion
    /// What needs it: `map 'events' has type ringbuf`.
    public var reason: String
  }

  /// How the CO-RE records come out against one kernel's types.
  public struct Relocations: Sendable, Hashable {
    /// A record that finds nothing to match, and makes its instruction unusable.
    public struct Unresolved: Sendable, Hashable {
      /// The function it is in.
      public var function: String
      /// The section of the function.
      public var section: String
      /// The instruction, counted from the function's start.
      public var instruction: Int
      /// What is asked.
      public var kind: CORERecord.Kind
      /// Why there is no answer.
      public var reason: String
    }
    /// The number of records.
    public var count: Int
    /// How many have an answer; nil when there was no target to ask.
    public var resolvedCount: Int?
    /// Those that have none.
    public var unresolved: [Unresolved]
  }

  /// The name or path of the file.
  public var file: String
  /// The object as far as it could be read; nil when it is none.
  public var object: ObjectFile?
  /// Every problem, errors first.
  public var findings: [Finding] = []
  /// Its programs.
  public var programs: [Program] = []
  /// Its variables.
  public var globals: [Global] = []
  /// The kernel structures that it implements.
  public internal(set) var structOps: [StructOps] = []
  /// True when the kernel they were laid out for has not got one of them; a module of it may.
  public internal(set) var lacksStructOps = false
  /// Everything that needs a kernel version, newest first.
  public var requirements: [Requirement] { needs.sorted }
  private var needs = Requirements()
  /// Its CO-RE records.
  public var relocations = Relocations(count: 0, resolvedCount: nil, unresolved: [])
  private var records: [ParsedObject.Record] = []
  /// The findings without those of ``resolve(against:)``.
  private var findingsAlone: [Finding] = []

  /// True when nothing keeps the object from loading.
  public var isValid: Bool { !findings.contains { $0.severity == .error } }
  /// Its maps.
  public var maps: [MapSpec] { object?.maps ?? [] }
  /// Its license; empty for none.
  public var license: String { object?.license ?? "" }

  /// The oldest kernel that can load it, and what needs just that one; nil when nothing in it has a
  /// known age.
  ///
  /// Programs with a leading `?` do not count: a loader leaves them out where they cannot run. What
  /// a loader replaces on older kernels (BTF kinds, function information) does not count either.
  public var minimumKernel: (version: KernelVersion, because: [String])? { needs.newest }

  /// Examines a file.
  ///
  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - name: its name or path.
  ///   - targets: the types of the kernel to resolve CO-RE records against, then those of modules;
  ///     empty to leave them open.
  ///   - sizeLimit: a larger file is refused unread.
  ///   - decompressor: expands compressed sections.
  public init(
    _ bytes: Bytes, name: String = "", targets: [BTF] = [],
    sizeLimit: Int = ObjectFile.standardSizeLimit, decompressor: Decompressor? = nil
  ) {
    file = name
    var findings = ObjectFindings(stopsAtFirst: false)
    var parsed: ParsedObject?
    do throws(EBPFError) {
      let result = try ObjectParser.parse(
        bytes, name: name, sizeLimit: sizeLimit, decompressor: decompressor, findings: &findings)
      parsed = result
      object = result.object
    } catch {
      add(.error, error)
    }
    for error in findings.errors { add(.error, error) }
    for warning in findings.warnings { add(.warning, warning) }
    if let parsed { examine(parsed) }
    findingsAlone = self.findings
    sortFindings()
    resolve(against: targets)
  }

  /// Resolves the CO-RE records against a kernel's types, in place of those given before; what is
  /// wrong with the records themselves becomes a finding.
  ///
  /// - Parameter targets: the types of the kernel, then those of modules; empty to leave the records
  ///   open.
  public mutating func resolve(against targets: [BTF]) {
    relocations = Relocations(count: records.count, resolvedCount: nil, unresolved: [])
    findings = findingsAlone
    defer { sortFindings() }
    layOutStructOps(against: targets)
    guard let local = object?.btf, !targets.isEmpty, !records.isEmpty else { return }
    var relocator = CORERelocator(local: local, targets: targets)
    let roots = rootIDs
    attempt { () throws(EBPFError) in try relocator.prepare(forRoots: roots) }
    var resolved = 0
    for record in records {
      do throws(EBPFError) {
        let result = try relocator.resolve(record.record)
        guard result.isPoisoned else {
          resolved += 1
          continue
        }
        relocations.unresolved.append(
          Relocations.Unresolved(
            function: record.function, section: record.section,
            instruction: record.record.instruction, kind: record.record.kind,
            reason: result.reason ?? "nothing in the kernel matches"))
      } catch {
        add(
          .error,
          error.within(.instruction(record.record.instruction)).within(.program(record.function))
            .within(.section(record.section)))
      }
    }
    relocations.resolvedCount = resolved
  }

  /// The types that the CO-RE records begin with, each once.
  private var rootIDs: [UInt32] {
    var ids: [UInt32] = []
    for record in records where record.record.kind != .typeIDLocal {
      if ids.last != record.record.typeID { ids.append(record.record.typeID) }
    }
    ids.sort()
    return ids.indices.filter { $0 == 0 || ids[$0 - 1] != ids[$0] }.map { ids[$0] }
  }

  private mutating func sortFindings() {
    findings.sort { $0.severity == .error && $1.severity != .error }
  }

  /// True when nothing more will be kept.
  var isFull: Bool { findings.count >= 2 * ObjectFindings.limit }

  mutating func add(_ severity: Severity, _ error: EBPFError) {
    guard !isFull else { return }
    findings.append(
      Finding(severity: severity, error: file.isEmpty ? error : error.within(.file(file))))
  }

  /// Runs a part of the examination; a failure becomes a finding.
  @discardableResult
  mutating func attempt<Result>(_ body: () throws(EBPFError) -> Result) -> Result? {
    do throws(EBPFError) { return try body() } catch { add(.error, error) }
    return nil
  }
}

// MARK: - The examination

extension ObjectReport {
  private mutating func examine(_ parsed: ParsedObject) {
    let object = parsed.object
    for anomaly in parsed.elf.anomalies() { add(.error, anomaly) }
    if !object.isNativeOrder {
      let (found, wanted) =
        object.order == .big ? ("big", "little") : ("little", "big")
      add(
        .error,
        EBPFError(
          .unsupported, "the object is \(found)-endian, and this machine is \(wanted)-endian",
          context: [.offset(5)],
          hint: "compile with clang -target \(wanted == "little" ? "bpfel" : "bpfeb")"))
    }
    if object.programs.isEmpty, parsed.functionCount == 0 || isValid {
      add(
        .error,
        EBPFError(
          .notFound, "the object has no programs",
          hint: "put a function into a section of its own with SEC(\"kprobe/…\")"))
    }
    checkTypes(object)
    checkLines(object)
    programs.reserveCapacity(object.programs.count)
    var shared = Program.Shared()
    for index in object.programs.indices {
      programs.append(
        Program(object.programs[index], in: parsed.programSections[index], &shared))
    }
    checkPrograms()
    checkMaps(object.maps)
    describeStructOps(object)
    checkLicense()
    describeGlobals(object)
    records = parsed.relocations
    needs = Requirements(object, programs)
  }

  /// Reports what the kernel would refuse the object's types for, which parsing lets through.
  private mutating func checkTypes(_ object: ObjectFile) {
    let blob = attempt { () throws(EBPFError) in try object.kernelBTF() } ?? nil
    guard object.isNativeOrder, let blob else { return }
    let problems = attempt { () throws(EBPFError) in
      BTFVerifier.findings(in: try BTF(parsing: Bytes(blob)), limit: ObjectFindings.limit)
    }
    for problem in problems ?? [] { add(.error, problem.within(.section(".BTF"))) }
  }

  private mutating func checkPrograms() {
    var names: Set<String> = []
    names.reserveCapacity(programs.count)
    for index in programs.indices {
      // Most programs are all right, and need no copy.
      let isNew = names.insert(programs[index].spec.name).inserted
      let section = programs[index].section
      if isNew, !section.isUnknown, !section.lacksTarget { continue }
      let spec = programs[index].spec
      if section.isUnknown {
        let near = isFull ? nil : section.suggestion
        let hint = near.map { "the nearest known name is '\($0)'; " } ?? ""
        add(
          spec.autoload ? .error : .warning,
          EBPFError(
            .unsupported, "the section name '\(spec.sectionName)' says no program type",
            context: spec.places, hint: hint + "a loader has to be told the type"))
      } else if section.lacksTarget {
        add(
          .warning,
          EBPFError(
            .invalidArgument, "the section names no target: \(section.row?.form ?? "")",
            context: spec.places, hint: "set the program's target before it is loaded"))
      }
      if !isNew {
        add(
          .warning,
          EBPFError(
            .exists, "two programs are called '\(spec.name)'", context: spec.places,
            hint: "a loader finds only the first by its name"))
      }
    }
  }

  private mutating func checkMaps(_ maps: [MapSpec]) {
    for map in maps {
      let places: [EBPFError.Context] = [.section(map.sectionName), .map(map.name)]
      if map.type == .unspecified || !map.type.isKnown {
        add(
          .error,
          EBPFError(
            .unsupported, "no known map type has number \(map.type.rawValue)", context: places,
            hint: "the known types are 1 to \(MapType.all.count - 1)"))
      }
      if map.maxEntries == 0, map.type.needsCapacity {
        add(
          .warning,
          EBPFError(
            .invalidArgument, "the map has no max_entries", context: places,
            hint: "set it before the load: ebpf load --map \(map.name):max_entries=N"))
      }
    }
  }

  private mutating func checkLicense() {
    guard !programs.isEmpty else { return }
    if license.isEmpty {
      add(
        .warning,
        EBPFError(
          .notFound, "the object names no license, so the kernel takes it for proprietary",
          context: [.section("license")],
          hint: "add: char LICENSE[] SEC(\"license\") = \"GPL\";"))
    }
    guard !LicenseRules.isGPLCompatible(license) else { return }
    for program in programs {
      var restricted = program.helperIDs.filter { LicenseRules.requiresGPL(helper: $0) }
        .map { "helper bpf_" + (HelperTable.name(of: $0) ?? String($0)) }
      restricted += program.kernelFunctions.map { "kernel function " + $0 }
      if LicenseRules.requiresGPL(program.spec.type) {
        restricted.append("program type " + program.spec.type.name)
      }
      guard !restricted.isEmpty else { continue }
      add(
        .error,
        EBPFError(
          .denied,
          "the license '\(license)' is not compatible with the GPL, which is needed for "
            + restricted.joined(separator: ", "),
          context: program.spec.places,
          hint: "name a license such as \"GPL\" or \"Dual BSD/GPL\", or do without"))
    }
  }

  private mutating func describeGlobals(_ object: ObjectFile) {
    guard let btf = object.btf else { return }
    for variable in object.globals {
      let name = attempt { () throws(EBPFError) in try btf.typeName(variable.typeID) }
      globals.append(Global(variable: variable, typeName: name ?? ""))
    }
  }
}

extension ProgramSpec {
  /// Where a finding about the whole program is.
  fileprivate var places: [EBPFError.Context] { [.section(sectionName), .program(name)] }
}

extension MapType {
  /// True for types of which a map without capacity cannot be created.
  fileprivate var needsCapacity: Bool {
    switch self {
    case .perfEventArray, .cpuMap, .socketStorage, .inodeStorage, .taskStorage, .cgroupStorage,
      .cgroupStorageDeprecated, .perCPUCgroupStorageDeprecated, .structOps, .arena, .unspecified:
      false
    default: isKnown
    }
  }
}
