public import EBPFSystem
internal import Synchronization

/// The running kernel's own types: `vmlinux` and its modules, read once per process.
///
/// Nothing is read before it is asked for. The blob is mapped where the kernel allows it (6.16), and
/// only the pages that look-ups touch are brought in.
public final class KernelTypes: Sendable {
  /// A module's types.
  public struct Module: Sendable {
    /// The module's name.
    public let name: String
    /// Its types, which continue the kernel's.
    public let types: BTF
    /// The kernel's id of the BTF object.
    public let id: UInt32
  }

  /// The running kernel's, shared by everything in this process.
  public static let running = KernelTypes()

  private let kernel: any KernelInterface
  private let path: String
  private let cached = Mutex<BTF?>(nil)
  private let cachedModules = Mutex<[Module]?>(nil)
  /// How many want it kept, and whether somebody wanted it gone meanwhile.
  private let keepers = Mutex((count: 0, isForgetDue: false))

  /// The types found at `path`; other paths than the usual one are for tests.
  public init(
    path: String = "/sys/kernel/btf/vmlinux", kernel: any KernelInterface = LiveKernel()
  ) {
    self.path = path
    self.kernel = kernel
  }

  /// The kernel's types; `unsupported` when it was built without, `malformed` when unreadable.
  public func vmlinux() throws(EBPFError) -> BTF {
    try cached.withLock { (cached) throws(EBPFError) -> BTF in
      if let cached { return cached }
      let types = try Self.read(path)
      cached = types
      return types
    }
  }

  /// Forgets what was read, so that its memory can go; while somebody is ``keeping(_:)`` it, later.
  public func forget() {
    let isKept = keepers.withLock { keepers in
      keepers.isForgetDue = true
      return keepers.count > 0
    }
    if isKept { return }
    cached.withLock { $0 = nil }
    cachedModules.withLock { $0 = nil }
  }

  /// Runs `body`, and keeps what was read until its end.
  public func keeping<Value>(
    _ body: () throws(EBPFError) -> Value
  ) throws(EBPFError) -> Value {
    keepers.withLock {
      if $0.count == 0 { $0.isForgetDue = false }
      $0.count += 1
    }
    defer {
      let isDue = keepers.withLock { keepers in
        keepers.count -= 1
        return keepers.count == 0 && keepers.isForgetDue
      }
      if isDue { forget() }
    }
    return try body()
  }

  /// Reads a BTF file: raw, as in /sys/kernel/btf, or the `.BTF` section of an ELF file. `base` are
  /// the types that it continues, as a module's continue the kernel's.
  public static func read(_ path: String, base: BTF? = nil) throws(EBPFError) -> BTF {
    let bytes: Bytes
    do throws(Errno) { bytes = try MappedFile.open(path) } catch {
      throw unreadable(path, error)
    }
    return try EBPFError.at(.file(path)) { () throws(EBPFError) in
      let magic = try bytes.count >= 4 ? bytes.load(at: 0, as: UInt32.self) : 0
      guard magic == 0x464c_457f else { return try BTF(parsing: bytes, base: base) }
      let file = try ELFFile(bytes)
      guard let section = file.section(named: ".BTF") else {
        throw EBPFError(.notFound, "the file has no .BTF section", hint: "pahole -J adds one")
      }
      return try BTF(parsing: try file.contents(of: section), base: base)
    }
  }

  private static func unreadable(_ path: String, _ errno: Errno) -> EBPFError {
    func error(_ code: EBPFError.Code, _ message: String, _ hint: String?) -> EBPFError {
      EBPFError(
        code, message, context: [.file(path)], systemCall: errno.failure(of: "open"), hint: hint)
    }
    switch errno {
    case .noEntry:
      // Every kernel has /sys/kernel; where it is missing, what is in it cannot be known.
      let system = "/sys/kernel"
      if path.hasPrefix(system), !FileSystem.exists(system) {
        return error(
          .unsupported, "/sys is not mounted, so the kernel's BTF cannot be read",
          "mount it: mount -t sysfs sysfs /sys (in a container: bind the host's /sys, read-only)")
      }
      return error(
        .unsupported, "this kernel has no BTF",
        "it was built without CONFIG_DEBUG_INFO_BTF; give a file made for it, from BTFHub for "
          + "example (ebpf load --btf FILE)")
    case .accessDenied: return error(.denied, "the kernel's BTF cannot be read", nil)
    default: return error(.system, "the kernel's BTF cannot be read", nil)
    }
  }

  /// The types of every loaded module. Empty where this process may not list them: that takes
  /// `CAP_SYS_ADMIN`, and a program that needs no module's types must load without it.
  public func modules() throws(EBPFError) -> [Module] {
    if let modules = cachedModules.withLock({ $0 }) { return modules }
    let base = try vmlinux()
    var modules: [Module] = []
    var id: UInt32 = 0
    while let next = try nextID(after: id) {
      id = next
      if let module = try module(id: id, base: base) { modules.append(module) }
    }
    cachedModules.withLock { $0 = modules }
    return modules
  }

