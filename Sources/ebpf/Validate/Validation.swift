import EBPF
import EBPFSystem

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
    // What is read from an object takes about four times its size.
    ProcessUsage.expectMemory(bytes: 4 * min(bytes.count, 4 << 20))
    var report = ObjectReport(bytes, name: path, sizeLimit: sizeLimit, decompressor: .zlib)
    var target: String?
    var problem: EBPFError?
    // The kernel's types are opened only for objects that need them.
    if report.relocations.count > 0 || report.hasStructOps {
      do throws(EBPFError) {
        let types = try targets.types()
        report.resolve(against: [types])
        if !report.relocations.unresolved.isEmpty || report.lacksStructOps {
          // What the kernel itself does not have, a module may.
          let modules = try targets.moduleTypes()
          if !modules.isEmpty { report.resolve(against: [types] + modules) }
        }
        target = targets.path
      } catch {
        if targets.isExplicit { throw error }
        report.resolve(against: [])
        problem = error
      }
    }
    self.report = report
    self.target = target
    targetProblem = problem
  }
}
