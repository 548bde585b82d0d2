/// A BPF object file, read and linked: what its programs and maps will be, before they exist.
///
/// Reading the same bytes gives the same value on every machine; whatever depends on a kernel (CO-RE,
/// descriptors, kernel symbols) is still by name. ``maps`` and ``programs`` are plain values: edit
/// them before the object is loaded.
public struct ObjectFile: Sendable {
  /// The default of the size limit: 1,000,000 bytes.
  public static let standardSizeLimit = 1_000_000

  /// The object's name: the file's, up to its first dot.
  public let name: String
  /// The maps: legacy ones, those in `.maps`, data sections, `.kconfig`, struct_ops; in file order.
  public var maps: [MapSpec]
  /// The programs, each with the subprograms it calls, in file order.
  public var programs: [ProgramSpec]
  /// The license; empty when the object names none, which the kernel treats as proprietary.
  public var license: String
  /// The kernel version of the `version` section; 0 for none. Only kernels before 5.0 look at it.
  public var version: UInt32
  /// The byte order of the instructions.
  public let order: ByteOrder
  /// The object's own types; nil when it was built without BTF.
  public let btf: BTF?
  /// Variables in data sections that have BTF.
  public let globals: [GlobalVariable]
  /// Variables that the kernel's configuration gives a value to.
  public let configuration: [ConfigurationVariable]
  /// Kernel variables and functions the object refers to (`.ksyms`).
  public let kernelSymbols: [KernelSymbol]
  /// BTF `FUNC` ids of global functions with hidden visibility: the kernel shall verify them as part
  /// of their callers, as it does static ones.
  public let functionsToMarkStatic: [UInt32]
  /// What is odd, but does not keep the object from loading.
  public let warnings: [EBPFError]
  /// The offsets that symbols give to variables, by section and name; BTF from a compiler lacks them.
  let variableOffsets: [String: [String: UInt32]]
  /// The sizes of the data sections.
  let sectionSizes: [String: UInt32]

  /// True when the instructions have this machine's byte order.
  public var isNativeOrder: Bool { order == .host }

  /// Reads and links an object.
  ///
  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - name: the file's name or path; data maps are named for it, and errors name it.
  ///   - sizeLimit: a larger file is refused before anything is read from it.
  ///   - decompressor: expands compressed sections; without one they are `unsupported`.
  public init(
    parsing bytes: Bytes, name: String = "", sizeLimit: Int = ObjectFile.standardSizeLimit,
    decompressor: Decompressor? = nil
  ) throws(EBPFError) {
    var findings = ObjectFindings(stopsAtFirst: true)
    do throws(EBPFError) {
      self = try ObjectParser.parse(
        bytes, name: name, sizeLimit: sizeLimit, decompressor: decompressor, findings: &findings
      ).object
    } catch {
      throw name.isEmpty ? error : error.within(.file(name))
    }
  }

  /// The program of that name.
  public func program(named name: String) throws(EBPFError) -> ProgramSpec {
    guard let program = programs.first(where: { $0.name == name }) else {
      throw EBPFError(
        .notFound, "the object has no program '\(name)'",
        hint: Self.choice(of: programs.map(\.name)))
    }
    return program
  }

  /// The map of that name.
  public func map(named name: String) throws(EBPFError) -> MapSpec {
    guard let map = maps.first(where: { $0.name == name }) else {
      throw EBPFError(
        .notFound, "the object has no map '\(name)'", hint: Self.choice(of: maps.map(\.name)))
    }
    return map
  }

  private static func choice(of names: [String]) -> String {
    names.isEmpty ? "it has none" : "it has " + names.prefix(16).joined(separator: ", ")
  }
}

extension ObjectFile {
  init(
    name: String, maps: [MapSpec], programs: [ProgramSpec], license: String, version: UInt32,
    order: ByteOrder, btf: BTF?, globals: DataSections, externs: ExternTable,
    functionsToMarkStatic: [UInt32], warnings: [EBPFError]
  ) {
    self.name = name
    self.maps = maps
    self.programs = programs
    self.license = license
    self.version = version
    self.order = order
    self.btf = btf
    self.globals = globals.variables
    configuration = externs.configuration
    kernelSymbols = externs.kernelSymbols
    self.functionsToMarkStatic = functionsToMarkStatic
    self.warnings = warnings
    variableOffsets = globals.symbolOffsets
    sectionSizes = globals.sizes
  }
}
