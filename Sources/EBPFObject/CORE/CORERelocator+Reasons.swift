// Why a record has no answer, in words.

extension CORERelocator {
  /// What a record is about, as C: `struct sock.__sk_common.skc_num`, `enum state::RUNNING`.
  public func describe(_ record: CORERecord) throws(EBPFError) -> String {
    let root = try local.typeName(record.typeID)
    guard !record.kind.isTypeBased else { return root }
    var text = root
    for (step, accessor) in try CORESpec(record, in: local).accessors.enumerated() {
      if let nameOffset = accessor.nameOffset {
        let name = try local.string(at: nameOffset)
        text += record.kind.isEnumeratorBased ? "::\(name)" : ".\(name)"
      } else if step > 0 || accessor.index > 0 {
        text += "[\(accessor.index)]"
      }
    }
    return text
  }

  func reason(
    _ record: CORERecord, _ candidates: [COREResult.Candidate]
  ) throws(EBPFError) -> String {
    let subject = try describe(record)
    guard let first = candidates.first else {
      return try "\(subject): the kernel has no type \(local.typeName(record.typeID))"
    }
    let rest = candidates.count > 1 ? " (\(candidates.count) types of this name tried)" : ""
    return "\(subject): \(first.mismatch ?? "")\(rest)"
  }

  func explain(
    _ mismatch: COREMismatch, _ id: UInt32, _ target: BTF
  ) throws(EBPFError) -> String {
    let name = try "\(target.typeName(id)) (kernel type id \(id))"
    switch mismatch {
    case .noField:
      return "no such field in \(name)"
    case .fieldKind(_, let other):
      return try "a field of this name in \(name) is a \(target.typeName(other))"
    case .notAnArray(let other):
      return try "\(target.typeName(other)) is not an array in \(name)"
    case .index(let index, let count):
      return "index \(index) is past the array's \(count) elements in \(name)"
    case .notAnEnumeration:
      return "\(name) is not an enumeration"
    case .noEnumerator:
      return "no such enumerator in \(name)"
    case .type:
      return "\(name) has another shape"
    }
  }
}
