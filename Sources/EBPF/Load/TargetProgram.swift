internal import EBPFSystem

/// A program in the kernel, of which another one is to replace or to trace a function.
public struct TargetProgram: Sendable {
  enum Kind {
    case loaded(Program)
    case id(UInt32)
    case pinned(String)
    case sameObject(String)
  }

  let kind: Kind

  /// A program that this process has loaded.
  public static func program(_ program: Program) -> TargetProgram {
    TargetProgram(kind: .loaded(program))
  }

  /// The program with an id, as `bpftool prog show` lists it. Needs `CAP_SYS_ADMIN`.
  public static func id(_ id: UInt32) -> TargetProgram { TargetProgram(kind: .id(id)) }

  /// A program with a name in bpffs.
  public static func pinned(_ path: String) -> TargetProgram { TargetProgram(kind: .pinned(path)) }

  /// Another program of the object that is being loaded, by its name; for ``LoadOptions`` only.
  public static func sameObject(_ name: String) -> TargetProgram {
    TargetProgram(kind: .sameObject(name))
  }
}

extension TargetProgram: Hashable, CustomStringConvertible {
  private enum Identity: Hashable {
    case loaded(ObjectIdentifier)
    case id(UInt32)
    case pinned(String)
    case sameObject(String)
  }

  private var identity: Identity {
    switch kind {
    case .loaded(let program): .loaded(ObjectIdentifier(program))
    case .id(let id): .id(id)
    case .pinned(let path): .pinned(path)
    case .sameObject(let name): .sameObject(name)
    }
  }

  /// True when both name the same program in the same way.
  public static func == (one: TargetProgram, other: TargetProgram) -> Bool {
    one.identity == other.identity
  }

  /// Hashes how the program is named.
  public func hash(into hasher: inout Hasher) { hasher.combine(identity) }

  /// What messages call it: `program 'run'`.
  public var description: String {
    switch kind {
    case .loaded(let program): "program '\(program.name)'"
    case .id(let id): "program \(id)"
    case .pinned(let path): "the program pinned as '\(path)'"
    case .sameObject(let name): "program '\(name)'"
    }
  }
}

/// A function of a program in the kernel, as requests name it.
struct TargetFunction {
  /// The program.
  let program: SharedDescriptor
  /// The function's type in the program's own BTF.
  let typeID: UInt32
  /// The function as C declares it.
  let declaration: String
}

extension TargetProgram {
  /// Finds a function of the program by its name.
  ///
  /// - Parameters:
  ///   - isReplaced: that takes a global function, which the verifier checks by itself.
  ///   - btf: the program's BTF where it is open already; otherwise it is opened by its id.
  func function(
    _ name: String, isReplaced: Bool, btf: SharedDescriptor? = nil, kernel: any KernelInterface
  ) throws(EBPFError) -> TargetFunction {
    let program = try open(kernel)
    let information: ProgramInformation
    do throws(Errno) {
      information = try kernel.programInformation(program.number, details: .functions)
    } catch { throw EBPFError.describing("\(self)", error) }
    let types = try types(of: information, btf, kernel)
    // Other programs of the same object have their functions in the same BTF.
    var functions: [(id: UInt32, name: String)] = []
    for function in information.functions {
      functions.append((function.typeID, try types.name(of: try types.type(function.typeID))))
    }
    if functions.isEmpty, let id = try types.firstID(named: name, kind: .function) {
      functions = [(id, name)]
    }
    guard let function = functions.first(where: { $0.name == name }) else {
      throw EBPFError(
        .notFound, "\(self) has no function '\(name)'",
        hint: NearNames.hintOrList(for: name, in: functions.map(\.name)))
    }
    let type = try types.type(function.id)
    if isReplaced, type.functionLinkage == .static {
      throw EBPFError(
        .unsupported, "'\(name)' of \(self) is a static function, which cannot be replaced",
        hint: "declare it without static, and keep it from being inlined: "
          + "__attribute__((noinline))")
    }
    return TargetFunction(
      program: program, typeID: function.id,
      declaration: try types.declaration(of: type.referencedID, name: name))
  }

  private func open(_ kernel: any KernelInterface) throws(EBPFError) -> SharedDescriptor {
    switch kind {
    case .loaded(let program): return SharedDescriptor(try program.duplicateDescriptor())
    case .id(let id):
      return SharedDescriptor(try KernelObjects.open(.program, id: id, kernel: kernel))
    case .pinned(let path):
      return SharedDescriptor(try Pinning.open(path, .program, kernel: kernel))
    case .sameObject(let name):
      throw EBPFError(
        .invalidArgument, "which object program '\(name)' is of, only a load can tell",
        hint: "name the loaded program: .program(object.program(\"\(name)\"))")
    }
  }

  private func types(
    of information: ProgramInformation, _ known: SharedDescriptor?, _ kernel: any KernelInterface
  ) throws(EBPFError) -> BTF {
    guard information.btfID != 0 else {
      throw EBPFError(
        .notFound, "\(self) was loaded without BTF, so that its functions have no names",
        hint: "compile it with -g, and load it with a loader that gives the kernel its types")
    }
    let data: [UInt8]
    do throws(Errno) {
      let descriptor: SharedDescriptor
      if let known {
        descriptor = known
      } else {
        descriptor = SharedDescriptor(try kernel.open(.btf, id: information.btfID, flags: 0))
      }
      data = try kernel.btfInformation(descriptor.number, withData: true).data
    } catch {
      if error == .notPermitted {
        throw EBPFError.openingID(.btf, information.btfID, error)
      }
      throw EBPFError(
        .system, "the BTF of \(self) cannot be read",
        systemCall: error.failure(of: "bpf(BPF_BTF_GET_FD_BY_ID)"))
    }
    return try EBPFError.at(.other("BTF of", "\(self)")) { () throws(EBPFError) in
      try BTF(parsing: Bytes(data))
    }
  }
}
