internal import EBPF
internal import EBPFSystem

/// A need of a tracer, and the programs of its object that can meet it, best first.
///
/// A rung is one program or several that belong together (the enter and the exit of something);
/// where they run is in their section names.
struct HookPlan: Sendable {
  /// What is needed, as reports name it: `system call entry`.
  let need: String
  /// Programs of the object, best first.
  let rungs: [[String]]
  /// When false, a need that nothing meets is reported and does not keep the tracer from starting.
  var isRequired = true
}

/// An object in the kernel with every need of a tracer met, or reported as not met.
struct AttachedHooks: Sendable {
  let object: LoadedObject
  /// What is attached, by program name.
  let links: Links
  /// How each need was met, in the order of the plans.
  let hooks: [TracerHook]

  /// Loads and attaches the best rung of each plan that this kernel accepts, found by trying.
  ///
  /// A rung that the kernel refuses costs loading the object once more, so `prepare` may be called
  /// several times, each time with new maps; what was attached before is gone by then.
  ///
  /// - Parameters:
  ///   - object: has every program of the plans.
  ///   - others: programs to load although no plan names them; attached by the caller.
  ///   - filter: put in force before anything is attached.
  ///   - prepare: fills the other maps before.
  init(
    _ object: ObjectFile, plans: [HookPlan], loading others: Set<String> = [],
    options: LoadOptions = LoadOptions(), filter: ProcessFilter, kernel: any KernelInterface,
    prepare: (LoadedObject) throws(EBPFError) -> Void = { _ in }
  ) throws(EBPFError) {
    var choices = plans.map { HookChoice($0, object) }
    while true {
      var options = options
      filter.lists.prepare(&options)
      options.programs = choices.reduce(into: others) { $0.formUnion($1.programs) }
      let loaded: LoadedObject
      do throws(EBPFError) {
        loaded = try LoadedObject(object, options: options, kernel: kernel)
      } catch {
        guard let index = choices.firstIndex(where: { $0.isBlamed(by: error) }) else { throw error }
        try choices[index].refuse(error)
        continue
      }
      try prepare(loaded)
      try filter.begin(loaded)
      let links = Links()
      guard let (index, error) = AttachedHooks.attach(choices, of: loaded, to: links) else {
        try filter.didAttach()
        self.object = loaded
        self.links = links
        hooks = choices.map(\.report) + filter.lists.hooks
        return
      }
      loaded.unload()
      try choices[index].refuse(error)
    }
  }

  /// Attaches every choice; returns the first that failed.
  private static func attach(
    _ choices: [HookChoice], of object: LoadedObject, to links: Links
  ) -> (Int, EBPFError)? {
    for (index, choice) in choices.enumerated() {
      for program in choice.programs {
        do throws(EBPFError) {
          try links.insert(try object.program(program).attachBySection(), as: program)
        } catch { return (index, error) }
      }
    }
    return nil
  }
}

/// How far down its plan's rungs a need has come.
private struct HookChoice {
  let plan: HookPlan
  private let sections: [String: String]
  private var rung = 0
  private var refusals: [TracerHook.Refusal] = []

  init(_ plan: HookPlan, _ object: ObjectFile) {
    self.plan = plan
    sections = Dictionary(
      object.programs.map { ($0.name, $0.sectionName) }, uniquingKeysWith: { first, _ in first })
  }

  /// The programs of the present rung; empty when none is left.
  var programs: [String] { rung < plan.rungs.count ? plan.rungs[rung] : [] }

  /// True when loading failed because of a program of the present rung.
  func isBlamed(by error: EBPFError) -> Bool {
    error.context.contains { place in
      if case .program(let name) = place { programs.contains(name) } else { false }
    }
  }

  /// Goes one rung down; throws when that was the last one and the need must be met.
  mutating func refuse(_ error: EBPFError) throws(EBPFError) {
    var why = error.message
    if let call = error.systemCall { why += " (\(call.call): \(call.name))" }
    refusals.append(TracerHook.Refusal(hook: description, why: why))
    rung += 1
    guard programs.isEmpty, plan.isRequired else { return }
    let tried = refusals.map { "\($0.hook): \($0.why)" }.joined(separator: "; ")
    throw EBPFError(
      error.code, "no way to observe \(plan.need) works on this kernel: \(tried)",
      systemCall: error.systemCall, hint: error.hint, verifierLog: error.verifierLog)
  }

  /// The present rung, as its section names say it.
  private var description: String {
    programs.map { sections[$0] ?? $0 }.joined(separator: " + ")
  }

  var report: TracerHook {
    TracerHook(
      need: plan.need, used: programs.isEmpty ? "none" : description, refused: refusals)
  }
}
