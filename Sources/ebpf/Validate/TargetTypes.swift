import EBPF
import EBPFSystem

/// The types that CO-RE records are resolved against: those of a file, or the running kernel's.
///
/// Nothing is read before an object needs it, and nothing twice.
final class TargetTypes {
  /// Where the running kernel's types are.
  static let directory = "/sys/kernel/btf"

  /// The file.
  let path: String
  /// True when the file was named on the command line, so that a failure to read it is an error.
  let isExplicit: Bool
  private var kernel: BTF?
  private var problem: EBPFError?
  private var modules: [BTF]?

  /// The types of a file; nil for the running kernel's.
  init(file: String?) {
    path = file ?? Self.directory + "/vmlinux"
    isExplicit = file != nil
  }

  /// The types of the file.
  func types() throws(EBPFError) -> BTF {
    if let kernel { return kernel }
    if let problem { throw problem }
    do throws(EBPFError) {
      let types = try InputFile.types(path)
      kernel = types
      return types
    } catch {
      problem = error
      throw error
    }
  }

  /// The types of the running kernel's modules, which continue the kernel's own.
  func moduleTypes() throws(EBPFError) -> [BTF] {
    guard !isExplicit else { return [] }
    if let modules { return modules }
    let base = try types()
    let names: [String]
    do throws(Errno) { names = try FileSystem.entries(Self.directory).sorted() } catch {
      throw EBPFError(
        .system, "the modules' types cannot be listed: \(error.text)",
        context: [.file(Self.directory)])
    }
    var found: [BTF] = []
    for name in names where name != "vmlinux" {
      found.append(try InputFile.types(Self.directory + "/" + name, base: base))
    }
    modules = found
    return found
  }
}