  private func nextID(after id: UInt32) throws(EBPFError) -> UInt32? {
    do throws(Errno) { return try kernel.nextID(.btf, after: id) } catch {
      if error == .notPermitted || error == .accessDenied { return nil }
      throw EBPFError(
        .system, "the kernel does not list its BTF objects",
        systemCall: error.failure(of: "bpf(BPF_BTF_GET_NEXT_ID)"))
    }
  }

  /// Nil for the kernel's own BTF, for programs', and for one that has gone meanwhile.
  private func module(id: UInt32, base: BTF) throws(EBPFError) -> Module? {
    let name: String
    let data: [UInt8]
    do throws(Errno) {
      let descriptor = try kernel.open(.btf, id: id, flags: 0)
      let information = try kernel.btfInformation(descriptor.rawValue, withData: false)
      guard information.isKernel, information.name != "vmlinux" else { return nil }
      name = information.name
      data = try kernel.btfInformation(descriptor.rawValue, withData: true).data
    } catch {
      if error == .noEntry || error == .notPermitted { return nil }
      throw EBPFError(
        .system, "BTF object \(id) cannot be read",
        systemCall: error.failure(of: "bpf(BPF_OBJ_GET_INFO_BY_FD)"))
    }
    return try EBPFError.at(.other("module", name)) { () throws(EBPFError) in
      Module(name: name, types: try BTF(parsing: Bytes(data), base: base), id: id)
    }
  }
}

// MARK: - What a program attaches to

extension KernelTypes {
  /// A function or tracepoint in the kernel's types.
  struct Target {
    /// Its id there.
    let typeID: UInt32
    /// The module that has it; nil for the kernel itself.
    let module: Module?
  }

  /// The type that a program of this kind names as its target; `module:name` asks for one module.
  func target(named name: String, for attachType: AttachType) throws(EBPFError) -> Target {
    let (prefix, kind) = Self.naming(attachType)
    let parts = name.split(separator: ":", maxSplits: 1)
    let moduleName = parts.count == 2 ? String(parts[0]) : nil
    let full = prefix + (parts.count == 2 ? String(parts[1]) : name)
    if let target = try find(full, kind, in: moduleName) { return target }
    throw EBPFError(
      .notFound, "the kernel's BTF has no \(Self.noun(attachType)) '\(name)'",
      hint: moduleName.map { "is module '\($0)' loaded? lsmod shows it" }
        ?? nearNames(to: name, for: attachType) ?? Self.missingHint(attachType))
  }

  /// The types that programs of these kinds name as their targets, as far as the kernel itself has them:
  /// found in one pass.
  func targets(
    _ wanted: [(name: String, attachType: AttachType)]
  ) throws(EBPFError) -> [UInt32?] {
    guard !wanted.isEmpty else { return [] }
    return try vmlinux().firstIDs(
      of: wanted.map { target in
        let (prefix, kind) = Self.naming(target.attachType)
        return (prefix + target.name, kind)
      })
  }

  /// A type by its name, in the kernel's types and then in its modules'; or only in one of them.
  func find(
    _ name: String, _ kind: BTFKind, in moduleName: String? = nil
  ) throws(EBPFError) -> Target? {
    let base = try vmlinux()
    if moduleName == nil || moduleName == "vmlinux",
      let id = try base.firstID(named: name, kind: kind)
    {
      return Target(typeID: id, module: nil)
    }
    for module in try modules() where moduleName == nil || moduleName == module.name {
      // Split BTF finds the base's types as well; only its own count.
      if let id = try module.types.firstID(named: name, kind: kind), id >= base.typeCount {
        return Target(typeID: id, module: module)
      }
    }
    return nil
  }

  /// A descriptor of a module's BTF, for requests that name it.
  func open(_ module: Module) throws(EBPFError) -> OwnedDescriptor {
    do throws(Errno) { return try kernel.open(.btf, id: module.id, flags: 0) } catch {
      throw EBPFError(
        error == .noEntry ? .notFound : .system,
        "the BTF of module '\(module.name)' cannot be opened",
        systemCall: error.failure(of: "bpf(BPF_BTF_GET_FD_BY_ID)"),
        hint: error == .noEntry ? "the module has been unloaded meanwhile" : nil)
    }
  }

  private static func noun(_ type: AttachType) -> String {
    switch type {
    case .traceRawTracepoint: "tracepoint"
    case .lsm, .lsmCgroup: "security hook"
    case .traceIterator: "iterator"
    default: "function"
    }
  }
}
