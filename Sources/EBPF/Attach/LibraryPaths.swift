internal import EBPFSystem

/// Where a library is that is known by its name only.
enum LibraryPaths {
  /// Where Debian, Fedora and Alpine put libraries.
  private static let directories = [
    "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib",
  ]

  /// The file that a process has mapped under that name, seen through its own root; or for every
  /// process, the file in the usual directories.
  static func find(_ name: String, process: Int32?) throws(EBPFError) -> String {
    if let process { return try mapped(name, in: process) }
    for directory in directories {
      let path = "\(directory)/\(name)"
      if FileSystem.exists(path) { return path }
    }
    throw EBPFError(
      .notFound, "there is no library '\(name)' in the usual directories",
      hint: "give its path")
  }

  private static func mapped(_ name: String, in process: Int32) throws(EBPFError) -> String {
    let lines: [Substring]
    do throws(Errno) { lines = try SystemFile.lines("/proc/\(process)/maps") } catch {
      throw EBPFError(
        error == .noEntry ? .notFound : .denied,
        error == .noEntry
          ? "there is no process \(process)" : "the mappings of process \(process) cannot be read",
        context: [.process(process)], systemCall: error.failure(of: "open"))
    }
    for line in lines {
      // address rights offset device inode path
      let fields = line.split(separator: " ", maxSplits: 5)
      guard fields.count == 6 else { continue }
      let path = fields[5].drop { $0 == " " }
      guard path.first == "/", path.split(separator: "/").last.map(String.init) == name else {
        continue
      }
      return "/proc/\(process)/root\(path)"
    }
    throw EBPFError(
      .notFound, "process \(process) has no library '\(name)' loaded", context: [.process(process)],
      hint: "cat /proc/\(process)/maps shows what it has; a static program has none")
  }
}
