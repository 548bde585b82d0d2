internal import EBPFSystem

/// What a program is loaded for, kept open while it is loaded.
struct LoadTarget: Sendable {
  /// The program that has the function, or the BTF of the module.
  let descriptor: SharedDescriptor
  /// The function as C declares it, where another program has it.
  var declaration: String?
}

extension ObjectLoader {
  /// True for a program that attaches to a function of another one of this object.
  func dependsOnOther(_ spec: ProgramSpec) -> Bool {
    if case .sameObject = options.attachTargets[spec.name]?.program.kind { true } else { false }
  }

  /// Finds the targets of all programs in the kernel's types at once. What is not found is looked for
  /// again when its program is loaded, and is that program's error then.
  mutating func findTargets() {
    let specs = programs.filter { spec in
      (spec.type == .tracing || spec.type == .lsm) && !spec.attachTarget.isEmpty
        && options.attachTargets[spec.name] == nil
    }
    do throws(EBPFError) {
      let ids = try types.targets(specs.map { ($0.attachTarget, $0.attachType) })
      for (spec, id) in zip(specs, ids) { targetTypes[spec.name] = id }
    } catch { return }
  }

  /// What the program attaches to, where that is part of the load.
  func addTarget(
    _ request: inout ProgramRequest, _ spec: inout ProgramSpec,
    among others: [Program]
  ) throws(EBPFError) -> LoadTarget? {
    if spec.type == .structOps { return try addMember(&request, spec) }
    if let target = options.attachTargets[spec.name] {
      return try add(target, to: &request, &spec, among: others)
    }
    switch spec.type {
    case .tracing, .lsm: break
    case .replacement:
      throw EBPFError(
        .invalidArgument, "which program has the function '\(spec.attachTarget)' is not said",
        hint: "LoadOptions.setAttachTarget(of:to:) names it, or ebpf load --target")
    default: return nil
    }
    guard !spec.attachTarget.isEmpty else { throw Self.noTarget(spec) }
    if let id = targetTypes[spec.name] {
      request.attachTypeID = id
      return nil
    }
    let target = try types.target(named: spec.attachTarget, for: spec.attachType)
    request.attachTypeID = target.typeID
    guard let module = target.module else { return nil }
    let descriptor = SharedDescriptor(try types.open(module))
    request.attachObject = descriptor.number
    return LoadTarget(descriptor: descriptor)
  }

  /// A function of a program that is in the kernel.
  private func add(
    _ target: LoadOptions.AttachTarget, to request: inout ProgramRequest,
    _ spec: inout ProgramSpec, among others: [Program]
  ) throws(EBPFError) -> LoadTarget {
    let isReplaced = spec.type == .replacement
    let isTraced =
      spec.type == .tracing && spec.attachType != .traceRawTracepoint
      && spec.attachType != .traceIterator
    guard isReplaced || isTraced else {
      throw EBPFError(
        .invalidArgument, "section '\(spec.sectionName)' attaches to no function of a program",
        hint: "sections freplace, fentry, fexit and fmod_ret do")
    }
    if let function = target.function { spec.attachTarget = function }
    guard !spec.attachTarget.isEmpty else { throw Self.noTarget(spec) }
    var program = target.program
    if case .sameObject(let name) = program.kind {
      guard let other = others.first(where: { $0.name == name }) else {
        throw EBPFError(
          .notFound, "the program '\(name)' of the object, which has the function, is not loaded",
          hint: NearNames.hintOrList(for: name, in: others.map(\.name)))
      }
      program = .program(other)
    }
    let isOwn = program != target.program
    let function = try program.function(
      spec.attachTarget, isReplaced: isReplaced, btf: isOwn ? btf : nil, kernel: kernel)
    request.attachTypeID = function.typeID
    request.attachObject = function.program.number
    return LoadTarget(descriptor: function.program, declaration: function.declaration)
  }

  /// A member of a kernel structure.
  private func addMember(
    _ request: inout ProgramRequest, _ spec: ProgramSpec
  ) throws(EBPFError) -> LoadTarget? {
    guard let member = structOpsMembers[spec.name] else {
      throw EBPFError(
        .invalidArgument, "the program is a function of no kernel structure that is loaded",
        hint: "a variable in section .struct_ops.link names it as its member; those of sections "
          + "with a leading '?' are made when MapSpec.autocreate is set")
    }
    request.attachTypeID = member.structureID
    request.attachType = member.index
    guard let module = member.module else { return nil }
    request.attachObject = module.number
    return LoadTarget(descriptor: module)
  }

  private static func noTarget(_ spec: ProgramSpec) -> EBPFError {
    EBPFError(
      .invalidArgument, "section '\(spec.sectionName)' does not say what the program attaches to",
      hint: SectionName(spec.sectionName).row.map { "write it as \($0.form)" }
        ?? "set the program's attachTarget before loading")
  }
}
