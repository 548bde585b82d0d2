/// Adapts instructions to a kernel's types: "compile once, run everywhere".
///
/// One value serves a whole object: the kernel types that go with each root type are found once, by
/// the index of names, and equal records are worked out once. Rules are libbpf's (`relo_core.c`); like
/// there, a kernel type that does not fit one record is no candidate for later records of the same
/// root type if another one fits. So give it an object's records in the order of the file.
public struct CORERelocator: Sendable {
  /// The object's types.
  public let local: BTF
  /// The kernel's types; those after the first, of modules, count only where the first has none.
  public let targets: [BTF]

  /// A kernel type with the right name and kind.
  private struct Candidate {
    let target: Int
    let id: UInt32
  }

  private struct Question: Hashable {
    let typeID: UInt32
    let kind: CORERecord.Kind
    let access: String

    func isAsked(by record: CORERecord) -> Bool {
      typeID == record.typeID && kind == record.kind && access == record.access
    }
  }

  /// More types of one name than any kernel has.
  private static let candidateLimit = 4096

  private var candidates: [Int: [Candidate]] = [:]
  /// What the kernel has of the names given to ``prepare(forRoots:)``.
  private var prepared: [String: [BTFType]] = [:]
  /// The first few results: most objects ask little, and comparing is cheaper than hashing.
  private var firstQuestions: [Question] = []
  private var firstResults: [COREResult] = []
  private var results: [Question: COREResult] = [:]
  private var budget: Int

  /// Prepares for the records of one object.
  ///
  /// After `comparisonLimit` looks at a member or parameter, records end in an error: types can be made
  /// that would take years to compare. The largest known objects need a tenth of the default.
  public init(local: BTF, targets: [BTF], comparisonLimit: Int = 5_000_000) {
    self.local = local
    self.targets = targets
    budget = comparisonLimit
  }

  /// Looks up the kernel's types for the root types of all records that are to come.
  ///
  /// Not needed, but cheaper than one by one when nobody else looks for names: see
  /// ``BTF/candidates(essentialNames:)``.
  mutating func prepare(forRoots ids: [UInt32]) throws(EBPFError) {
    guard let kernel = targets.first else { return }
    var names: [String] = []
    for id in ids where id < local.typeCount {
      let type = try local.type(id)
      // What is wrong with a name is the error of the record that asks for it.
      guard local.locate(string: type.nameOffset) != nil else { continue }
      let length = try local.measuredName(at: type.nameOffset).length
      guard length > 0, length <= Bytes.nameLimit else { continue }
      let name = try local.name(of: type)
      if !names.contains(name) { names.append(name) }
      // The index will be made anyway.
      guard names.count <= BTFNameSearch.limit else { return }
    }
    for (name, types) in zip(names, try kernel.candidates(essentialNames: names)) {
      prepared[name] = types
    }
  }

  /// The same for the root types of programs.
  package mutating func prepare(for programs: [ProgramSpec]) throws(EBPFError) {
    var ids: Set<UInt32> = []
    for program in programs {
      for record in program.relocations where record.kind != .typeIDLocal {
        ids.insert(record.typeID)
      }
    }
    try prepare(forRoots: ids.sorted())
  }

  /// Works out a record.
  ///
  /// Something missing in the kernel is not an error but a result; an error is a malformed object, or
  /// two kernel types that fit and disagree.
  public mutating func resolve(_ record: CORERecord) throws(EBPFError) -> COREResult {
    for index in firstQuestions.indices where firstQuestions[index].isAsked(by: record) {
      return firstResults[index]
    }
    let question = Question(typeID: record.typeID, kind: record.kind, access: record.access)
    if firstQuestions.count == 8, let result = results[question] { return result }
    let result = try compute(record)
    if firstQuestions.count < 8 {
      firstQuestions.append(question)
      firstResults.append(result)
    } else {
      results[question] = result
    }
    return result
  }

