import EBPFObject
import EBPFSystem

/// The symbol table that Fedora leaves in stripped files: an ELF file, compressed by xz, in
/// `.gnu_debugdata`. It has the functions that `.dynsym` has not.
enum MiniDebugFile {
  /// What xz makes of symbol tables is 5 to 10 times as large again; more than this is not believed.
  private static let largestRatio = 64
  private static let largestSize = 64 << 20

  /// The file inside; nil when there is none.
  static func find(in file: ELFFile) throws(EBPFError) -> ELFFile? {
    guard let section = file.section(named: ".gnu_debugdata") else { return nil }
    return try EBPFError.at(.section(section.name)) { () throws(EBPFError) in
      let packed = try file.contents(of: section)
      let (limit, overflow) = packed.count.multipliedReportingOverflow(by: largestRatio)
      let bytes: Bytes
      do throws(Unxz.Failure) {
        bytes = try Unxz.decompress(
          packed.span, limit: overflow ? largestSize : min(limit, largestSize))
      } catch {
        throw EBPFError(
          .malformed, "the compressed symbol table cannot be expanded: \(reason(error))",
          context: [.offset(section.offset)],
          hint: "the file may have been copied only in part")
      }
      return try ELFFile(bytes)
    }
  }

  private static func reason(_ failure: Unxz.Failure) -> String {
    switch failure {
    case .malformed(let reason): reason
    case .truncated: "it ends too early"
    case .tooLarge: "it is more than \(largestRatio) times as large or over 64 MiB"
    case .needsTooMuchMemory: "its dictionary is too large"
    }
  }
}
