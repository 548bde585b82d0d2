/// Why an address has no function name.
public enum UnresolvedReason: String, Sendable, Hashable, CaseIterable {
  /// The process had ended before anything was known about it.
  case processGone = "process_gone"
  /// `/proc` does not have the process: it is outside of our pid namespace, or had ended before
  /// anything was known about it.
  case notInNamespace = "not_in_namespace"
  /// The process has replaced the program by another (`exec`) before anything was known about it.
  case programReplaced = "program_replaced"
  /// The process may not be looked into: CAP_SYS_PTRACE is missing.
  case denied
  /// No executable mapping holds the address: the stack walk went astray, or the code was unmapped.
  case noMapping = "no_mapping"
  /// Code made at run time, and no perf map file names it.
  case noPerfMap = "no_perf_map"
  /// The mapped file cannot be opened any more, or another has taken its path.
  case fileGone = "file_gone"
  /// The mapped file is not a readable ELF file, or was cut short while it was read.
  case malformedFile = "malformed_file"
  /// A stripped file without a debug file: at most its dynamic symbols are left, none of which covers
  /// the address.
  case noSymbols = "no_symbols"
  /// The file has all its symbols, but none covers the address.
  case outsideFunctions = "outside_functions"
  /// The kernel hides its addresses from us.
  case kernelHidden = "kernel_hidden"
  /// The kernel was built without `/proc/kallsyms`, or the file could not be read.
  case kernelUnreadable = "kernel_unreadable"
}