  /// Patches the instructions that the records name; a record that cannot be satisfied poisons its
  /// instruction.
  public mutating func apply(
    to instructions: inout [Instruction], records: [CORERecord]
  ) throws(EBPFError) -> [COREOutcome] {
    var outcomes: [COREOutcome] = []
    outcomes.reserveCapacity(records.count)
    for record in records {
      do throws(EBPFError) {
        let result = try resolve(record)
        let isPoisoned = try result.patch(&instructions, at: record.instruction)
        var reason = result.reason
        if isPoisoned, result.hasSizeMismatch {
          reason = try """
          \(describe(record)): \(result.localSize) bytes here, \(result.targetSize) in the \
          kernel, and only pointers and unsigned integers can be read at another size
          """
        }
        outcomes.append(
          COREOutcome(record: record, result: result, isPoisoned: isPoisoned, reason: reason))
      } catch {
        throw error.within(.instruction(record.instruction))
      }
    }
    return outcomes
  }

  private mutating func compute(_ record: CORERecord) throws(EBPFError) -> COREResult {
    let spec = try CORESpec(record, in: local)
    if record.kind == .typeIDLocal {
      let value = COREValue(value: UInt64(record.typeID), validates: false)
      return COREResult(local: value, target: value, candidates: [])
    }
    let tried = try candidates(for: record)
    var matches: [Candidate] = []
    var first: (bitOffset: UInt64, result: COREResult)?
    var mismatches: [(Candidate, COREMismatch)] = []
    let localValue = try COREValue.value(of: record.kind, spec, in: local)
    for candidate in tried {
      let target = targets[candidate.target]
      var matcher = CORETypeMatcher(local: local, target: target, budget: budget)
      let match = try matcher.match(spec, kind: record.kind, with: candidate.id)
      budget = matcher.budget
      switch match {
      case .mismatched(let why):
        mismatches.append((candidate, why))
      case .matched(let found):
        matches.append(candidate)
        let value = try COREValue.value(of: record.kind, found, in: target)
        let result = try COREResult(
          local: localValue, target: value, candidates: [], of: local, target)
        if let first {
          try Self.agree(record, first, (found.bitOffset, result), matches)
        } else {
          first = (found.bitOffset, result)
        }
      }
    }
    if let first {
      candidates[Int(record.typeID)] = matches
      return first.result.with(matches.map { .init(typeID: $0.id, mismatch: nil) })
    }
    let missing = try COREValue.value(of: record.kind, nil, in: local)
    let refused = try mismatches.map { (candidate, why) throws(EBPFError) in
      COREResult.Candidate(
        typeID: candidate.id, mismatch: try explain(why, candidate.id, targets[candidate.target]))
    }
    return COREResult(
      local: localValue, missing: missing, candidates: refused,
      reason: try reason(record, refused))
  }

  /// All candidates that fit must lead to the same place and the same value.
  private static func agree(
    _ record: CORERecord, _ first: (bitOffset: UInt64, result: COREResult),
    _ next: (bitOffset: UInt64, result: COREResult), _ matches: [Candidate]
  ) throws(EBPFError) {
    guard
      first.bitOffset != next.bitOffset || first.result.isPoisoned != next.result.isPoisoned
        || first.result.targetValue != next.result.targetValue
    else { return }
    let ids = matches.map { String($0.id) }.joined(separator: ", ")
    throw EBPFError(
      .unresolved,
      "the kernel has several types of this name, which disagree: \(first.result.targetValue) and "
        + "\(next.result.targetValue) (kernel type ids \(ids))",
      context: [.type(record.typeID)],
      hint: "tell them apart by a member that only one of them has")
  }

  private mutating func candidates(for record: CORERecord) throws(EBPFError) -> [Candidate] {
    if let known = candidates[Int(record.typeID)] { return known }
    let type = try local.type(record.typeID)
    let name = try local.name(of: type)
    guard !name.isEmpty else {
      throw EBPFError(
        .unsupported, "a CO-RE relocation of an anonymous \(type.kind)",
        context: [.type(record.typeID)], hint: "give the type a name, or a typedef")
    }
    var found: [Candidate] = []
    for (index, target) in targets.enumerated() {
      // The modules (all but the first) are asked together.
      if index == 1, !found.isEmpty { break }
      let types: [BTFType]
      if index == 0, let known = prepared[name] {
        types = known
      } else {
        types = try target.candidates(essentialName: name)
      }
      for candidate in types
      where candidate.kind.isCompatible(with: type.kind) {
        found.append(Candidate(target: index, id: candidate.id))
      }
    }
    guard found.count <= Self.candidateLimit else {
      throw EBPFError(
        .tooLarge, "\(found.count) kernel types are called '\(name)'",
        context: [.type(record.typeID)])
    }
    candidates[Int(record.typeID)] = found
    return found
  }
}
