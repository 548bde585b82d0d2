import EBPF

/// One object examined, and what its CO-RE records were resolved against.
struct Validation {
  /// What is in the object and what is wrong with it.
  let report: ObjectReport
  /// The file that CO-RE records were resolved against; nil when none was needed or readable.
  let target: String?
  /// Why there was no such file.
  let targetProblem: EBPFError?

  /// Examines a file; throws only when it cannot be read at all.
  init(path: String, targets: TargetTypes, sizeLimit: Int) throws(EBPFError) {
    let bytes = try InputFile.object(path, sizeLimit: sizeLimit)
    func examine(_ types: [BTF]) -> ObjectReport {
      ObjectReport(
        bytes, name: path, targets: types, sizeLimit: sizeLimit, decompressor: .zlib)
    }
    // Most of the time goes into opening the kernel's types, which many objects do not need.
    let alone = examine([])
    guard alone.relocations.count > 0 else {
      (report, target, targetProblem) = (alone, nil, nil)
      return
    }
    do throws(EBPFError) {
      let types = try targets.types()
      var resolved = examine([types])
      if !resolved.relocations.unresolved.isEmpty {
        // What the kernel itself does not have, a module may.
        let modules = try targets.moduleTypes()
        if !modules.isEmpty { resolved = examine([types] + modules) }
      }
      (report, target, targetProblem) = (resolved, targets.path, nil)
    } catch {
      if targets.isExplicit { throw error }
      (report, target, targetProblem) = (alone, nil, error)
    }
  }
}
