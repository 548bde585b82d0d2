public import EBPFSystem
internal import Synchronization

/// An object file's programs and maps, in the kernel.
///
/// Loading is all or nothing: when it fails, nothing stays in the kernel. Programs and maps go when
/// nobody refers to them any more; ``unload()`` ends them now, with every link of their programs.
public final class LoadedObject: Sendable {
  /// The object's name.
  public let name: String
  /// What the verifier said about programs it accepted, where ``LoadOptions/logLevel`` asked for it.
  public let verifierLogs: [String: VerifierLog]

  /// What is odd about the object, or about this kernel, but did not keep it from loading.
  public let warnings: [EBPFError]

  /// Where maps are pinned because the object says so, by name. These stay after ``unload()``, until
  /// somebody removes the path.
  public let pinnedMaps: [String: String]

  private struct Contents {
    var programs: [Program]
    var maps: [RawMap]
    var structOps: [StructOps]
    let attachments: AttachmentSet
  }
  private let contents: Mutex<Contents?>
  let globals: [GlobalVariable]
  let types: MapTypes
  private let programNames: [String]
  private let mapNames: [String]

  /// Loads an object: adapts it to the running kernel, makes its maps, verifies its programs.
  ///
  /// - Parameters:
  ///   - object: the object; edit its maps and programs before.
  ///   - options: what else is wanted.
  ///   - kernel: the running one.
  ///   - types: the running kernel's own types, read only if something needs them.
  public convenience init(
    _ object: ObjectFile, options: LoadOptions = LoadOptions(),
    kernel: any KernelInterface = LiveKernel(), types: KernelTypes = .running
  ) throws(EBPFError) {
    try self.init(
      object, options: options, kernel: kernel, types: types, features: .running)
  }

  init(
    _ object: ObjectFile, options: LoadOptions, kernel: any KernelInterface, types: KernelTypes,
    features: KernelFeatures
  ) throws(EBPFError) {
    do throws(EBPFError) {
      var loader = try ObjectLoader(
        object, options: options, kernel: kernel, types: types, features: features)
      let programs = try loader.run()
      let maps = object.maps.compactMap { loader.made[$0.name] }
      name = object.name
      verifierLogs = loader.logs
      warnings = loader.warnings
      pinnedMaps = loader.pinned
      globals = object.globals
      self.types = MapTypes(object)
      programNames = programs.map(\.name)
      mapNames = maps.map(\.name)
      contents = Mutex(
        Contents(
          programs: programs, maps: maps, structOps: loader.structOps(of: programs),
          attachments: loader.attachments))
    } catch {
      throw object.name.isEmpty ? error : error.within(.other("object", object.name))
    }
  }

  /// The loaded programs, in file order; empty after ``unload()``.
  public var programs: [Program] { contents.withLock { $0?.programs ?? [] } }

  /// The maps, in file order; empty after ``unload()``.
  public var maps: [RawMap] { contents.withLock { $0?.maps ?? [] } }

  /// The program of that name.
  public func program(_ name: String) throws(EBPFError) -> Program {
    if let program = programs.first(where: { $0.name == name }) { return program }
    throw missing("program", name, among: programNames)
  }

  /// The map of that name, its keys and values as bytes. The name may be a data section's: `.bss`.
  public func map(_ name: String) throws(EBPFError) -> RawMap {
    if let map = maps.first(where: { $0.name == name }) { return map }
    if name.hasPrefix("."), let map = maps.first(where: { $0.name.hasSuffix(name) }) { return map }
    throw missing("map", name, among: mapNames)
  }

  /// The kernel structures that the object implements, in file order; empty after ``unload()``.
  public var structOps: [StructOps] { contents.withLock { $0?.structOps ?? [] } }

  /// The kernel structure that the object implements in the variable of that name.
  public func structOps(_ name: String) throws(EBPFError) -> StructOps {
    let all = structOps
    if let ops = all.first(where: { $0.name == name }) { return ops }
    throw missing("kernel structure", name, among: all.map(\.name))
  }

  private func missing(_ what: String, _ name: String, among names: [String]) -> EBPFError {
    if names.contains(name) {
      return EBPFError(
        .invalidState, "\(what) '\(name)' was unloaded", hint: "load the object again")
    }
    return EBPFError(
      .notFound, "the object has no loaded \(what) '\(name)'",
      hint: NearNames.hint(for: name, in: names)
        ?? (names.isEmpty ? "it has none" : "it has \(names.prefix(16).joined(separator: ", "))"))
  }

  /// Detaches every program, closes programs and maps. Again is fine. What could not be undone is
  /// returned; the rest is gone all the same. What was pinned stays.
  @discardableResult
  public func unload() -> [EBPFError] {
    let taken = contents.withLock { contents in
      defer { contents = nil }
      return contents
    }
    guard let taken else { return [] }
    let failures = taken.attachments.endAll()
    for program in taken.programs { program.unload() }
    return failures
  }
}
