import EBPF

/// What `ebpf validate --json` says about one file.
struct ObjectDocument: Encodable {
  let file: String
  let valid: Bool
  let license: String
  @Nullable var btf: Types?
  let programs: [Program]
  let maps: [Map]
  let globals: [Global]
  let externs: [Extern]
  @Nullable var minimumKernel: MinimumKernel?
  let core: Relocations
  let findings: [Finding]

  struct Types: Encodable {
    let types: UInt32
  }

  struct Map: Encodable {
    let name: String
    let section: String
    let type: String
    let keySize: UInt32
    let valueSize: UInt32
    let maxEntries: UInt32
    let flags: UInt32
    let pinned: Bool
    let inner: [Map]
    @Nullable var implements: Structure?

    init(_ map: MapSpec, _ structOps: ObjectReport.StructOps? = nil) {
      name = map.name
      section = map.sectionName
      type = map.type.name
      keySize = map.keySize
      valueSize = map.valueSize
      maxEntries = map.maxEntries
      flags = map.flags
      pinned = map.pinning == .byName
      inner = map.inner.map { Map($0) }
      implements = structOps.map(Structure.init)
    }
  }

  /// The kernel structure that a struct_ops map implements.
  struct Structure: Encodable {
    let structure: String
    let functions: [String: String]
    let link: Bool
    let autocreate: Bool

    init(_ ops: ObjectReport.StructOps) {
      structure = ops.structure
      functions = Dictionary(ops.functions.map { ($0.member, $0.program) }) { first, _ in first }
      link = ops.hasLink
      autocreate = ops.autocreate
    }
  }

  struct Global: Encodable {
    let name: String
    let type: String
    let section: String
    let offset: UInt32
    let size: UInt32
  }

  struct Extern: Encodable {
    let name: String
    let kind: String
    let weak: Bool
  }

  struct MinimumKernel: Encodable {
    let version: String
    let because: [String]
  }

  struct Relocations: Encodable {
    let records: Int
    @Nullable var resolved: Int?
    let unresolved: [Unresolved]
    @Nullable var target: String?
    @Nullable var targetError: ErrorDocument.Body?
  }

  struct Unresolved: Encodable {
    let program: String
    let section: String
    let instruction: Int
    let kind: String
    let reason: String
  }

  struct Finding: Encodable {
    let severity: String
    let code: String
    let message: String
    let context: [String: String]
    @Nullable var hint: String?

    init(_ finding: ObjectReport.Finding) {
      severity = finding.severity.rawValue
      code = finding.error.code.description
      message = finding.error.message
      context = ErrorDocument.places(finding.error)
      hint = finding.error.hint
    }
  }

  /// Describes an object.
  init(_ validation: Validation, disassembling: Bool) {
    let report = validation.report
    file = report.file
    valid = report.isValid
    license = report.license
    btf = report.object?.btf.map { Types(types: $0.typeCount - 1) }
    var described: [Program] = []
    for program in report.programs {
      let listing =
        disassembling
        ? ProgramListing(program.spec, btf: report.object?.btf) : nil
      described.append(Program(program, listing))
    }
    programs = described
    let structOps = Dictionary(report.structOps.map { ($0.map, $0) }) { first, _ in first }
    maps = report.maps.map { Map($0, structOps[$0.name]) }
    globals = report.globals.map { global in
      Global(
        name: global.variable.name, type: global.typeName, section: global.variable.sectionName,
        offset: global.variable.offset, size: global.variable.size)
    }
    externs = report.externs.map { Extern(name: $0.name, kind: $0.kind, weak: $0.isWeak) }
    minimumKernel = report.minimumKernel.map {
      MinimumKernel(version: $0.version.description, because: $0.because)
    }
    core = Relocations(
      records: report.relocations.count, resolved: report.relocations.resolvedCount,
      unresolved: report.relocations.unresolved.map {
        Unresolved(
          program: $0.function, section: $0.section, instruction: $0.instruction,
          kind: $0.kind.words, reason: $0.reason)
      },
      target: validation.target, targetError: validation.targetProblem.map(ErrorDocument.Body.init))
    findings = report.findings.map(Finding.init)
  }
}

// MARK: - Programs

extension ObjectDocument {
  struct Program: Encodable {
    let name: String
    let section: String
    let type: String
    @Nullable var attachType: String?
    let attachTarget: String
    let autoload: Bool
    let instructions: Int
    let subprograms: [String]
    let helpers: [String]
    let kfuncs: [String]
    let maps: [String]
    let disassembly: [Instruction]?

    init(_ program: ObjectReport.Program, _ listing: ProgramListing?) {
      name = program.spec.name
      section = program.spec.sectionName
      type = program.spec.type.name
      attachType = program.spec.attachType.rawValue == 0 ? nil : program.spec.attachType.name
      attachTarget = program.spec.attachTarget
      autoload = program.spec.autoload
      instructions = program.instructionCount
      subprograms = program.subprograms
      helpers = program.helperNames
      kfuncs = program.kernelFunctions
      maps = program.maps
      disassembly = listing?.rows.map(Instruction.init)
    }
  }

  struct Instruction: Encodable {
    let index: Int
    let text: String
    let function: String?
    let reference: String?
    let source: Source?

    struct Source: Encodable {
      let file: String
      let line: Int
      let column: Int
      let text: String
    }

    init(_ row: ProgramListing.Row) {
      index = row.index
      text = row.text
      function = row.function
      reference = row.reference
      source = row.source.map {
        Source(file: $0.file, line: $0.line, column: $0.column, text: $0.text)
      }
    }
  }
}

/// Several files at once: an object or an error for each, in the order they were named.
struct ObjectDocuments: Encodable {
  let files: [Entry]

  enum Entry: Encodable {
    case object(ObjectDocument)
    case failure(ErrorDocument)

    func encode(to encoder: any Encoder) throws {
      switch self {
      case .object(let document): try document.encode(to: encoder)
      case .failure(let document): try document.encode(to: encoder)
      }
    }
  }
}
